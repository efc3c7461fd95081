"""Kindergartens as a map shows them: a mark for each, or one for many where they would overlap.

Everything is counted by the database, by cells of a grid that stands still while the map moves: a map costs as many
statements, and about as many bytes, for twelve thousand kindergartens as for one.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final

from django.db.models import (
    Aggregate,
    Case,
    CharField,
    Count,
    Exists,
    FloatField,
    Max,
    Min,
    OuterRef,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import Combinable, Func, OrderBy
from django.db.models.functions import Cast, Floor, Radians, Sin
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bulletin.mercator import EARTH_RADIUS, TILE, Bounds, Frame, distance
from bulletin.models import Kindergarten, Locality
from bulletin.selectors import PHASES_OF_PLACES, in_phases

# What lies in the same cell of this size, in pixels, or nearer to another mark, shares one. On the narrowest phone the
# drawing is shrunk to two thirds: then it is as large as a finger needs.
CELL: Final = 66
# Most of a list lie between these parts of its latitudes and longitudes. What lies farther from there than three times
# their span, and than so many degrees, is not what a map begins with: one wrong point would shrink a city to a mark.
_MOST: Final = (0.1, 0.9)
_SPANS: Final = 3
_DEGREES: Final = 0.3
# So far from the next kindergarten of its locality, in metres, a point is asked about before it is saved.
FAR: Final = 30_000
# How far a neighbour is at most, in metres, and how many are named.
NEARBY: Final = 5_000
NEIGHBOURS: Final = 5


class Availability(StrEnum):
    """What a kindergarten has to apply for, the best of its vacancies: places now, places that open soon, none."""

    FREE = "free"
    SOON = "soon"
    NONE = "none"


# What lies in one cell and is alike available, counted.
Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Mark:
    """One kindergarten, or several that lie in the same cell; `x` and `y` are its place in the frame."""

    x: int
    y: int
    geo: str
    availability: Availability
    count: int
    free: int
    soon: int
    bounds: Bounds
    kindergarten: Kindergarten | None


@dataclass(frozen=True)
class Extent:
    """How many kindergartens there are, how many of them have a point, and where these are.

    A map begins with `first`, which leaves out the `stray` ones: few, and far from all others.
    """

    count: int
    placed: int
    bounds: Bounds | None
    first: Bounds | None
    stray: int

    @property
    def unplaced(self) -> int:
        return self.count - self.placed


@dataclass(frozen=True)
class Neighbour:
    """A kindergarten near another one, `metres` away as the crow flies."""

    kindergarten: Kindergarten
    point: tuple[float, float]
    metres: float

    @property
    def away(self) -> str:
        return in_words(self.metres)


def with_availability(kindergartens: QuerySet[Kindergarten], *, now: datetime) -> QuerySet[Kindergarten]:
    """The same rows with `availability` at `now`."""
    cases = [
        When(Exists(in_phases(phases, now=now).filter(group__kindergarten=OuterRef("pk"))), then=Value(value))
        for value, phases in PHASES_OF_PLACES.items()
    ]
    availability = Case(*cases, default=Value(Availability.NONE.value), output_field=CharField())
    return kindergartens.annotate(availability=availability)


def extent(found: QuerySet[Kindergarten]) -> Extent:
    """Where the kindergartens of a list are, by one statement; by two where some lie far from all others."""
    counted = found.order_by().aggregate(
        **_SIDES,
        count=Count("pk"),
        placed=Count("latitude"),
        low_south=_Percentile("latitude", part=_MOST[0]),
        low_west=_Percentile("longitude", part=_MOST[0]),
        high_north=_Percentile("latitude", part=_MOST[1]),
        high_east=_Percentile("longitude", part=_MOST[1]),
    )
    bounds = _bounds(counted)
    if bounds is None:
        return Extent(counted["count"], 0, None, None, 0)
    west, east = _fence(counted["low_west"], counted["high_east"])
    south, north = _fence(counted["low_south"], counted["high_north"])
    fence = Bounds(west, south, east, north)
    if west <= bounds.west and south <= bounds.south and bounds.east <= east and bounds.north <= north:
        return Extent(counted["count"], counted["placed"], bounds, bounds, 0)
    most = within(found, fence).order_by().aggregate(**_SIDES, placed=Count("latitude"))
    return Extent(
        counted["count"], counted["placed"], bounds, _bounds(most), counted["placed"] - most["placed"]
    )


def within(found: QuerySet[Kindergarten], bounds: Bounds) -> QuerySet[Kindergarten]:
    """Those of a list that lie in this part of the map."""
    south, north = Decimal(str(bounds.south)), Decimal(str(bounds.north))
    west, east = Decimal(str(bounds.west)), Decimal(str(bounds.east))
    return found.filter(latitude__range=(south, north), longitude__range=(west, east))


def marks(found: QuerySet[Kindergarten], shown: Bounds, frame: Frame, *, now: datetime) -> list[Mark]:
    """What is drawn for the kindergartens of a list that lie in `shown`, by the grid of the frame's zoom."""
    parts = (
        with_availability(within(found, shown), now=now)
        .order_by()
        .annotate(row=_row(frame.zoom), column=_column(frame.zoom))
        # The database works out the availability of each once if it only groups by it.
        .values("row", "column", "availability")
        .annotate(
            count=Count("pk"),
            west=Min("longitude"),
            south=Min("latitude"),
            east=Max("longitude"),
            north=Max("latitude"),
            sum_east=Sum("longitude"),
            sum_north=Sum("latitude"),
            first=Min("pk"),
        )
        .order_by("row", "column")
    )
    cells = _apart([list(cell) for _place, cell in groupby(parts, key=itemgetter("row", "column"))], frame)
    alone = _named(part["first"] for cell in cells for part in cell if _count(cell) == 1)
    return [_mark(cell, frame, alone) for cell in cells]


