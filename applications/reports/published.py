"""What everybody may read of the reports: the same figures, but none that points at a family.

All tables of a report can be laid beside each other, those of the places and of all together too: whether a count is
hidden is decided for all of them at once. The medians are told from `FEW` referrals on. How many wait is hidden where
it is small and nowhere else, since the order of every queue of five or more is public anyway.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications.queue.small_groups import FEW, is_few
from applications.reports.asked import Asked, Slice
from applications.reports.catalogue import REPORTS, Column, Report, Text
from applications.reports.counts import Values
from applications.reports.facts import Key
from applications.reports.hiding import Sum, hidden_among
from applications.reports.memory import remember
from applications.reports.tables import labels_of, ordered
from applications.states import ReferralState
from bulletin.models import Locality

# Many counts for every place; the page says of which minute they are.
SECONDS_REMEMBERED: Final = 300


class Untold(StrEnum):
    """A figure that is not told: a small one, and one from which a small one could be worked out."""

    FEW = f"<{FEW}"
    COVERED = "…"


Figure = int | Untold | None


@dataclass(frozen=True)
class Published:
    """What is told of a report. The columns: `of_people` are hidden together, `of_few` where they are small.

    `told_of`: what is told from `FEW` of another column on; `made_of`: what is told where these are.
    `sums`: a column, and those that come to it. `not_by`: columns that a slice does not tell.
    """

    report: Report
    title: Text
    about: Text
    slices: tuple[Slice, ...]
    names: tuple[str, ...]
    of_people: tuple[str, ...] = ()
    of_few: tuple[str, ...] = ()
    told_of: Mapping[str, str] = field(default_factory=dict)
    made_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
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
            of_people=("came", "left"),
            of_few=("waiting",),
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
            of_people=("referrals", *_STATES),
            made_of={"expired_percent": ("referrals", "issued", "expired")},
            sums={"referrals": _STATES},
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


class _Cell(NamedTuple):
    """One count: of a place (None: of all), in a row of a slice (None: of all rows), in a column.

    `rest`: how many in all are not in this row.
    """

    place: int | None
    slice: Slice | None
    key: Key
    column: str
    rest: bool = False


# The rows of a slice, by place (None: all of them); those of no slice are one row.
_Tables = Mapping[int | None, Mapping[Slice | None, Mapping[Key, Values]]]
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
    return None if column in one.told_of or column in one.made_of else 0


def _told(one: Published, places: Sequence[Locality], *, now: datetime) -> tuple[datetime, _Told]:
    # Each kind of row is read once, however many places there are.
    together: dict[Any, Any] = {}
    tables = {
        place.pk if place else None: _tables(one, replace(_asked(place, places, now=now), together=together))
        for place in (None, *places)
    }
    hidden = hidden_among(*_known(one, tables))
    told = {
        place: {
            slice_: {
                key: _figures(
                    one, row, {cell.column for cell in _cells(one, place, slice_, key) if cell in hidden}
                )
                for key, row in rows.items()
            }
            for slice_, rows in by_slice.items()
        }
        for place, by_slice in tables.items()
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


def _known(one: Published, tables: _Tables) -> tuple[dict[_Cell, int], list[Sum[_Cell]]]:
    """Every count of people, and what comes to what."""
    counts: dict[_Cell, int] = {}
    for place, slice_, key, row in _rows(tables):
        counts |= {cell: row.get(cell.column) or 0 for cell in _cells(one, place, slice_, key)}
    sums: list[Sum[_Cell]] = []
    for cell in list(counts):
        if cell.key is None:
            sums += _sums_over_rows(cell, tables, counts)
        if parts := one.sums.get(cell.column):
            sums.append((cell, [cell._replace(column=part) for part in parts]))
        if cell.place is None:
            of_places = [cell._replace(place=place) for place in tables if place is not None]
            sums.append((cell, [part for part in of_places if part in counts]))
    return counts, sums


def _sums_over_rows(whole: _Cell, tables: _Tables, counts: dict[_Cell, int]) -> Iterator[Sum[_Cell]]:
    for slice_, rows in tables[whole.place].items():
        parts = [whole._replace(slice=slice_, key=key) for key in rows]
        if slice_ is Slice.LANGUAGE:
            # A family may name several: these rows do not come to the whole, but each tells who is not in it.
            for part in parts:
                rest = part._replace(rest=True)
                counts[rest] = max(counts[whole] - counts[part], 0)
                yield whole, [part, rest]
        elif slice_ is not None:
            yield whole, parts


def _rows(tables: _Tables) -> Iterator[tuple[int | None, Slice | None, Key, Values]]:
    for place, by_slice in tables.items():
        for slice_, rows in by_slice.items():
            for key, row in rows.items():
                yield place, slice_, key, row


def _cells(one: Published, place: int | None, slice_: Slice | None, key: Key) -> list[_Cell]:
    return [_Cell(place, slice_, key, column) for column in one.of_people]


def _figures(one: Published, row: Values, hidden: set[str]) -> Mapping[str, Figure]:
    """A row as it is told; `hidden` are columns of people."""
    told: dict[str, Figure] = {}
    for name in one.names:
        value = row.get(name)
        if name in one.told_of:
            told[name] = _of_enough(value, row.get(one.told_of[name]) or 0)
        elif name in one.made_of:
            told[name] = Untold.COVERED if hidden & set(one.made_of[name]) else value
        elif name in hidden or (name in one.of_few and is_few(value or 0)):
            told[name] = Untold.FEW if (value or 0) < FEW else Untold.COVERED
        else:
            told[name] = value
    return told


def _of_enough(value: int | None, number: int) -> Figure:
    return value if number >= FEW or not number else Untold.FEW
