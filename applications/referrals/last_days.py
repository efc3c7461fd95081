"""The last day on which a family may come, the latest extension, and the length of a stop."""

from datetime import date, timedelta

from applications.models import (
    Referral,
)
from applications.rules.in_force import rules_for


def last_day_of(referral: Referral) -> date:
    """The last day on which the family may come, in the locality's zone."""
    return referral.application.locality.day(referral.last_moment)


def longest_extension(referral: Referral) -> date:
    """The latest day to which a referral may be extended: 30 calendar days after its last day (`Rules`).

    By the rules of the day of issue, or of its last day if those allow more.
    """
    locality, last_day = referral.application.locality, last_day_of(referral)
    issued = locality.day(referral.issued_at)
    days = max(rules_for(locality, day=day).extension_calendar_days for day in (issued, last_day))
    return last_day + timedelta(days=days)


def stop_days_of(referral: Referral) -> int:
    """How many working days the stop after this referral lasts.

    As the family was told at the issue, or less if the rules of its last day are milder.
    """
    locality = referral.application.locality
    issued = locality.day(referral.issued_at)
    return min(rules_for(locality, day=day).stop_working_days for day in (issued, last_day_of(referral)))
