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
