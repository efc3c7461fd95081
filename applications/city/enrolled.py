"""Which child is in which group now: so many places of it are taken.

What is kept is the count of each group (`Headcount`), as if an official had counted. An IIN is read to find a child
who stands in two rows, and is not kept: the portal needs no person to know that a place is taken.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.city.groups import Groups
from applications.decisions.places import CONFIRM_COUNT, count_children
from applications.models import Headcount
from applications.models.places import MOST_COUNTED
from applications.places.occupancy import signed_contracts
from applications.states import ProposalState
from bulletin.importing.columns import Column, Iin, Row, Text
from bulletin.importing.kinds import Kind, Loader, Outcome, Run, Taken
from bulletin.importing.problems import Fault, Problem
from bulletin.models import Group
from bulletin.school_years import school_year


class _Loader(Loader):
    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.groups = Groups(run)
        self.found: dict[int, Group] = {}
        self.lines: dict[int, list[tuple[int, str]]] = defaultdict(list)

    def prepare(self, rows: Sequence[Row]) -> None:
        self.groups.prepare(rows)

    def take(self, rows: Sequence[Row]) -> Iterator[Taken]:
        """Only what is wrong: whether a group's count changes is known once the file is over."""
        return (taken for taken in super().take(rows) if taken.outcome is Outcome.LEFT_OUT)

    def take_row(self, row: Row) -> Outcome:
        if iin := row.values.get("iin"):
            self.demand_once(row, "iin", iin)
        group = self.groups.of(row)
        self.found[group.pk] = group
        self.lines[group.pk].append((row.line, self.label(row)))
        return Outcome.UNCHANGED

    def label(self, row: Row) -> str:
        return f"{row.cells['kindergarten']}, {row.cells['group']}"

    def rest(self) -> Iterator[Taken]:
        signed = signed_contracts(self.found.values())
        for key, group in sorted(self.found.items()):
            year = school_year(group.kindergarten.locality.day(self.run.now))
            contracts = sum(len(at) for (pk, of), at in signed.items() if pk == key and of <= year)
            outcome, faults = self._count(group, year=year, contracts=contracts)
            for line, label in self.lines[key]:
                yield Taken(line, outcome, label, faults if line == self.lines[key][0][0] else ())

    def _count(self, group: Group, *, year: int, contracts: int) -> tuple[Outcome, Sequence[Fault]]:
        lines = self.lines[group.pk]
        children = len(lines)
        if children < contracts or children > MOST_COUNTED:
            values = {"children": children, "signed": contracts}
            problem = Problem.FEWER_THAN_CONTRACTS if children < contracts else Problem.TOO_MANY_CHILDREN
            return Outcome.LEFT_OUT, [Fault(problem, lines[0][0], "group", group.name, values)]
        known = _counted(group, year=year)
        if known is not None and known.children == children:
            return Outcome.UNCHANGED, ()
        assert self.run.by is not None
        count = count_children(group, year=year, children=children, actor=self.run.by, now=self.run.now)
        after = {"children": str(children), "state": ProposalState.APPROVED.value}
        self.run.note(count, line=lines[0][0], before=None, after=after)
        return Outcome.ADDED if known is None else Outcome.CHANGED, ()


def _counted(group: Group, *, year: int) -> Headcount | None:
    """The count that counts."""
    counts = Headcount.objects.filter(group=group, school_year=year, state=ProposalState.APPROVED)
    return counts.order_by("-counted_at", "-pk").first()


class Enrolled(Kind):
    name = "enrolled"
    title = _("Enrolled children")
    about = _(
        "Counts the children of each group in the file, one row a child: all who go there now, those with a contract "
        "in the portal too. The count of the group for this school year is what is kept; of a child nothing is."
    )
    permission = CONFIRM_COUNT
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
