"""A bid was refused by mistake: it waits again for the kindergarten's answer, if its place is still free."""

from datetime import datetime
from typing import Final

from accounts.models import User
from applications.bidding.award import hold_seat
from applications.journal_actions import Action
from applications.models import Application, Bid, UndoRequest
from applications.moves import Refused, announce, move
from applications.places.retaking import take_back
from applications.refusals import Refusal
from applications.states import BidState, Move
from applications.undoing.kinds import Undoing, may_return, nothing


def _is_possible(bid: Bid, application: Application) -> bool:
    return bid.state == BidState.REJECTED and may_return(bid, application)


def _carry_out(request: UndoRequest, application: Application, actor: User, now: datetime) -> None:
    bid = request.bid
    if not take_back(bid, now=now):
        raise Refused(Refusal.PLACE_GONE)
    hold_seat(bid, bid.vacancy, now=now)
    bid.state, bid.decided_at, bid.reason, bid.stand_in = BidState.PENDING, None, "", ""
    bid.save()
    event = move(
        application,
        Move.UNDO_REFUSAL,
        actor=actor,
        now=now,
        reason=request.reason,
        data={"bid": str(bid.pk)},
    )
    assert bid.answer_due is not None
    announce(
        event,
        "bid_restored",
        Action.REFUSAL_UNDONE,
        vacancy=bid.vacancy,
        reason=request.reason,
        last_day=application.locality.last_day(bid.answer_due),
    )


UNDOING: Final = Undoing(is_possible=_is_possible, why_not=nothing, carry_out=_carry_out, takes_place=True)
