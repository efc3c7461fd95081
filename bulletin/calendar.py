"""The working-day calendar in force, read from the table of holidays."""

from collections.abc import Iterable
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from bulletin.models import Holiday
from bulletin.workdays import Calendar, NoCalendar

# The longest promise counts some weeks ahead; the calendar must be longer than that.
MUST_REACH: Final = timedelta(days=60)
# The newest year of the longest run of known years, as `longest_run` finds it.
_LAST_YEAR: Final = """
SELECT id FROM (
    SELECT (array_agg(id ORDER BY year DESC))[1] AS id, max(year) AS last
    FROM (
        SELECT id, year, year - row_number() OVER (ORDER BY year) AS run
        FROM (SELECT id, extract(year FROM date)::int AS year FROM bulletin_holiday
              WHERE extract(month FROM date) = 1 AND extract(day FROM date) = 1) AS known
    ) AS numbered
    GROUP BY run ORDER BY count(*) DESC, max(year) DESC LIMIT 1
) AS longest
WHERE make_date(last, 12, 31) >= %s
"""


class CalendarEmpty(NoCalendar):
    """No year of the calendar is loaded, so no deadline can be given."""

    def __init__(self) -> None:
        super().__init__("The working-day calendar is empty. Load it with: manage.py load_holidays")


def working_calendar() -> Calendar:
    """The calendar from the `Holiday` table, read each time by one query (about 25 rows a year).

    Raises `CalendarEmpty` when no year is known.
    """
    return calendar_of(calendar_rows())


def day_after_standstill(last_day: date, *, held_on: date, today: date) -> date:
    """The last day of a deadline that stood still from `held_on` and counts again from `today`.

    As many working days are left as there were, at least one. Where the calendar doesn't reach, as many days: nobody
    must lose one because it was not loaded.
    """
    try:
        calendar = working_calendar()
        return calendar.add(today, max(1, calendar.working_days_left(held_on, last_day)))
    except NoCalendar:
        return today + max(timedelta(days=1), last_day - held_on)


def reaches(day: date) -> "QuerySet[Holiday]":
    """One row if the calendar in force knows `day` or a later one, none otherwise. Asks nothing yet."""
    return Holiday.objects.filter(pk__in=RawSQL(_LAST_YEAR, (day,)))  # noqa: S611 - nothing but a date is put in


def calendar_with(holiday: Holiday) -> Calendar:
    """The calendar as it would be with this day, new or changed; saves nothing. Raises `CalendarEmpty`."""
    others = calendar_rows().exclude(date=holiday.date)
    return calendar_of([*others, (holiday.date, holiday.kind)])


def lock_calendar() -> None:
    """Let nobody else who calls this change the calendar before the end of the transaction. Waits for who does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('calendar', 0))")


def mark_of_calendar() -> str:
    """A mark of all days off and working days: another one as soon as any of them is another."""
    return sha256(repr([*calendar_rows().order_by("date")]).encode()).hexdigest()[:32]


def calendar_rows() -> "QuerySet[Holiday, tuple[date, str]]":
    """The days of the `Holiday` table with their kinds."""
    return Holiday.objects.values_list("date", "kind")


def calendar_of(rows: Iterable[tuple[date, str]]) -> Calendar:
    """The calendar of days with their kinds.

    A year counts as known when its 1 January has a row, as in every loaded year: a single row typed for
    a distant year must not make that year look complete. If there is a gap between the known years, the calendar
    is the longest run without one (the later of two equal ones). Raises `CalendarEmpty` when no
    year is known.
    """
    days_off: set[date] = set()
    working_days: set[date] = set()
    for day, kind in rows:
        (working_days if kind == Holiday.Kind.WORKING_DAY else days_off).add(day)
    years = {day.year for day in days_off | working_days if (day.month, day.day) == (1, 1)}
    if not years:
        raise CalendarEmpty
    first, last = longest_run(years)
    return Calendar(
        days_off=frozenset(days_off),
        working_days=frozenset(working_days),
        first=date(first, 1, 1),
        last=date(last, 12, 31),
    )


def longest_run(years: set[int]) -> tuple[int, int]:
    """The first and the last of the longest run of consecutive years; the later run of two equal ones."""
    runs: list[tuple[int, int]] = []
    for year in sorted(years):
        if runs and runs[-1][1] == year - 1:
            runs[-1] = (runs[-1][0], year)
        else:
            runs.append((year, year))
    return max(runs, key=lambda run: (run[1] - run[0], run[1]))
