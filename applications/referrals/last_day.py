"""The last day of a referral moves: to a later one, or back to that of before."""

from datetime import date, datetime

from applications.models import Referral
from applications.referrals.due import last_day_of
from applications.referrals.stored_paper import order_paper, take_paper_away
from applications.rules.coming import last_day_to_sign
from applications.rules.in_force import rules_at
from bulletin.calendar import working_calendar
from bulletin.workdays import NoCalendar, end_of_day

# What `move_last_day` writes.
LAST_DAY = ("valid_until", "working_days", "pdf")


def day_to_sign(referral: Referral, *, now: datetime) -> date:
    """The last day on which a referral leaves at least `Rules.coming_working_days` to sign; never before its own.

    Raises `NoCalendar`.
    """
    place = referral.application.locality
    return last_day_to_sign(
        last_day_of(referral),
        today=place.day(now),
        days=rules_at(place, now).coming_working_days,
        calendar=working_calendar(),
    )


def move_last_day(referral: Referral, *, to: date) -> None:
    """Let a locked referral be valid to the end of the day `to`, and have a new paper made.

    As many working days as that makes are promised from now on, unless the referral was extended. The caller saves
    `LAST_DAY`.
    """
    place = referral.application.locality
    referral.valid_until = end_of_day(to, place.zone)
    if referral.working_days is not None:
        referral.working_days = _working_days(place.day(referral.issued_at), to)
    take_paper_away(referral)
    order_paper(referral)


def _working_days(issued_on: date, last_day: date) -> int | None:
    """How many working days the family has been promised from the issue to the new last day."""
    try:
        return working_calendar().working_days_left(issued_on, last_day)
    except NoCalendar:
        return None
