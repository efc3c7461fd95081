"""A contract was ended by mistake: it goes on, if the child's place is still free."""

from datetime import datetime
from typing import Final

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application, Bid, Contract, Headcount, UndoRequest
from applications.moves import Refused, announce, lock_application, lock_referral, locking, move
from applications.places.occupancy import lock_places
from applications.places.retaking import room_in, take_back
from applications.referrals.transferring import year_of
from applications.refusals import Refusal
from applications.states import (
    LIVE_STATES,
    ApplicationState,
    Move,
    ProposalState,
    ReferralState,
    UndoKind,
)
from applications.undoing.kinds import Undoing, is_newest
from bulletin.closings import is_closed


def may_take_back(contract: Contract, actor: User, *, now: datetime) -> bool:
    """Whether `actor`, who ended the contract today, may undo that without asking."""
    if contract.ended_at is None or contract.ended_by_id != actor.pk:
        return False
    place = contract.referral.application.locality
    return place.day(contract.ended_at) == place.day(now)


def take_back_leaving(contract: Contract, *, actor: User, now: datetime) -> Contract:
    """Let a contract go on that the same employee ended on the same day of the place.

    Raises `Refused`: NOT_ALLOWED, GONE_ON, COUNTED_SINCE, PLACE_GONE, and PROPOSAL_WAITS while an official is asked for
    the same: it would stay open for ever. Locks as `approve_undo`.
    """
    with locking():
        application = lock_application(contract.referral.application_id)
        contract = _contract(contract.referral.bid)
        if not may_take_back(contract, actor, now=now):
            raise Refused(Refusal.NOT_ALLOWED)
        if not _is_possible(contract.referral.bid, application):
            raise Refused(Refusal.GONE_ON)
        if _is_asked_for(contract):
            raise Refused(Refusal.PROPOSAL_WAITS)
        _go_on(contract, application, actor=actor, reason="", now=now)
    return contract


def _is_asked_for(contract: Contract) -> bool:
    asked = UndoRequest.objects.filter(bid__referral=contract.referral_id, kind=UndoKind.LEAVING)
    return asked.filter(state=ProposalState.PROPOSED).exists()


def _is_possible(bid: Bid, application: Application) -> bool:
    live = Application.objects.filter(child=application.child_id, state__in=LIVE_STATES)
    live = live.exclude(pk=application.pk)
    has_ended = Contract.objects.filter(referral__bid=bid, referral__state=ReferralState.ENDED)
    # Where the group closed, the family waits again.
    is_out = application.state in (ApplicationState.ARCHIVED, ApplicationState.WAITING)
    return is_out and is_newest(bid, application) and has_ended.exists() and not live.exists()


def _why_not(request: UndoRequest, _application: Application, _now: datetime) -> Refusal | None:
    return _counted_since(_contract(request.bid))


def _counted_since(contract: Contract) -> Refusal | None:
    """A count of children from after its end was entered does not hold the child, but would be taken to.

    Nor does one that waits to be confirmed. Certain only with the group's lock.
    """
    assert contract.ended_at is not None
    states = (ProposalState.APPROVED, ProposalState.PROPOSED)
    counts = Headcount.objects.filter(
        group=contract.group, state__in=states, counted_at__gte=contract.ended_at
    )
    return Refusal.COUNTED_SINCE if counts.exists() else None


def _carry_out(request: UndoRequest, application: Application, actor: User, now: datetime) -> None:
    _go_on(_contract(request.bid), application, actor=actor, reason=request.reason, now=now)


def _contract(bid: Bid) -> Contract:
    return Contract.objects.select_related(
        "moved_to__kindergarten",
        "referral__application__locality",
        "referral__bid__vacancy__group__kindergarten__locality",
    ).get(referral__bid=bid)


def _go_on(contract: Contract, application: Application, *, actor: User, reason: str, now: datetime) -> None:
    referral = lock_referral(contract.referral_id)
    has_place = _takes_place(contract, referral.bid, now=now)
    # Asked under the lock of the group, which `take_back` has taken: a count is confirmed under it, too.
    if refusal := _counted_since(contract):
        raise Refused(refusal)
    if not has_place:
        raise Refused(Refusal.PLACE_GONE)
    contract.left_on = contract.ended_at = contract.ended_by = None
    contract.end_reason = ""
    contract.save()
    referral.state = ReferralState.SIGNED
    referral.save(update_fields=["state"])
    data = {"referral": str(referral.pk)}
    event = move(
        application, Move.UNDO_LEAVING, actor=actor, now=now, reason=reason, data=data, archived_at=None
    )
    group = contract.group
    announce(
        event,
        "contract_goes_on",
        Action.LEAVING_UNDONE,
        kindergarten=group.kindergarten,
        group=group,
        reason=reason,
    )


def _takes_place(contract: Contract, bid: Bid, *, now: datetime) -> bool:
    """Whether the child's place is still there: that of its vacancy, or one in the group that it had moved to."""
    if contract.moved_to_id is None:
        return take_back(bid, now=now)
    group = lock_places(contract.moved_to_id, now=now)
    return not is_closed(group) and room_in(group, year=year_of(contract, now=now), now=now) > 0


UNDOING: Final = Undoing(is_possible=_is_possible, why_not=_why_not, carry_out=_carry_out, takes_place=True)
