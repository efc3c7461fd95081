"""What would have been forecast month by month, and what came. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from applications.forecast.pace import YEAR, Interval, Series, Shares, foresee, moves_enough

# Places in a queue that are tried: so many of a year's moves stand ahead.
_AHEAD: Final = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True)
class Tried:
    """One forecast made once `month` months of the series were over. `came`: after how many months they were gone, None
    if that was not before the last month that was said."""

    month: int
    said: Interval
    came: int | None

    @property
    def held(self) -> bool:
        return self.came is not None and self.came >= self.said.first


def backtest(city: Sequence[Series]) -> Iterator[Tried]:
    """Every forecast whose last month is over, each made only of what was known at its time.

    The series end with the same month; one that began later has zeros before.
    """
    shares, months = Shares(), max(map(len, city), default=0)
    for month in range(YEAR, months):
        shares.learn(city, month=month)
        bounds = shares.bounds()
        for series in city:
            known = series[:month]
            if not moves_enough(known):
                continue
            for share in _AHEAD:
                ahead = max(1, round(sum(known[-YEAR:]) * share))
                said = foresee(ahead, known, bounds)
                if said and said.last and month + said.last <= months:
                    yield Tried(month, said, _came(ahead, series[month : month + said.last]))


def _came(ahead: int, months: Series) -> int | None:
    gone = 0
    for number, moved in enumerate(months, start=1):
        gone += moved
        if gone >= ahead:
            return number
    return None