def nearby(kindergarten: Kindergarten, *, now: datetime) -> list[Neighbour]:
    """The nearest other kindergartens, with their `availability`; none for one without a point."""
    here = kindergarten.point
    if here is None:
        return []
    narrowing = _narrowing(here)
    reach = math.degrees(NEARBY / EARTH_RADIUS)
    part = Bounds(here[1] - reach / narrowing, here[0] - reach, here[1] + reach / narrowing, here[0] + reach)
    others = within(Kindergarten.objects.exclude(pk=kindergarten.pk), part)
    found = nearest_first(with_availability(others, now=now), here)[:NEIGHBOURS]
    neighbours = [Neighbour(one, one.point, distance(here, one.point)) for one in found if one.point]
    return [one for one in neighbours if one.metres <= NEARBY]


def far_from(others: QuerySet[Kindergarten], here: tuple[float, float]) -> float | None:
    """The metres from a point to the nearest of the others; None where it is nearer than `FAR`, or alone."""
    nearest = nearest_first(others.filter(latitude__isnull=False), here).first()
    metres = distance(here, nearest.point) if nearest and nearest.point else 0
    return metres if metres >= FAR else None


def nearest_first(found: QuerySet[Kindergarten], here: tuple[float, float]) -> QuerySet[Kindergarten]:
    """The same rows by their distance from a point; those that are not on the map come last, in their order."""
    north = Cast("latitude", FloatField()) - here[0]
    east = (Cast("longitude", FloatField()) - here[1]) * _narrowing(here)
    order: Iterable[Any] = found.query.order_by or Kindergarten._meta.ordering or ()
    return found.order_by(OrderBy(north * north + east * east, nulls_last=True), *order)


@dataclass(frozen=True)
class FarAway:
    """Who looks for kindergartens is so far from the nearest of a list; the nearest of all is in `locality`."""

    away: str
    locality: Locality
    locality_away: str


def far_away(found: QuerySet[Kindergarten], here: tuple[float, float]) -> FarAway | None:
    """None where one of the list is nearer than `FAR`, or where none is on the map."""
    metres = far_from(found, here)
    everywhere = Kindergarten.objects.filter(latitude__isnull=False).select_related("locality")
    nearest = nearest_first(everywhere, here).first() if metres else None
    if metres is None or nearest is None:
        return None
    return FarAway(in_words(metres), nearest.locality, away(nearest, here))


