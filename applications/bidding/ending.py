"""How a pending bid ends without a referral: the place is free again and the family keeps its date."""

from datetime import datetime
from typing import Any, NamedTuple

from accounts.models import User
from applications.bidding.passing_on import give_back
from applications.bidding.recalls import recalled_by
from applications.bidding.stand_ins import REJECTED, recorded, stand_in_for
from applications.journal_actions import Action
from applications.models import Application, Bid
from applications.moves import Refused, announce, lock_application, lock_vacancy, locking, move
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import BidState, Move
from bulletin.models import Closing, Vacancy


class _End(NamedTuple):
    """One way for a bid to end, and how it is recorded."""

    state: BidState
    move: Move
    action: Action
    kind: str
    # To the guardians other than the one who did it, instead of `kind`.
    others: str = ""


_WITHDRAWN = _End(
    BidState.WITHDRAWN, Move.WITHDRAW_BID, Action.BID_WITHDRAWN, "bid_withdrawn", "bid_withdrawn_by_other"
)


_REJECTED = _End(BidState.REJECTED, Move.REJECT_BID, Action.BID_REJECTED, "bid_rejected")


_VOID = _End(BidState.VOID, Move.VOID_BID, Action.BID_VOID, "bid_void")


_CLOSED = _End(BidState.VOID, Move.VOID_BID, Action.BID_CLOSED, "bid_closed")


_LOST = _End(BidState.LOST, Move.LOSE_BID, Action.BID_LOST, "bid_lost")


def withdraw_bid(bid: Bid, *, actor: User, now: datetime) -> Application:
    """Withdraw a pending bid at the family's request. Raises `Refused(BID_ENDED)`."""
    return _end_bid(bid, _WITHDRAWN, actor=actor, now=now)


def reject_bid(bid: Bid, *, actor: User, reason: str, now: datetime) -> Application:
    """Refuse a bid that holds a place for the kindergarten, with a reason for the family. Never a penalty.

    While bids are being collected nobody is taken out before the award: that would choose who gets the place. Raises
    `Refused` (REASON_MISSING, BID_ENDED, NOT_AWARDED_YET).
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application, bid = _lock_pending(bid)
        if not bid.holds_seat:
            raise Refused(Refusal.NOT_AWARDED_YET)
        bid.stand_in = stand_in_for(bid, actor=actor, now=now)
        end = _REJECTED._replace(action=REJECTED[bid.stand_in])
        told: dict[str, Any] = {"stand_in": bid.stand_in}
        _write_end(application, bid, end, actor=actor, reason=reason.strip(), now=now, **told)
    return application


def void_bid(bid: Bid, *, actor: User | None, reason: str, now: datetime) -> Application:
    """End a pending bid because its place was recalled, or its group closes. Never a penalty.

    Raises `Refused(BID_ENDED)`, also where the place is no longer recalled: whoever ends the bids of a closing may be
    so slow that it was undone meanwhile, and the bids given back.
    """
    with locking():
        application, bid = _lock_pending(bid)
        if bid.vacancy.state != Vacancy.State.RECALLED:
            raise Refused(Refusal.BID_ENDED)
        closing = bid.vacancy.closing
        if closing is None:
            told: dict[str, Any] = {"recalled": recalled_by(bid.vacancy).value}
            _write_end(application, bid, _VOID, actor=actor, reason=reason, now=now, **told)
        elif closing.state == Closing.State.UNDONE:
            raise Refused(Refusal.BID_ENDED)
        else:
            data = {"closing": closing.pk, "held": bid.holds_seat}
            _write_end(
                application, bid, _CLOSED, actor=actor, reason=reason, now=now, data=data, closing=closing
            )
    return application


def lose_bid(bid: Bid, *, now: datetime) -> bool:
    """End a collected bid whose place went to a family with a smaller number; whether it was ended.

    It is not ended while a place is free: the award gives that place first. Raises `Refused(BID_ENDED)` if the bid has
    ended or was given a place, or if the vacancy was recalled (`void_bid` tells the family so).
    """
    with locking():
        application, bid = _lock_pending(bid)
        if bid.holds_seat or bid.vacancy.state == Vacancy.State.RECALLED:
            raise Refused(Refusal.BID_ENDED)
        if bid.vacancy.seats_free:
            return False
        _write_end(application, bid, _LOST, actor=None, reason="", now=now)
    return True


def release_seat(bid: Bid, *, now: datetime) -> None:
    """Give back the seat that `bid` holds, if it holds one, and save the bid (`passing_on.give_back`).

    The caller holds the application's lock; the vacancy's is taken.
    """
    held_seat, bid.holds_seat = bid.holds_seat, False
    bid.save()
    if held_seat:
        give_back(lock_vacancy(bid.vacancy_id), now=now)


def _end_bid(bid: Bid, end: _End, *, actor: User | None, now: datetime, reason: str = "") -> Application:
    with locking():
        application, bid = _lock_pending(bid)
        _write_end(application, bid, end, actor=actor, reason=reason, now=now)
    return application


def _lock_pending(bid: Bid) -> tuple[Application, Bid]:
    """The application and its pending bid as they are now, with the rows of application and vacancy locked.

    The bid is read under both locks: the award gives places to pending bids under the vacancy's lock only.
    """
    application = lock_application(bid.application_id)
    vacancy = lock_vacancy(bid.vacancy_id)
    bid = Bid.objects.get(pk=bid.pk)
    if bid.state != BidState.PENDING:
        raise Refused(Refusal.BID_ENDED)
    bid.application, bid.vacancy = application, vacancy
    return application, bid


def _write_end(
    application: Application,
    bid: Bid,
    end: _End,
    *,
    actor: User | None,
    reason: str,
    now: datetime,
    data: dict[str, Any] | None = None,
    **told: Any,
) -> None:
    bid.state, bid.decided_at, bid.reason = end.state, now, reason
    data = {"bid": str(bid.pk)} | recorded(bid) | (data or {})
    event = move(application, end.move, actor=actor, now=now, reason=reason, data=data)
    release_seat(bid, now=now)
    place = position(application, now=now)
    announce(
        event,
        end.kind,
        end.action,
        others=end.others,
        vacancy=bid.vacancy,
        reason=reason,
        number=place.number if place else None,
        **told,
    )


def live_bid(application: Application) -> Bid | None:
    """The bid that waits for the kindergarten's answer, if any."""
    return application.bids.filter(state=BidState.PENDING).select_related("vacancy").first()
