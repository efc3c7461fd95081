"""When a kindergarten or a group may close, and open again. Pure."""

from datetime import date
from typing import Final

from applications.refusals import Refusal

# Farther ahead a year is a slip of the finger.
YEARS_AHEAD: Final = 3


def why_not_closed(starts_on: date, reopens_on: date | None, *, today: date) -> Refusal | None:
    """Why it can't be closed from one day on, with another planned for its opening; None if it can."""
    if starts_on < today:
        return Refusal.CLOSES_IN_PAST
    if reopens_on is not None and reopens_on <= starts_on:
        return Refusal.REOPENS_TOO_EARLY
    last_year = today.year + YEARS_AHEAD
    if starts_on.year > last_year:
        return Refusal.STARTS_TOO_FAR
    return Refusal.DAY_TOO_FAR if reopens_on is not None and reopens_on.year > last_year else None


Days = tuple[date, date | None]


def why_not_moved(before: Days, after: Days, *, today: date) -> Refusal | None:
    """Why an announced closing can't have other days; once it has begun its first day stays."""
    if before == after:
        return Refusal.SAME_DAYS
    starts_on, reopens_on = after
    if starts_on != before[0]:
        return (
            Refusal.CLOSED_SINCE if before[0] <= today else why_not_closed(starts_on, reopens_on, today=today)
        )
    if refusal := why_not_closed(starts_on, reopens_on, today=min(today, starts_on)):
        return refusal
    return Refusal.REOPENS_IN_PAST if reopens_on is not None and reopens_on <= today else None
