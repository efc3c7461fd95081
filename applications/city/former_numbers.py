"""Numbers and documents of the former queue: of two children in one locality only one has a number."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from applications.models import FormerRow
from applications.models.former import number_key
from applications.states import LIVE_STATES
from applications.waiting.bringing_anew import Change
from applications.waiting.bringing_in import OldRow, applications_here
from bulletin.importing.columns import Row
from bulletin.sorting import fold
from children.models import Child


@dataclass(frozen=True)
class Holder:
    """A live application with a number of the former queue. `number` is its own, in the portal."""

    application: UUID
    number: str
    child: UUID


@dataclass(frozen=True)
class Wish:
    """A row whose number others have. It gets it if this very file lets each of them leave, or renumbers them.

    `change` is what the row says of a child who is here; None: the child is new.
    """

    row: Row
    old: OldRow
    change: Change | None
    holders: Sequence[UUID]


class Known:
    """What the portal has under the numbers of some rows, and under the certificates of those whose child is `new`.

    A fixed number of statements.
    """

    def __init__(self, rows: Iterable[Row], *, new: Sequence[Row]) -> None:
        self._holders = _holders(_numbers(rows))
        numbers = _numbers(new)
        alike = {
            one.child for (_, number), found in self._holders.items() if number in numbers for one in found
        }
        names = ("birth_date", "last_name", "first_name")
        self._children = {one.pk: one for one in Child.objects.filter(pk__in=alike).only(*names)}
        # Without an IIN a child is looked for by its certificate anyway.
        papers = {("", row.values.get("certificate") or "") for row in new if row.values.get("child_iin")}
        self._by_paper = applications_here(papers - {("", "")})

    def holders(self, old: OldRow) -> list[Holder]:
        """Those who have the number of a row in its locality."""
        return self._holders.get((old.locality.pk, old.old_number), [])

    def same_child(self, row: Row, old: OldRow) -> tuple[UUID, str] | None:
        """The application, with its number, that is of the child of a `new` row by all but its IIN."""
        if old.iin and (here := self._by_paper.get(("", row.values.get("certificate") or ""))):
            return here.pk, here.number
        same = (one for one in self.holders(old) if _is_like(self._children[one.child], old))
        found = next(same, None)
        return None if found is None else (found.application, found.number)


def refused(wishes: Iterable[Wish], *, moving: Collection[UUID]) -> set[int]:
    """The lines whose wish can't be granted, where `moving` leave or are renumbered without one. Pure.

    As many are granted as can be granted together: children who swap their numbers both get them. Whoever does not get
    another number keeps the present one, and whoever wants that one does not get it either.
    """
    wanted: dict[UUID, list[Wish]] = defaultdict(list)
    hoping: set[UUID] = set()
    for wish in wishes:
        for holder in wish.holders:
            wanted[holder].append(wish)
        if wish.change is not None:
            hoping.add(wish.change.application)
    staying = [holder for holder in wanted if holder not in moving and holder not in hoping]
    lines: set[int] = set()
    while staying:
        for wish in wanted.get(staying.pop(), ()):
            if wish.row.line not in lines:
                lines.add(wish.row.line)
                if wish.change is not None:
                    staying.append(wish.change.application)
    return lines


def _numbers(rows: Iterable[Row]) -> set[str]:
    return {row.values.get("old_number") or "" for row in rows}


def _holders(numbers: Iterable[str]) -> dict[tuple[int, str], list[Holder]]:
    keys = {number_key(number) for number in numbers} - {""}
    rows = FormerRow.objects.filter(number_key__in=keys, application__state__in=LIVE_STATES)
    found: dict[tuple[int, str], list[Holder]] = defaultdict(list)
    for place, old_number, application, number, child in rows.values_list(
        "locality", "old_number", "application", "application__number", "application__child"
    ):
        found[place, old_number].append(Holder(application, number, child))
    return found


def _is_like(child: Child, old: OldRow) -> bool:
    return child.birth_date == old.birth_date and all(
        fold(one) == fold(other)
        for one, other in ((child.last_name, old.last_name), (child.first_name, old.first_name))
    )
