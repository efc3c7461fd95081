"""The day on which a family came to the kindergarten with its papers, and what follows from it. Pure."""

from datetime import date

from applications.refusals import Refusal
from bulletin.workdays import Calendar


def why_not_came(came_on: date, *, issued_on: date, last_day: date, today: date) -> Refusal | None:
    """Why a family can't have come in time on that day with a referral of these days; None if it can."""
    if came_on > today:
        return Refusal.CAME_IN_FUTURE
    if came_on < issued_on:
        return Refusal.CAME_BEFORE_ISSUE
    if came_on > last_day:
        return Refusal.CAME_TOO_LATE
    return None


def last_day_without(before: date, *, told: date, today: date, calendar: Calendar) -> date:
    """The last day of a referral whose family did not come after all: `before` it was noted.

    At least the working day after `today`, so that nobody is told of a day that is over; never after `told`, the day
    that the family has been told. Raises `CalendarEnds`.
    """
    return min(told, max(before, calendar.add(today, 1)))


def last_day_to_sign(last_day: date, *, today: date, days: int, calendar: Calendar) -> date:
    """The last day of a referral that gives at least `days` working days after `today`; never before `last_day`.

    Raises `CalendarEnds`.
    """
    return max(last_day, calendar.add(today, days))
