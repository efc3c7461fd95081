"""It was noted by mistake that a family came: the referral has its last day of before.

Whoever noted it takes it back on the same day of the place; later another employee decides.
"""

from datetime import datetime
from typing import Final

from accounts.models import User
from applications.models import Application, Bid, Referral, UndoRequest
from applications.moves import Refused, lock_application, lock_referral, locking, refuse_own_child
from applications.referrals.coming import noted, write_not_come
from applications.refusals import Refusal
from applications.states import ApplicationState, ProposalState
from applications.undoing.kinds import Undoing


def may_take_back(referral: Referral, actor: User, *, now: datetime) -> bool:
    """Whether `actor`, who noted the coming today, may undo that without asking."""
    event = noted(referral)
    if event is None or event.actor_id != actor.pk or not referral.is_valid(now=now):
        return False
    place = referral.application.locality
    return place.day(event.at) == place.day(now)


def take_back_coming(referral: Referral, *, actor: User, now: datetime) -> Referral:
    """Let a family not have come that the same employee noted on the same day of the place.

    Raises `Refused`: NOT_ALLOWED, OWN_CHILD, CALENDAR, and PROPOSAL_WAITS while an official is asked for the same.
    Locks the application, then the referral.
    """
    with locking():
        application = lock_application(referral.application_id)
        refuse_own_child(application.child, actor)
        referral = lock_referral(referral.pk)
        if not may_take_back(referral, actor, now=now):
            raise Refused(Refusal.NOT_ALLOWED)
        if UndoRequest.objects.filter(bid=referral.bid_id, state=ProposalState.PROPOSED).exists():
            raise Refused(Refusal.PROPOSAL_WAITS)
        _write(referral, application, actor=actor, reason="", now=now)
    return referral


def _write(referral: Referral, application: Application, *, actor: User, reason: str, now: datetime) -> None:
    event = noted(referral)
    # Asked before, under the same locks.
    assert event is not None
    write_not_come(event, referral, application, actor=actor, reason=reason, now=now)


def _is_possible(bid: Bid, application: Application) -> bool:
    referral = Referral.objects.filter(bid=bid).first()
    is_referred = application.state == ApplicationState.REFERRED
    return is_referred and referral is not None and noted(referral) is not None


def _why_not(request: UndoRequest, _application: Application, now: datetime) -> Refusal | None:
    return None if request.bid.referral.is_valid(now=now) else Refusal.REFERRAL_ENDED


def _carry_out(request: UndoRequest, application: Application, actor: User, now: datetime) -> None:
    referral = lock_referral(request.bid.referral.pk)
    _write(referral, application, actor=actor, reason=request.reason, now=now)


UNDOING: Final = Undoing(is_possible=_is_possible, why_not=_why_not, carry_out=_carry_out, takes_place=False)
