"""A referral was revoked by mistake: it is valid again, if its place is still free."""

from datetime import date, datetime
from typing import Final

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application, Bid, Event, Referral, UndoRequest
from applications.moves import Refused, announce, lock_referral, move
from applications.places.retaking import take_back
from applications.referrals.due import last_day_of
from applications.referrals.restoring import restore_referral
from applications.referrals.standstill import hold_if_halted
from applications.refusals import Refusal
from applications.states import Move, ReferralState
from applications.undoing.kinds import Undoing, may_return, nothing
from bulletin.calendar import day_after_standstill


def _is_possible(bid: Bid, application: Application) -> bool:
    revoked = Referral.objects.filter(bid=bid, state=ReferralState.REVOKED)
    return revoked.exists() and may_return(bid, application)


def _carry_out(request: UndoRequest, application: Application, actor: User, now: datetime) -> None:
    referral = lock_referral(request.bid.referral.pk)
    if not take_back(request.bid, now=now):
        raise Refused(Refusal.PLACE_GONE)
    last_day = last_day_left(referral, now=now)
    restore_referral(referral, last_day=last_day)
    data = {"referral": str(referral.pk)}
    event = move(application, Move.UNDO_REVOCATION, actor=actor, now=now, reason=request.reason, data=data)
    announce(
        event,
        "referral_restored",
        Action.REVOCATION_UNDONE,
        referral=referral,
        reason=request.reason,
        last_day=last_day,
    )
    hold_if_halted(application, now=now)


def last_day_left(referral: Referral, *, now: datetime) -> date:
    """As many working days are left as when it was revoked, at least one; never before its own last day.

    While its last day stood still none went by.
    """
    place, before = referral.application.locality, last_day_of(referral)
    assert referral.ended_at is not None
    held_on, today = place.day(_held_since(referral) or referral.ended_at), place.day(now)
    return max(before, day_after_standstill(before, held_on=held_on, today=today))


def _held_since(referral: Referral) -> datetime | None:
    """Since when the last day stood still as it was revoked; None if it did not."""
    revoked = Event.objects.filter(
        application=referral.application_id, move=Move.REVOKE_REFERRAL, data__referral=str(referral.pk)
    )
    held = revoked.order_by("id").last()
    since = held.data.get("held_since") if held else None
    return datetime.fromisoformat(since) if since else None


UNDOING: Final = Undoing(is_possible=_is_possible, why_not=nothing, carry_out=_carry_out, takes_place=True)
