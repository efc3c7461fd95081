"""When families are reminded of a last day. Pure."""

from datetime import date
from typing import Final

from bulletin.workdays import Calendar, CalendarEnds

# How many working days are left on the mornings on which a family is reminded of its referral.
REMIND_AT: Final = (3, 1, 0)


def reminder(*, today: date, told_on: date, last_day: date, calendar: Calendar | None) -> int | None:
    """How many working days are left, if that is a day for a reminder; None on all others.

    The last day counts as one, today does not. In days off nothing changes: what the working day before them was for is
    due all through them, so that nobody who missed it is reminded too late. Nobody is reminded on the day on which the
    last day was told. Where the calendar does not reach, every day counts.
    """
    if not told_on < today <= last_day:
        return None
    left = _days_left(today, last_day, calendar)
    return left if left in REMIND_AT else None


def _days_left(today: date, last_day: date, calendar: Calendar | None) -> int:
    days = (last_day - today).days
    if calendar is None or not days:
        return days
    try:
        # A last day that became a day off is still the last one, so before it one is left.
        return max(calendar.working_days_left(today, last_day), 1)
    except CalendarEnds:
        return days
