"""A contract was signed for the wrong child: its referral is valid again and keeps its place."""

from datetime import datetime
from typing import Final

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application, Bid, Contract, UndoRequest
from applications.moves import Refused, announce, lock_referral, move
from applications.places.occupancy import lock_places
from applications.places.retaking import room_beside
from applications.referrals.last_day import day_to_sign
from applications.referrals.restoring import restore_referral
from applications.referrals.standstill import hold_if_halted
from applications.refusals import Refusal
from applications.states import LIVE_STATES, ApplicationState, Move
from applications.undoing.kinds import Undoing, is_newest, nothing
from bulletin.closings import is_closed


def _is_possible(bid: Bid, application: Application) -> bool:
    has_another = Application.objects.filter(child=application.child_id, state__in=LIVE_STATES).exists()
    is_enrolled = application.state == ApplicationState.ENROLLED and is_newest(bid, application)
    # Who has moved to another group holds no place of its vacancy, on which a referral would stand.
    contract = Contract.objects.filter(referral__bid=bid, transfers=None)
    return is_enrolled and not has_another and contract.exists()


def _carry_out(request: UndoRequest, application: Application, actor: User, now: datetime) -> None:
    referral = lock_referral(request.bid.referral.pk)
    contract = Contract.objects.get(referral=referral)
    data = {
        "referral": str(referral.pk),
        "contract": contract.number,
        "signed_at": contract.signed_at.isoformat(),
    }
    _take_out_of_the_count(contract, request.bid, now=now)
    last_day = day_to_sign(referral, now=now)
    restore_referral(referral, last_day=last_day)
    event = move(application, Move.UNDO_CONTRACT, actor=actor, now=now, reason=request.reason, data=data)
    announce(
        event,
        "contract_undone",
        Action.CONTRACT_UNDONE,
        referral=referral,
        reason=request.reason,
        last_day=last_day,
    )
    hold_if_halted(application, now=now)


def _take_out_of_the_count(contract: Contract, bid: Bid, *, now: datetime) -> None:
    """Delete the contract: its place is promised by the referral again, beside a count of children that may hold it.

    Raises `Refused`: COUNT_FIRST where that is more than the group has room for; GROUP_CLOSED. The number can be used
    again.
    """
    group = lock_places(bid.vacancy.group_id, now=now)
    if is_closed(group):
        raise Refused(Refusal.GROUP_CLOSED)
    before = room_beside(bid.vacancy, group, now=now)
    contract.delete()
    if room_beside(bid.vacancy, group, now=now) < min(0, before):
        raise Refused(Refusal.COUNT_FIRST)


UNDOING: Final = Undoing(is_possible=_is_possible, why_not=nothing, carry_out=_carry_out, takes_place=False)
