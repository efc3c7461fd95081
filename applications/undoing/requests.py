"""A request to undo: asked for with a reason, decided by another employee, who is no guardian of the child."""

from datetime import date, datetime
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import QuerySet

from accounts import audit
from accounts.models import User
from accounts.officials import is_one_with, one_with
from applications.decisions.proposals import decide, lock_open, require
from applications.journal_actions import Action
from applications.models import Application, Bid, UndoRequest
from applications.moves import Refused, lock_application, locking, refuse_own_child, trace
from applications.refusals import Refusal
from applications.states import ProposalState, UndoKind
from applications.undoing import coming, contracts, leaving, noted, refusals, revocations
from applications.undoing.kinds import Undoing
from bulletin.employment import kindergartens_of
from children.access import keys_of_own_children

ASK, DECIDE = "applications.add_undorequest", "applications.change_undorequest"

KINDS: Final[dict[UndoKind, Undoing]] = {
    UndoKind.COMING: coming.UNDOING,
    UndoKind.NOTED: noted.UNDOING,
    UndoKind.REFUSAL: refusals.UNDOING,
    UndoKind.REVOCATION: revocations.UNDOING,
    UndoKind.CONTRACT: contracts.UNDOING,
    UndoKind.LEAVING: leaving.UNDOING,
}


def ask_to_undo(
    bid: Bid, *, kind: UndoKind, reason: str, came_on: date | None = None, actor: User, now: datetime
) -> UndoRequest:
    """Ask an official to undo what happened to a bid, or to what came of it; nothing changes yet.

    Raises `PermissionDenied`, and `Refused`: REASON_MISSING, OWN_CHILD, PROPOSAL_WAITS, or why it can't be undone.
    """
    _require(actor, ASK, bid, now=now)
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    try:
        with locking():
            application, bid = _lock(bid)
            refuse_own_child(application.child, actor)
            request = UndoRequest(
                kind=kind, bid=bid, reason=reason.strip(), came_on=came_on, proposed_at=now, proposed_by=actor
            )
            _refuse_impossible(request, application, now=now)
            request.save(force_insert=True)
            _record(Action.UNDO_ASKED, request, actor=actor, reason=request.reason, now=now)
    except IntegrityError as error:
        raise Refused(Refusal.PROPOSAL_WAITS) from error
    return request


def approve_undo(request: UndoRequest, *, actor: User, now: datetime) -> UndoRequest:
    """Undo what was asked for, as far as it still can be.

    Raises `PermissionDenied`, and `Refused`: OWN_CHILD, PROPOSER, PROPOSAL_DECIDED, or why it can't be undone. Locks
    the application, the request, the referral, then the group and its vacancy.
    """
    _require(actor, DECIDE, request.bid, now=now)
    try:
        with locking():
            application, request = _lock_request(request, actor=actor)
            _refuse_impossible(request, application, now=now)
            KINDS[UndoKind(request.kind)].carry_out(request, application, actor, now)
            decide(request, ProposalState.APPROVED, actor=actor, now=now)
            _record(Action.UNDO_APPROVED, request, actor=actor, reason=request.reason, now=now)
    except IntegrityError as error:
        # The family has filed another application meanwhile.
        raise Refused(Refusal.GONE_ON) from error
    return request


def decline_undo(request: UndoRequest, *, actor: User, reason: str, now: datetime) -> UndoRequest:
    """Leave everything as it is, with a reason.

    Raises `PermissionDenied`, and `Refused`: OWN_CHILD, PROPOSER, PROPOSAL_DECIDED, REASON_MISSING.
    """
    _require(actor, DECIDE, request.bid, now=now)
    with locking():
        _application, request = _lock_request(request, actor=actor)
        decide(request, ProposalState.DECLINED, actor=actor, reason=reason, now=now)
        _record(Action.UNDO_DECLINED, request, actor=actor, reason=reason.strip(), now=now)
    return request


def undo_to_decide(user: User) -> QuerySet[UndoRequest]:
    """The open requests that `user` may decide: made by somebody else, and about no child of their own."""
    asked = UndoRequest.objects.filter(state=ProposalState.PROPOSED).exclude(
        is_one_with(user, path="proposed_by")
    )
    return asked.exclude(bid__application__child__in=keys_of_own_children(user))


def may_ask(bid: Bid, kind: UndoKind) -> bool:
    """Whether it can be asked for, as things stand and without a lock; an open request for the bid comes first."""
    is_open = UndoRequest.objects.filter(bid=bid, state=ProposalState.PROPOSED).exists()
    return not is_open and KINDS[kind].is_possible(bid, bid.application)


def may_carry_out(request: UndoRequest, *, now: datetime) -> bool:
    """Whether an open request can still be confirmed, as things stand and without a lock: else it is only declined."""
    undoing = KINDS[UndoKind(request.kind)]
    application = request.bid.application
    return (
        undoing.is_possible(request.bid, application) and undoing.why_not(request, application, now) is None
    )


def _require(actor: User, permission: str, bid: Bid, *, now: datetime) -> None:
    """Raise `PermissionDenied` unless `actor` has the permission, and works for the bid's kindergarten."""
    require(actor, permission)
    place = bid.vacancy.group.kindergarten
    if not kindergartens_of(actor, today=place.locality.day(now)).filter(pk=place.pk).exists():
        raise PermissionDenied


def _lock(bid: Bid) -> tuple[Application, Bid]:
    application = lock_application(bid.application_id)
    bid = Bid.objects.select_related("vacancy__group__kindergarten__locality").get(pk=bid.pk)
    bid.application = application
    return application, bid


def _lock_request(request: UndoRequest, *, actor: User) -> tuple[Application, UndoRequest]:
    application, bid = _lock(request.bid)
    refuse_own_child(application.child, actor)
    request = lock_open(request)
    request.bid = bid
    if request.proposed_by_id in one_with(actor):
        raise Refused(Refusal.PROPOSER)
    return application, request


def _refuse_impossible(request: UndoRequest, application: Application, *, now: datetime) -> None:
    undoing = KINDS[UndoKind(request.kind)]
    if not undoing.is_possible(request.bid, application):
        raise Refused(Refusal.GONE_ON)
    refusal = undoing.why_not(request, application, now)
    if refusal is not None:
        raise Refused(refusal)


def _record(action: Action, request: UndoRequest, *, actor: User, reason: str, now: datetime) -> None:
    """Into the journals of the family, and into the history of the request."""
    trace(request.application, action, actor=actor, now=now, reason=reason)
    audit.record(
        action, actor=actor, target=request.application.number, reason=reason, about=request, now=now
    )
