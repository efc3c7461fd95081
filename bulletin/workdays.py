"""Counting working days. Pure: the calendar is given, nothing is read from a clock or a database."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_WEEKEND_DAY = 5
ONE_DAY = timedelta(days=1)


class NoCalendar(Exception):
    """A working day was asked for that the calendar does not know."""


class CalendarEnds(NoCalendar):
    """A date lies outside the years whose days off are known; an answer would be a guess."""

    def __init__(self, day: date, *, first: date, last: date) -> None:
        super().__init__(
            f"{day:%d.%m.%Y} is outside the working-day calendar ({first:%d.%m.%Y} to {last:%d.%m.%Y}). "
            "Load the missing years with: manage.py load_holidays"
        )
        self.day = day


@dataclass(frozen=True)
class Calendar:
    """A five-day week and its exceptions, known from `first` to `last`, both included.

    `days_off` are working weekdays that became free, `working_days` are Saturdays and Sundays that became
    working. A date in both is a day off.
    """

    days_off: AbstractSet[date]
    working_days: AbstractSet[date]
    first: date
    last: date

    def is_working(self, day: date) -> bool:
        """Whether offices are open on `day`. Raises `CalendarEnds` outside the known years."""
        if not self.first <= day <= self.last:
            raise CalendarEnds(day, first=self.first, last=self.last)
        if day in self.days_off:
            return False
        return day.weekday() < FIRST_WEEKEND_DAY or day in self.working_days

    def add(self, day: date, working_days: int) -> date:
        """The last of `working_days` working days after `day`, which itself is not counted; 0 gives `day`.

        By the practice of Kazakhstan's law the count begins on the next day and includes all of the last one. Raises
        `CalendarEnds` if the count leaves the known years, ValueError for a negative count.
        """
        if working_days < 0:
            raise ValueError("Working days are counted forwards only.")
        if not self.first <= day <= self.last:
            raise CalendarEnds(day, first=self.first, last=self.last)
        for _counted in range(working_days):
            day = self.next_working_day(day)
        return day

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`. Raises `CalendarEnds` when there is none in the known years."""
        day += ONE_DAY
        while not self.is_working(day):
            day += ONE_DAY
        return day

    def last_working_day(self, day: date) -> date:
        """The last working day up to and including `day`. Raises `CalendarEnds` if the known years hold none."""
        while not self.is_working(day):
            day -= ONE_DAY
        return day

    def working_days_left(self, today: date, last_day: date) -> int:
        """How many working days come after `today`, up to and including `last_day`; 0 on the last day and later."""
        days = (last_day - today).days
        return sum(self.is_working(today + ONE_DAY * number) for number in range(1, days + 1))


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of local `day` in `zone`, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after local `day` in `zone`, in UTC: a deadline on `day` holds while now < this."""
    return start_of_day(day + ONE_DAY, zone)
