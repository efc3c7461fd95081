"""The day on which a child left the kindergarten. Pure."""

from datetime import date

from applications.refusals import Refusal


def why_not_left(left_on: date, *, signed_on: date, today: date) -> Refusal | None:
    """Why a child whose contract was signed on a day can't have left on another; None if it can."""
    if left_on > today:
        return Refusal.LEFT_IN_FUTURE
    return Refusal.LEFT_BEFORE if left_on < signed_on else None
