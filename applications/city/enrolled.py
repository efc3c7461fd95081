"""Which child is in which group now: so many places of it are taken.

What is kept is the count of each group (`Headcount`), as if an official had counted. An IIN is read to find a child
who stands in two rows, and is not kept: the portal needs no person to know that a place is taken.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.identity import iin_hashes
from applications.city.groups import Groups
from applications.decisions.places import CONFIRM_COUNT, COUNT, count_children
from applications.models import Headcount
from applications.models.places import MOST_COUNTED
from applications.moves import Refused
from applications.places.occupancy import (
    Counted,
    group_of_each,
    lock_places_of,
    occupancies_of,
    signed_contracts,
)
from applications.refusals import Refusal
from applications.states import ProposalState
from bulletin.importing.columns import Column, Iin, Row, Text
from bulletin.importing.kinds import Kind, LeftOut, Loader, Outcome, Run, Taken
from bulletin.importing.problems import Fault, Problem
from bulletin.importing.running import Disturbed
from bulletin.models import Group, Kindergarten
from bulletin.school_years import school_year
from bulletin.sorting import fold


class _Loader(Loader):
    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.groups = Groups(run)
        self.found: dict[int, Group] = {}
        self.lines: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.of_child: dict[str, int] = {}
        # Where the children of a portion have a contract, by the hashes of their IINs.
        self.signed_in: dict[str, Group] = {}
        self.missed = _Missed()

    def prepare(self, rows: Sequence[Row]) -> None:
        self.groups.prepare(rows)
        named = [hashed for row in rows for hashed in iin_hashes(row.values.get("iin", ""))]
        self.signed_in = group_of_each(named, now=self.run.now)

    def take(self, rows: Sequence[Row]) -> Iterator[Taken]:
        """Only what is wrong: whether a group's count changes is known once the file is over."""
        return (taken for taken in super().take(rows) if taken.outcome is Outcome.LEFT_OUT)

    def take_row(self, row: Row) -> Outcome:
        iin = row.values.get("iin")
        if iin:
            self.demand_once(row, "iin", iin)
        group = self.groups.of(row)
        if iin:
            self._demand_no_contract_elsewhere(row, iin, group)
            self.of_child[iin] = group.pk
        self.found[group.pk] = group
        self.lines[group.pk].append((row.line, self.label(row)))
        return Outcome.UNCHANGED

    def _demand_no_contract_elsewhere(self, row: Row, iin: str, group: Group) -> None:
        """Raise `LeftOut` for a child with a contract in another group: nobody knows in which of the two it is."""
        signed = next((self.signed_in[one] for one in iin_hashes(iin) if one in self.signed_in), group)
        if signed != group:
            self.missed.keys.add(signed.pk)
            raise LeftOut(
                row.fault(
                    "group",
                    Problem.CONTRACT_ELSEWHERE,
                    kindergarten=signed.kindergarten.slug,
                    group=signed.name,
                )
            )

    def leave_out(self, row: Row, faults: Sequence[Fault]) -> None:
        """A child of a bad row has a place all the same: nothing is counted that it may be in."""
        self.missed.add(row)
        # Of a child who stands in two rows nobody knows which is right.
        if (group_id := self.of_child.get(row.values.get("iin", ""))) is not None:
            self.missed.keys.add(group_id)

    def label(self, row: Row) -> str:
        return f"{row.cells['kindergarten']}, {row.cells['group']}"

    def rest(self) -> Iterator[Taken]:
        now = self.run.now
        self.missed.look_up()
        # All at once, in the order of their keys: the counts lock them one by one.
        lock_places_of(self.found, now=now)
        years = {key: school_year(one.kindergarten.locality.day(now)) for key, one in self.found.items()}
        contracts: Counter[int] = Counter()
        for (key, of), signed in signed_contracts(self.found.values()).items():
            if of <= years[key]:
                contracts[key] += len(signed)
        same = self._same(years)
        for key, group in sorted(self.found.items()):
            fault = self._why_not(group, contracts=contracts[key])
            if fault is not None:
                outcome = Outcome.LEFT_OUT
            elif key in same:
                outcome = Outcome.UNCHANGED
            else:
                outcome, fault = self._count(group, year=years[key])
            for line, label in self.lines[key]:
                is_first = line == self.lines[key][0][0]
                yield Taken(line, outcome, label, [fault] if fault and is_first else ())

    def _same(self, years: Mapping[int, int]) -> set[int]:
        """The groups whose occupancy a new count would leave as it is, with all that came and left since the last."""
        groups, now = self.found.values(), self.run.now
        anew = {key: Counted(years[key], len(self.lines[key]), now) for key in self.found}
        before, after = occupancies_of(groups, now=now), occupancies_of(groups, now=now, anew=anew)
        return {key for key in self.found if before[key] == after[key]}

    def _why_not(self, group: Group, *, contracts: int) -> Fault | None:
        """Why the rows of a group can't be its count, at its first row."""
        children = len(self.lines[group.pk])
        if self.missed.may_hold(group):
            problem = Problem.NOT_ALL_CHILDREN
        elif children < contracts:
            problem = Problem.FEWER_THAN_CONTRACTS
        elif children > MOST_COUNTED:
            problem = Problem.TOO_MANY_CHILDREN
        else:
            return None
        return self._fault(group, problem, children=children, signed=contracts)

    def _fault(self, group: Group, problem: Problem, **values: Any) -> Fault:
        return Fault(problem, self.lines[group.pk][0][0], "group", group.name, values)

    def _count(self, group: Group, *, year: int) -> tuple[Outcome, Fault | None]:
        assert self.run.by is not None
        children, is_first = len(self.lines[group.pk]), not _was_counted(group, year=year)
        try:
            count = count_children(group, year=year, children=children, actor=self.run.by, now=self.run.now)
        except Refused as refused:
            if refused.reason == Refusal.BUSY:
                raise Disturbed from refused
            return Outcome.LEFT_OUT, self._fault(group, Problem.RULE, why=refused.at_work)
        after = {"children": str(children), "state": ProposalState.APPROVED.value}
        self.run.note(count, line=self.lines[group.pk][0][0], before=None, after=after)
        return Outcome.ADDED if is_first else Outcome.CHANGED, None


