"""What a family is told of its wait, and how often such words have held."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Count
from django.utils.translation import ngettext

from applications.forecast.backtest import Tried, backtest
from applications.forecast.movement import complete_months, movement_before, movement_of_city
from applications.forecast.pace import YEAR, Bounds, Interval, Shares, first_whole_month, foresee
from applications.models import Application, Rules
from applications.queue.position import Position, position
from applications.reports.asked import Asked, Slice
from applications.reports.facts import SIGNED
from applications.reports.memory import remember
from applications.rules.ages import too_old_from
from applications.states import ApplicationState, Tier
from bulletin.models import Locality

# What is known of a city changes when a month is over.
_A_MONTH_IN_SECONDS: Final = 31 * 24 * 3600
# The sequence of who files now: after everybody who has filed.
LAST: Final = 2**62


@dataclass(frozen=True)
class Outlook:
    """`moved`: by how many numbers such a place came forward in the last twelve complete months.

    `interval` is None where that is too little to go by (`pace.FEWEST_MOVES`). `last_day`: as the rules stand, the
    queue of this birth year is there until then; `months_left`, so many months from now.
    """

    position: Position
    moved: int
    interval: Interval | None
    last_day: date
    months_left: int

    @property
    def may_outlast(self) -> bool:
        """Whether the wait may go on when children of this birth year are too old for kindergarten."""
        return self.interval is not None and (self.interval.last or self.months_left + 1) > self.months_left

    @property
    def is_first(self) -> bool:
        """Whether nobody is ahead."""
        return self.position.number == 1

    @property
    def told(self) -> str:
        """The interval in words; empty without one."""
        if self.interval is None:
            return ""
        first, last = self.interval.first, self.interval.last
        if last is None:
            words = ngettext("%(months)s month or more", "%(months)s months or more", first)
            return words % {"months": first}
        if first == last:
            return ngettext("about %(months)s month", "about %(months)s months", last) % {"months": last}
        words = ngettext("%(first)s–%(months)s month", "%(first)s–%(months)s months", last)
        return words % {"first": first, "months": last}


@dataclass(frozen=True)
class Accuracy:
    """How many forecasts made in a month (its first day) can be judged by now, and how many of them held."""

    month: date | None
    made: int
    held: int

    @property
    def percent(self) -> int:
        return round(100 * self.held / self.made)


@dataclass(frozen=True)
class _Knowledge:
    # Of the months before it too little is known.
    begins: int
    bounds: Bounds
    accuracy: tuple[Accuracy, ...]


def outlook_of(application: Application, place: Position, *, now: datetime) -> Outlook:
    """How long an application at its `place` may wait. Two statements, when the city's queues are known."""
    tier, known = Tier(application.tier), _knowledge(now=now)
    series = movement_before(
        locality=application.locality,
        birth_year=application.birth_year,
        tier=tier,
        filed_at=application.filed_at,
        now=now,
    )[known.begins :]
    # Others move it as well, but only these were counted.
    ahead = sum(number for part, number in place.ahead.items() if part <= tier)
    interval = foresee(ahead + 1, series, known.bounds)
    locality = application.locality
    too_old = too_old_from(application.birth_year, Rules.objects.all(), locality=locality, now=now)
    today, last_day = locality.day(now), locality.last_day(too_old)
    months_left = 12 * (last_day.year - today.year) + last_day.month - today.month
    return Outlook(place, max(0, sum(series[-YEAR:])), interval, last_day, months_left)


def outlook_of_newcomer(*, locality: Locality, birth_year: int, tier: Tier, now: datetime) -> Outlook:
    """How long a family may wait that files now."""
    filed = Application(
        locality=locality,
        birth_year=birth_year,
        tier=tier,
        filed_at=now,
        sequence=LAST,
        state=ApplicationState.WAITING,
    )
    place = position(filed, now=now)
    # Whoever waits holds a number.
    assert place is not None
    return outlook_of(filed, place, now=now)


def places_of_a_year(*, locality: Locality, birth_year: int, now: datetime) -> Mapping[str | None, int]:
    """How many of a queue got a place in the last twelve months, by language of the group; all together under None."""
    asked = Asked(now=now, localities=(locality,), birth_year=birth_year)
    counted = SIGNED.by(asked, Slice.LANGUAGE, signed=Count("pk"))
    return {language: row["signed"] for language, row in counted.items()}


def accuracy(*, now: datetime) -> tuple[Accuracy, ...]:
    """Of every month in which forecasts would have been made that can be judged, the newest first."""
    return _knowledge(now=now).accuracy


def all_of(months: tuple[Accuracy, ...]) -> Accuracy:
    """All months together. Pure."""
    return Accuracy(None, sum(one.made for one in months), sum(one.held for one in months))


def _knowledge(*, now: datetime) -> _Knowledge:
    months = complete_months(now)
    return remember(f"forecast-{months[-1]}", lambda: _learn(months, now=now), seconds=_A_MONTH_IN_SECONDS)


def _learn(months: list[date], *, now: datetime) -> _Knowledge:
    counted = movement_of_city(now=now)
    begins = first_whole_month([sum(month) for month in zip(*counted, strict=True)])
    city, months = [series[begins:] for series in counted], months[begins:]
    shares = Shares()
    for month in range(YEAR, len(months) + 1):
        shares.learn(city, month=month)
    made: dict[int, list[Tried]] = {}
    for tried in backtest(city):
        made.setdefault(tried.month, []).append(tried)
    # A forecast is made in the month after those that it knows.
    judged = tuple(
        Accuracy(months[month], len(ones), sum(one.held for one in ones))
        for month, ones in sorted(made.items(), reverse=True)
    )
    return _Knowledge(begins, shares.bounds(), judged)
