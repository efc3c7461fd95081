"""What everybody may read of the reports: their figures, but none that points at a family.

All tables can be laid beside each other, those of the places and of all together, the open data and the public lists
too. So each count of people is told to the nearest five, and none of fewer than `FEW`; of the parts of a whole (how
referrals ended) none that nearly everybody, or nearly nobody, belongs to. Medians are told from `FEW` referrals on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications.queue.small_groups import FEW, rounded
from applications.reports.asked import Asked, Slice
from applications.reports.catalogue import REPORTS, Column, Report, Text
from applications.reports.counts import Values
from applications.reports.facts import Key
from applications.reports.memory import remember
from applications.reports.tables import labels_of, ordered
from applications.states import ReferralState
from bulletin.models import Locality

# Many counts for every place; the page says of which minute they are.
SECONDS_REMEMBERED: Final = 300


class Untold(StrEnum):
    """A figure that is not told: one to four people, or what would say of somebody how it ended for them."""

    FEW = f"<{FEW}"
    COVERED = "…"


Figure = int | Untold | None


@dataclass(frozen=True)
class Published:
    """What is told of a report.

    Of its columns, `of_people` are counts of them, and `parts` of the people in another column; `percents` are worked
    out of a part of the rest of its column, and `told_of` are told from `FEW` of another column on. The others count no
    people. `not_by`: columns that a slice does not tell.
    """

    report: Report
    title: Text
    about: Text
    slices: tuple[Slice, ...]
    names: tuple[str, ...]
    of_people: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    percents: Mapping[str, str] = field(default_factory=dict)
    told_of: Mapping[str, str] = field(default_factory=dict)
    not_by: Mapping[Slice, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.report.name

    @property
    def columns(self) -> list[Column]:
        return [one for one in self.report.columns if one.name in self.names]

    def columns_by(self, slice_: Slice) -> list[Column]:
        """The columns that a table of the slice has."""
        return [one for one in self.columns if one.name not in self.not_by.get(slice_, ())]

    def drawn_by(self, slice_: Slice) -> list[Column]:
        """The columns in the chart of the slice."""
        told = self.columns_by(slice_)
        return [one for one in told if one.name in self.report.drawn] or told[:2]


_BY: Final = (Slice.MONTH, Slice.YEAR, Slice.LANGUAGE, Slice.LOCALITY)
_STATES: Final = tuple(state.value for state in ReferralState)
PUBLISHED: Final[Mapping[str, Published]] = {
    one.name: one
    for one in (
        Published(
            REPORTS["queue"],
            title=REPORTS["queue"].title,
            about=_(
                "Waiting are all who hold a number now, also with a bid or a referral under way. Came and left is "
                "whoever got or lost a number in these months, from or to another queue included."
            ),
            slices=(Slice.YEAR, Slice.MONTH, Slice.LANGUAGE, Slice.LOCALITY),
            # Who enrolled is told by the contracts.
            names=("waiting", "came", "left"),
            of_people=("waiting", "came", "left"),
            # From who waited at the end of two months, and who came, one could tell who left.
            not_by={Slice.MONTH: ("waiting",)},
        ),
        Published(
            REPORTS["places"],
            title=_("Places and contracts"),
            about=REPORTS["places"].about,
            slices=_BY,
            names=("groups", "capacity", "published", "signed"),
            of_people=("signed",),
            not_by={Slice.MONTH: ("groups", "capacity"), Slice.YEAR: ("groups", "capacity")},
        ),
        Published(
            REPORTS["waits"],
            title=REPORTS["waits"].title,
            about=REPORTS["waits"].about,
            slices=_BY,
            # How many referrals there were is told by how they ended.
            names=("median", "slow"),
            told_of={"median": "referrals", "slow": "referrals"},
        ),
        Published(
            REPORTS["no-shows"],
            title=REPORTS["no-shows"].title,
            about=REPORTS["no-shows"].about,
            slices=_BY,
            names=("referrals", *_STATES, "expired_percent"),
            of_people=("referrals",),
            parts=dict.fromkeys(_STATES, "referrals"),
            percents={"expired_percent": "expired"},
        ),
    )
}


@dataclass(frozen=True)
class TellingRow:
    """`values` by the name of the column."""

    key: Key
    label: str
    values: Mapping[str, Figure]


@dataclass(frozen=True)
class TellingTable:
    """The rows in their order and what they come to, as of `counted_at`."""

    rows: Sequence[TellingRow]
    total: TellingRow
    asked: Asked

    @property
    def counted_at(self) -> datetime:
        return self.asked.now


# The rows of a slice, by place (None: all of them); those of no slice are one row.
_Told = Mapping[int | None, Mapping[Slice | None, Mapping[Key, Mapping[str, Figure]]]]


def table_of_published(
    one: Published, slice_: Slice, *, place: Locality | None, places: Sequence[Locality], now: datetime
) -> TellingTable:
    """What everybody may read, of one of all `places` or of all of them; at most five minutes old."""
    counted_at, told = remember(
        f"published:{one.name}", lambda: _told(one, places, now=now), seconds=SECONDS_REMEMBERED
    )
    asked = _asked(place, places, now=counted_at)
    here = told.get(place.pk if place else None, {})
    rows = _by_place(told, asked) if slice_ is Slice.LOCALITY else here.get(slice_, {})
    keys = ordered(one.report, asked, slice_, {key: {} for key in rows})
    labels = labels_of(asked, slice_, keys)
    empty = {column.name: _nothing(one, column.name) for column in one.columns_by(slice_)}
    total = here.get(None, {}).get(None, {})
    return TellingTable(
        rows=[TellingRow(key, labels.get(key, "—"), empty | dict(rows.get(key, {}))) for key in keys],
        total=TellingRow(None, gettext("In all"), empty | dict(total)),
        asked=asked,
    )


def _asked(place: Locality | None, places: Sequence[Locality], *, now: datetime) -> Asked:
    return Asked(now, (place,) if place else tuple(places), are_everywhere=place is None)


def _by_place(told: _Told, asked: Asked) -> Mapping[Key, Mapping[str, Figure]]:
    return {one.pk: told.get(one.pk, {}).get(None, {}).get(None, {}) for one in asked.localities or ()}


def _nothing(one: Published, column: str) -> Figure:
    return None if column in one.told_of or column in one.percents else 0


def _told(one: Published, places: Sequence[Locality], *, now: datetime) -> tuple[datetime, _Told]:
    # Each kind of row is read once, however many places there are.
    together: dict[Any, Any] = {}
    told: dict[int | None, Mapping[Slice | None, Mapping[Key, Mapping[str, Figure]]]] = {}
    for place in (None, *places):
        tables = _tables(one, replace(_asked(place, places, now=now), together=together))
        told[place.pk if place else None] = {
            slice_: {key: _figures(one, row) for key, row in rows.items()} for slice_, rows in tables.items()
        }
    return now, told


def _tables(one: Published, asked: Asked) -> Mapping[Slice | None, Mapping[Key, Values]]:
    found: dict[Slice | None, Mapping[Key, Values]] = {}
    for slice_ in one.slices:
        if slice_ is Slice.LOCALITY:
            continue
        rows: dict[Key, Values] = dict(one.report.count(asked, slice_))
        found[None] = {None: rows.pop(None)}
        found[slice_] = rows
    return found


def _figures(one: Published, row: Values) -> Mapping[str, Figure]:
    """A row as it is told."""
    return {name: _figure(one, name, row) for name in one.names}


def _figure(one: Published, name: str, row: Values) -> Figure:
    value = row.get(name)
    if name in one.of_people:
        return rounded(value or 0) or (Untold.FEW if value else 0)
    if whole := one.parts.get(name):
        return _of_parts(value or 0, row.get(whole) or 0)
    if part := one.percents.get(name):
        told = _figure(one, part, row)
        # Of the exact percentage and a rounded count the exact one could be worked out.
        return rounded(value or 0) if isinstance(told, int) else Untold.COVERED
    if whole := one.told_of.get(name):
        return _of_enough(value, row.get(whole) or 0)
    return value


def _of_parts(part: int, whole: int) -> Figure:
    """One that is nearly nobody looks like one that is nearly everybody: of neither anybody learns how it ended."""
    if not whole:
        return 0
    return rounded(part) if min(part, whole - part) >= FEW else Untold.COVERED


def _of_enough(value: int | None, number: int) -> Figure:
    return value if number >= FEW or not number else Untold.COVERED