class _Missed:
    """In which groups the children of bad rows may be: in the one they name, or else in any that could be meant."""

    def __init__(self) -> None:
        self.keys: set[int] = set()
        self._names: set[tuple[str, str]] = set()
        self._kindergartens: set[str] = set()
        self._anywhere = False

    def add(self, row: Row) -> None:
        kindergarten, group = row.values.get("kindergarten"), row.values.get("group")
        if kindergarten and group:
            self._names.add((kindergarten, fold(group)))
        else:
            self._anywhere = True

    def look_up(self) -> None:
        """Find what the portal does not know: it may be any group's mistyped name. One statement."""
        known: dict[str, set[str]] = defaultdict(set)
        named = Kindergarten.objects.filter(slug__in={slug for slug, _name in self._names})
        for slug, name in named.values_list("slug", "groups__name"):
            known[slug].add(fold(name or ""))
        self._anywhere |= any(slug not in known for slug, _name in self._names)
        self._kindergartens = {slug for slug, name in self._names if name not in known.get(slug, ())}

    def may_hold(self, group: Group) -> bool:
        slug = group.kindergarten.slug
        return (
            self._anywhere
            or group.pk in self.keys
            or slug in self._kindergartens
            or (slug, fold(group.name)) in self._names
        )


def _was_counted(group: Group, *, year: int) -> bool:
    return Headcount.objects.filter(group=group, school_year=year, state=ProposalState.APPROVED).exists()


class Enrolled(Kind):
    name = "enrolled"
    title = _("Enrolled children")
    about = _(
        "Counts the children of each group in the file, one row a child: all who go there now, those with a contract "
        "in the portal too. The count of the group for this school year is what is kept; of a child nothing is."
    )
    permissions = (COUNT, CONFIRM_COUNT)
    needs_employee = True
    loader = _Loader
    columns = (
        Column("kindergarten", _("kindergarten"), Text(80), "amina", about=_("Its address on the site.")),
        Column("group", pgettext_lazy("of a kindergarten", "group"), Text(80), "Балапан"),
        Column(
            "iin",
            _("IIN"),
            Iin(),
            "800101300016",
            required=False,
            about=_("Finds a child who stands in two rows. It is not kept."),
        ),
    )
