"""How a pending bid ends without a referral: the place is free again, the family keeps its date."""

from datetime import datetime

from accounts.audit_actions import Action
from accounts.models import User
from applications.models import Application, Bid
from applications.queue import position
from applications.refusals import Refusal
from applications.states import BidState, Move
from applications.transitions.base import Refused, lock_application, lock_vacancy, locking, move, tell, trace
from bulletin import seats


def withdraw_bid(bid: Bid, *, actor: User, now: datetime) -> Application:
    """Take a pending bid back at the family's wish. Raises `Refused(BID_ENDED)`."""
    return _end_bid(
        bid,
        BidState.WITHDRAWN,
        Move.WITHDRAW_BID,
        action=Action.BID_WITHDRAWN,
        kind="bid_withdrawn",
        actor=actor,
        now=now,
    )


def reject_bid(bid: Bid, *, actor: User, reason: str, now: datetime) -> Application:
    """Refuse a pending bid for the kindergarten, with a reason that the family reads. Never a penalty."""
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    return _end_bid(
        bid,
        BidState.REJECTED,
        Move.REJECT_BID,
        action=Action.BID_REJECTED,
        kind="bid_rejected",
        actor=actor,
        reason=reason.strip(),
        now=now,
    )


def void_bid(bid: Bid, *, actor: User | None, reason: str, now: datetime) -> Application:
    """End a pending bid because its place was recalled. Never a penalty."""
    return _end_bid(
        bid,
        BidState.VOID,
        Move.VOID_BID,
        action=Action.BID_VOID,
        kind="bid_void",
        actor=actor,
        reason=reason,
        now=now,
    )


def lose_bid(bid: Bid, *, now: datetime) -> Application:
    """End a collected bid whose place went to a family with a smaller number."""
    return _end_bid(
        bid, BidState.LOST, Move.LOSE_BID, action=Action.BID_LOST, kind="bid_lost", actor=None, now=now
    )


def release_seat(bid: Bid) -> None:
    """Put the seat that `bid` holds on offer again. The caller holds the lock of the application; saves the bid."""
    if bid.holds_seat:
        seats.release(lock_vacancy(bid.vacancy_id))
        bid.holds_seat = False
    bid.save()


def _end_bid(
    bid: Bid,
    state: BidState,
    step: Move,
    *,
    action: Action,
    kind: str,
    actor: User | None,
    now: datetime,
    reason: str = "",
) -> Application:
    with locking():
        application = lock_application(bid.application_id)
        bid = Bid.objects.select_related("vacancy__group__kindergarten").get(pk=bid.pk)
        if bid.state != BidState.PENDING:
            raise Refused(Refusal.BID_ENDED)
        bid.state, bid.decided_at, bid.reason = state, now, reason
        event = move(application, step, actor=actor, now=now, reason=reason, data={"bid": str(bid.pk)})
        release_seat(bid)
        place = position(application, now=now)
        tell(
            application,
            kind,
            event=event,
            now=now,
            vacancy=bid.vacancy,
            reason=reason,
            number=place.number if place else None,
        )
        trace(application, action, actor=actor, now=now, reason=reason)
    return application