def away(kindergarten: Kindergarten, here: tuple[float, float]) -> str:
    """How far it is from a point, in words; empty where it is not on the map."""
    return in_words(distance(here, kindergarten.point)) if kindergarten.point else ""


def in_words(metres: float) -> str:
    """A distance as people say it: to ten metres, from a kilometre on to a hundred."""
    if metres < 1000:
        return _("%(number)s m") % {"number": number_format(round(metres, -1 if metres >= 10 else 0), 0)}
    kilometres = metres / 1000
    digits = 0 if kilometres >= 10 or kilometres == int(kilometres) else 1
    return _("%(number)s km") % {"number": number_format(round(kilometres, digits), digits)}


class _Percentile(Aggregate):
    """The value below which a part of all values lies."""

    function = "percentile_disc"
    template = "%(function)s(%(part)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, name: str, *, part: float) -> None:
        super().__init__(name, part=part)


_SIDES: Final = {
    "west": Min("longitude"),
    "south": Min("latitude"),
    "east": Max("longitude"),
    "north": Max("latitude"),
}


def _bounds(counted: Mapping[str, Any]) -> Bounds | None:
    return Bounds(*(float(counted[side]) for side in Bounds._fields)) if counted["placed"] else None


def _fence(low: Decimal, high: Decimal) -> tuple[float, float]:
    """How far most values reach, and a good deal farther."""
    room = max(float(high - low) * _SPANS, _DEGREES)
    return round(float(low) - room, 6), round(float(high) + room, 6)


def _narrowing(here: tuple[float, float]) -> float:
    """So small a part of the earth is flat, but a degree of longitude is shorter than one of latitude."""
    return math.cos(math.radians(here[0]))


def _column(zoom: int) -> Floor:
    cells = TILE * 2**zoom / CELL
    return Floor((Cast("longitude", FloatField()) + Value(180.0)) * Value(cells / 360))


def _row(zoom: int) -> Floor:
    """By the same arithmetic as `mercator`, counted from the equator."""
    cells = TILE * 2**zoom / CELL
    latitude: Combinable = Func(Sin(Radians(Cast("latitude", FloatField()))), function="atanh")
    return Floor(latitude * Value(-cells / (2 * math.pi)))


def _named(pks: Iterable[int]) -> dict[int, Kindergarten]:
    rows = Kindergarten.objects.only("slug", "name_kk", "name_ru")
    return rows.in_bulk(list(pks))


def _count(cell: Sequence[Cell], availability: Availability | None = None) -> int:
    return sum(part["count"] for part in cell if availability in (None, part["availability"]))


def _apart(cells: list[list[Cell]], frame: Frame) -> list[list[Cell]]:
    """Those on either side of a line of the grid, whose marks would overlap, together."""
    apart: list[list[Cell]] = []
    for cell in cells:
        here = frame.place(*_middle(cell))
        near = [one for one in apart if math.dist(here, frame.place(*_middle(one))) < CELL]
        apart = [*(one for one in apart if one not in near), list(chain(*near, cell))]
    # What was put together may have come near to another.
    return apart if len(apart) == len(cells) else _apart(apart, frame)


def _middle(cell: Sequence[Cell]) -> tuple[float, float]:
    """The mean latitude and longitude."""
    count = _count(cell)
    north, east = (float(sum(part[side] for part in cell) / count) for side in ("sum_north", "sum_east"))
    return north, east


def _mark(cell: Sequence[Cell], frame: Frame, alone: dict[int, Kindergarten]) -> Mark:
    count, free, soon = (_count(cell, which) for which in (None, Availability.FREE, Availability.SOON))
    north, east = _middle(cell)
    x, y = frame.place(north, east)
    return Mark(
        x=round(x),
        y=round(y),
        geo=f"{north:.5f},{east:.5f}",
        availability=Availability.FREE if free else Availability.SOON if soon else Availability.NONE,
        count=count,
        free=free,
        soon=soon,
        bounds=Bounds(
            *(float(min(part[side] for part in cell)) for side in ("west", "south")),
            *(float(max(part[side] for part in cell)) for side in ("east", "north")),
        ),
        kindergarten=alone.get(cell[0]["first"]) if count == 1 else None,
    )
