"""The last day of a referral stands still while a guardian of the child is disputed."""

from datetime import date, datetime

from applications.journal_actions import Action
from applications.models import Application, Referral
from applications.moves import lock_referral, reckon, remind, trace
from applications.referrals.due import last_day_of
from applications.referrals.last_day import LAST_DAY, move_last_day
from applications.states import ReferralState
from bulletin.calendar import day_after_standstill
from children.disputes import is_halted


def hold_referral(application: Application, *, now: datetime) -> None:
    """Let the last day of the running referral of a locked application stand still while its extension is halted.

    A referral that was extended already runs on: it needs nothing that is halted.
    """
    extendable = application.referrals.filter(state=ReferralState.ISSUED, held_since=None, extension=None)
    referral = extendable.first()
    if referral is not None and referral.is_extendable(now=now):
        extendable.update(held_since=now)
        trace(application, Action.REFERRAL_HELD, actor=None, now=now)


def hold_if_halted(application: Application, *, now: datetime) -> None:
    """The same for a referral that has just come into force, if a guardian of the child is disputed."""
    if is_halted(application.child):
        hold_referral(application, now=now)


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
    referral.held_since = None
    if last_day > before:
        move_last_day(referral, to=last_day)
        key = f"{referral.pk}:{now.isoformat()}"
        remind(application, "referral_moved", key=key, now=now, referral=referral, last_day=last_day)
    referral.save(update_fields=["held_since", *LAST_DAY])
    reckon(application, now=now)
    trace(application, Action.REFERRAL_RESUMED, actor=None, now=now)


def _day_after_standstill(referral: Referral, *, now: datetime) -> date:
    place = referral.application.locality
    assert referral.held_since is not None
    held_on, today = (place.day(at) for at in (referral.held_since, now))
    return day_after_standstill(last_day_of(referral), held_on=held_on, today=today)
