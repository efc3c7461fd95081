"""A newer file of the former queue over what earlier ones brought in: what changed, who left, whom it has no more.

Only what nobody has claimed and nobody here has decided about follows the file; the rest is named for an official.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from applications.city.former_numbers import Known, Wish, refused
from applications.city.queue_columns import COLUMNS, HELD, FormerState
from applications.models import Application, FormerRow
from applications.models.former import number_key
from applications.states import LIVE_STATES, ApplicationState
from applications.waiting.bringing_anew import Change, bring_anew, decided_here
from applications.waiting.bringing_in import OldRow, applications_here
from applications.waiting.former_values import difference, said_by, said_of
from bulletin.importing.columns import Row, by_name
from bulletin.importing.kinds import Later, LeftOut, Outcome, Run, Taken
from bulletin.importing.problems import Fault, Problem, Unreadable

# What each column says; one that a file does not have leaves what an earlier one said.
_SAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "old_number": ("old_number",),
    "locality": ("locality",),
    "filed_at": ("filed_at", "filed_text"),
    "guardian_iin": ("guardian_iin",),
    "phone": ("phone", "invited_at"),
    "languages": ("languages",),
    "benefit": ("benefit",),
    "benefit_until": ("benefit_until",),
    "interest_confirmed_at": ("interest_confirmed_at",),
    "state": ("stopped_until",),
}
_COLUMN_OF: Final = {name: column for column, names in _SAYS.items() for name in names}
_HEADINGS: Final = by_name(COLUMNS)
# How many a note names.
_NAMED: Final = 20


@dataclass(frozen=True)
class Absent:
    """One whom an earlier file brought in, and this one does not have."""

    application: UUID
    old_number: str
    locality: int
    is_claimed: bool
    # An official has decided something here that a file must not undo.
    is_decided: bool


def headings(names: Iterable[str]) -> str:
    """What values are called in a file, in the language of the reader."""
    columns = dict.fromkeys(_COLUMN_OF.get(name, "state") for name in names)
    return ", ".join(str(_HEADINGS[column].heading) for column in columns)


class NewerFile:
    """Collects, row by row, what becomes of those whom earlier files brought in; `finish` writes it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._changes: list[Change] = []
        self._left: list[UUID] = []
        self._told: dict[int, str] = {}
        self._seen: set[UUID] = set()
        self._places: set[int] = set()
        self._decided: set[UUID] = set()
        self._missed: set[tuple[str, str]] = set()
        self._missed_numbers: set[str] = set()
        self._missed_unknown = False
        # Rows of its localities, bad ones too.
        self._named = 0
        self._absent: list[Absent] = []
        self._taken_out: list[Absent] = []
        self._wishes: list[Wish] = []
        self._known = Known([], new=[])

    def prepare(self, rows: Sequence[Row], *, new: Sequence[Row], here: Iterable[Application]) -> None:
        """Look up what the next rows need to be compared: `here` are their applications, of the `new` there is none."""
        self._known = Known(rows, new=new)
        self._decided = decided_here(one.pk for one in here if hasattr(one, "former") and not one.is_claimed)

    def covers(self, old: OldRow) -> None:
        """The file is one of this locality, too: whom it lacks there, it has no more."""
        self._places.add(old.locality.pk)
        self._named += 1

    def miss(self, row: Row, child: tuple[str, str]) -> None:
        """A bad row: whoever stands in it is not missing from the file."""
        self._named += 1
        number = number_key(row.cells.get("old_number", ""))
        if any(child):
            self._missed.add(child)
        if number:
            self._missed_numbers.add(number)
        self._missed_unknown |= not any(child) and not number

    def take(self, row: Row, old: OldRow, here: Application) -> Outcome:
        """What becomes of one whom an earlier file brought in. Raises `LeftOut` with what an official has to decide."""
        self._seen.add(here.pk)
        has_left = row.values.get("state") == FormerState.LEFT
        if here.is_claimed:
            if column := self._claimed_differs(row, old, here):
                raise LeftOut(row.fault(column, Problem.CLAIMED, what=here.former.old_number))
            return Outcome.UNCHANGED
        if old.birth_date.year != here.birth_year:
            raise LeftOut(row.fault("birth_date", Problem.BROUGHT_OTHERWISE, what=here.former.old_number))
        if has_left:
            self._demand_changeable(row, "state", here)
            self._left.append(here.pk)
            self._told[row.line] = headings(["stopped_until"])
            return Outcome.CHANGED
        names = {name for column in row.values for name in _SAYS.get(column, ())}
        before, after = difference(said_of(here, now=self.run.now), said_by(old), names=names)
        if not after:
            return Outcome.UNCHANGED
        change = Change(here.pk, row.line, before, after)
        self._demand_changeable(row, _COLUMN_OF[change.names[0]], here)
        self._told[row.line] = headings(change.names)
        if _renumbers(change):
            self._demand_number(row, old, change)
        self._bring(old, change)
        return Outcome.CHANGED

    def take_new(self, row: Row, old: OldRow) -> None:
        """One whom the portal does not have by its IIN. Raises `LeftOut` where it has the child, and `Later`."""
        if same := self._known.same_child(row, old):
            key, number = same
            self._seen.add(key)
            column = "child_iin" if old.iin else "certificate"
            raise LeftOut(row.fault(column, Problem.SAME_CHILD, what=number))
        self._demand_number(row, old, None)

    def wishes(self) -> Iterator[tuple[Wish, bool]]:
        """The rows that came `Later`, and whether each gets its number, now that all rows were taken."""
        leaving = {one.application for one in self._missing if self._is_taken_back(one)}
        moving = {*self._left, *leaving, *(one.application for one in self._changes if _renumbers(one))}
        without = refused(self._wishes, moving=moving)
        for wish in self._wishes:
            is_granted = wish.row.line not in without
            if is_granted and wish.change is not None:
                self._bring(wish.old, wish.change)
            yield wish, is_granted

    def has_left(self, old: OldRow) -> Application | None:
        """The application with which the child of a row was here, if it has left since. One query."""
        archived = Application.objects.filter(
            child__iin_hash__in=old.child_hashes, former__isnull=False, state=ApplicationState.ARCHIVED
        )
        return archived.order_by("-archived_at").first()

    def label(self, row: Row) -> str:
        """What changed of a row, by the headings of its columns; empty where nothing did."""
        return self._told.get(row.line, "")

    def rest(self) -> Iterator[Taken]:
        """Whom the file has no more: they stay, unless it was asked to take them back.

        Raises `Unreadable` where it would take out more than it names: such a file is cut off.
        """
        missing = sorted(self._missing, key=lambda one: one.old_number)
        self._absent = [one for one in missing if not self._is_taken_back(one)]
        self._taken_out = [one for one in missing if self._is_taken_back(one)]
        if len(self._taken_out) > self._named:
            raise Unreadable(Problem.MOST_ABSENT, count=len(self._taken_out), named=self._named)
        for one in self._taken_out:
            self._left.append(one.application)
            self.run.places.add(one.locality)
            yield Taken(0, Outcome.CHANGED, f"{one.old_number} ({_('not in this file')})")

    @property
    def notes(self) -> list[Fault]:
        """Whom the file lacks, who leaves for it and who stays: how many, the first numbers, who was decided about."""
        notes = []
        if out := self._taken_out:
            notes.append(Fault(Problem.TAKEN_OUT, values={"count": len(out), "numbers": _numbers(out)}))
        if absent := self._absent:
            claimed = sum(one.is_claimed for one in absent)
            values = {"count": len(absent), "claimed": claimed, "numbers": _numbers(absent)}
            notes.append(Fault(Problem.ABSENT, values=values))
        if decided := sum(one.is_decided for one in self._absent):
            notes.append(Fault(Problem.ABSENT_DECIDED, values={"count": decided}))
        return notes

    def finish(self) -> None:
        """Write it. Raises `bringing_anew.ChangedMeanwhile`."""
        bring_anew(self._changes, self._left, batch=self.run.batch, actor=self.run.by, now=self.run.now)

    def _claimed_differs(self, row: Row, old: OldRow, here: Application) -> str:
        """The column in which a file says something of a claimed application that only an official can decide."""
        said, has = said_by(old), said_of(here, now=self.run.now)
        benefits = {one.category_id for one in here.benefits.all() if one.counts(now=self.run.now)}
        # The family moved it, and its date may have changed with that.
        is_moved = here.locality_id != here.former.locality_id
        is_as_before = old.locality.pk == here.former.locality_id and old.filed_text == here.former.filed_text
        is_held = row.values.get("state") in HELD
        differing = {
            "locality": old.locality.pk not in (here.locality_id, here.former.locality_id),
            "filed_at": old.filed_at != here.filed_at and not (is_moved and is_as_before),
            "state": row.values.get("state") == FormerState.LEFT
            or (is_held and said["stopped_until"] != has["stopped_until"]),
            "benefit": said["benefit"] is not None and said["benefit"] not in benefits,
        }
        return next((column for column, is_other in differing.items() if is_other), "")

    def _bring(self, old: OldRow, change: Change) -> None:
        self._changes.append(change)
        self.run.places |= {old.locality.pk, change.before.get("locality", old.locality.pk)}

    def _demand_changeable(self, row: Row, column: str, here: Application) -> None:
        if not self.run.may_act_in(here.locality_id):
            raise LeftOut(row.fault("locality", Problem.NOT_YOURS))
        if here.pk in self._decided:
            raise LeftOut(row.fault(column, Problem.DECIDED_HERE, what=here.number))

    def _demand_number(self, row: Row, old: OldRow, change: Change | None) -> None:
        """Put the row off where others have its number: whether they keep it is known at the end of the file."""
        here = change.application if change else None
        if holders := [one.application for one in self._known.holders(old) if one.application != here]:
            self._wishes.append(Wish(row, old, change, holders))
            raise Later

    @cached_property
    def _missing(self) -> list[Absent]:
        """Those of the file's localities whom it does not name, not even in a bad row."""
        if not self._places:
            return []
        missed = {one.pk for one in applications_here(self._missed).values()} if self._missed else set()
        known = FormerRow.objects.filter(
            application__locality__in=self._places, application__state__in=LIVE_STATES, batch__undone_at=None
        ).exclude(batch=self.run.batch)
        rows = known.values_list(
            "application", "old_number", "number_key", "application__locality", "application__filed_by"
        )
        missing = [
            (pk, old_number, place, filed_by is not None)
            for pk, old_number, key, place, filed_by in rows.iterator()
            if pk not in self._seen and pk not in missed and key not in self._missed_numbers
        ]
        decided = decided_here(pk for pk, _number, _place, is_claimed in missing if not is_claimed)
        return [Absent(*one, is_decided=one[0] in decided) for one in missing]

    def _is_taken_back(self, one: Absent) -> bool:
        """Of a bad row that names nobody, nobody can be sure to be missing."""
        is_ours = one.is_claimed or one.is_decided
        is_sure = not is_ours and not self._missed_unknown
        return self.run.take_absent and is_sure and self.run.may_act_in(one.locality)


def _numbers(some: Sequence[Absent]) -> str:
    """The first former numbers."""
    more = " …" if len(some) > _NAMED else "."
    return ", ".join(one.old_number for one in some[:_NAMED]) + more


def _renumbers(change: Change) -> bool:
    return bool({"locality", "old_number"} & change.after.keys())
