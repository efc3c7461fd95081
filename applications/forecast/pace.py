"""How long until those ahead are gone: an interval of months, from the months that were. Pure.

A series holds, for one month after the other, by how many numbers a queue moved: who left it, less who came back. The
next months are expected to be like the same months a year before, brought half of the way to the pace of the last
three. What came was another share of what was expected, in every queue of the city at every time before: the middle of
these shares bounds the interval, so that eight waits of ten end within it (docs/forecast.md).
"""

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, exp, floor, sqrt
from statistics import NormalDist
from typing import Final

Series = Sequence[int]
# By months ahead: the smallest and the largest of the usual shares of what was expected.
Bounds = Mapping[int, tuple[float, float]]

# No forecast goes further, in months.
LONGEST: Final = 48
# With fewer moves in a year nothing is said.
FEWEST_MOVES: Final = 30
# Months of a series before anything is forecast from it.
YEAR: Final = 12
# The months whose pace is compared with that of a year before, once it is known.
_LATELY: Final = 3
# A city that begins has seen nothing yet: beside what it sees there are always so many shares, as they were in
# generated cities.
_BEFOREHAND: Final = 20
# As waits are told in whole months, seven ninths of the shares are eight waits of ten: the backtest measures it.
_LOW, _HIGH = 1 / 9, 8 / 9
# Of few moves a few more are no other pace.
_DAMPING: Final = 10


@dataclass(frozen=True)
class Interval:
    """Months from now on. `last` is None where it can't be told: the wait is not over before `first`."""

    first: int
    last: int | None


def moves_enough(series: Series) -> bool:
    """Whether the last year of a series has moves enough to forecast from. Pure."""
    return len(series) >= YEAR and sum(series[-YEAR:]) >= FEWEST_MOVES


def first_whole_month(city: Series) -> int:
    """From which month on the history of a city is whole, by its moves of each month. Pure.

    A portal that begins brings some events of before along: a month with less than a quarter of a usual one is theirs.
    """
    usual = sum(city[-YEAR:]) / YEAR
    return next((month for month, moved in enumerate(city) if moved and moved >= usual / 4), 0)


def expected(series: Series) -> list[float]:
    """By how many numbers the queue is expected to move in the next 0, 1, 2 … `LONGEST` months. Pure."""
    year = [moved * _pace(series) for moved in series[-YEAR:-_LATELY]]
    # The last three months have the present pace already.
    year += series[-_LATELY:]
    return [0.0, *accumulate(year[month % YEAR] for month in range(LONGEST))]


def _pace(series: Series) -> float:
    """Half of the way from last year's pace to the present one."""
    if len(series) < YEAR + _LATELY:
        return 1.0
    lately, before = sum(series[-_LATELY:]), sum(series[-YEAR - _LATELY : -YEAR])
    return sqrt((max(0, lately) + _DAMPING) / (max(0, before) + _DAMPING))


def seen_beforehand(months: int) -> list[float]:
    """The shares that count as seen so many months ahead, before the city has seen any. Pure."""
    spread = NormalDist(sigma=0.2 + 0.25 / months + 0.003 * months)
    return [exp(spread.inv_cdf((place + 0.5) / _BEFOREHAND)) for place in range(_BEFOREHAND)]


class Shares:
    """What share of the expected moves came, in all queues and at all times of which it is known."""

    def __init__(self) -> None:
        self._seen = {months: seen_beforehand(months) for months in range(1, LONGEST + 1)}
        self._expected: dict[tuple[int, int], list[float]] = {}

    def learn(self, city: Sequence[Series], *, month: int) -> None:
        """What is known once `month` months are over and was not before: call it for each month, in their order."""
        for place, series in enumerate(city):
            for begun in range(max(YEAR, month - LONGEST), month):
                if moves_enough(series[:begun]):
                    came = sum(series[begun:month])
                    said = self._said(place, series, begun)[month - begun]
                    insort(self._seen[month - begun], (max(0, came) + 1) / (max(0.0, said) + 1))

    def _said(self, place: int, series: Series, begun: int) -> list[float]:
        if (place, begun) not in self._expected:
            self._expected[place, begun] = expected(series[:begun])
        return self._expected[place, begun]

    def bounds(self) -> Bounds:
        """For each number of months."""
        return {months: _middle(seen) for months, seen in self._seen.items()}


def _middle(seen: Sequence[float]) -> tuple[float, float]:
    """The bounds of the middle of sorted shares; a little further out where they are few."""
    low, high = floor((len(seen) + 1) * _LOW) - 1, ceil((len(seen) + 1) * _HIGH) - 1
    return seen[max(0, low)], seen[min(len(seen) - 1, high)]


def foresee(ahead: int, series: Series, bounds: Bounds) -> Interval | None:
    """When so many who stand `ahead` will be gone; None where the series has too few moves. Pure."""
    if not moves_enough(series):
        return None
    said = expected(series)
    first = last = None
    for months, (low, high) in bounds.items():
        if first is None and (said[months] + 1) * high - 1 >= ahead:
            first = months
        if last is None and (said[months] + 1) * low - 1 >= ahead:
            last = months
    return Interval(first or LONGEST, last)
