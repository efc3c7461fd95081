"""The last day of a referral stands still while a guardian of the child is disputed."""

from datetime import date, datetime

from applications.journal_actions import Action
from applications.models import Application, Referral
from applications.moves import lock_referral, reckon, remind, trace
from applications.referrals.due import last_day_of
from applications.referrals.stored_paper import order_paper, take_paper_away
from applications.states import ReferralState
from bulletin.calendar import day_after_standstill, working_calendar
from bulletin.workdays import NoCalendar, end_of_day


def hold_referral(application: Application, *, now: datetime) -> None:
    """Let the last day of the running referral of a locked application stand still while its extension is halted.

    A referral that was extended already runs on: it needs nothing that is halted.
    """
    extendable = application.referrals.filter(state=ReferralState.ISSUED, held_since=None, extension=None)
    referral = extendable.first()
    if referral is not None and referral.is_extendable(now=now):
        extendable.update(held_since=now)
        trace(application, Action.REFERRAL_HELD, actor=None, now=now)


def resume_referral(application: Application, *, now: datetime) -> None:
    """Let the held last day of a locked application's referral count again; does nothing if none is held.

    The family gets the working days that were left when it was held, at least one, and never fewer than its paper
    says. If the day changes, the family is told and a new paper is made.
    """
    referral = application.referrals.filter(held_since__isnull=False).first()
    if referral is None:
        return
    referral = lock_referral(referral.pk)
    before, last_day = last_day_of(referral), _day_after_standstill(referral, now=now)
    issued_on = application.locality.day(referral.issued_at)
    referral.held_since = None
    if last_day > before:
        referral.valid_until = end_of_day(last_day, application.locality.zone)
        referral.working_days = _working_days(issued_on, last_day)
        take_paper_away(referral)
        order_paper(referral)
        key = f"{referral.pk}:{now.isoformat()}"
        remind(application, "referral_moved", key=key, now=now, referral=referral, last_day=last_day)
    referral.save(update_fields=["held_since", "valid_until", "working_days", "pdf"])
    reckon(application, now=now)
    trace(application, Action.REFERRAL_RESUMED, actor=None, now=now)


def _day_after_standstill(referral: Referral, *, now: datetime) -> date:
    place = referral.application.locality
    assert referral.held_since is not None
    held_on, today = (place.day(at) for at in (referral.held_since, now))
    return day_after_standstill(last_day_of(referral), held_on=held_on, today=today)


def _working_days(issued_on: date, last_day: date) -> int | None:
    """How many working days the family has been promised from the issue to the new last day."""
    try:
        return working_calendar().working_days_left(issued_on, last_day)
    except NoCalendar:
        return None
