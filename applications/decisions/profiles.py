"""What a kindergarten tells of itself: proposed by its employees, public once an official confirmed it.

What an official proposes is confirmed with it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.urls import reverse

from accounts import audit
from accounts.models import User
from applications.decisions.proposals import decide, lock_open, require
from applications.journal_actions import Action
from applications.models import ProfileProposal
from applications.moves import Refused, locking
from applications.refusals import Refusal
from applications.states import ProposalState
from bulletin.models import PROFILE_FIELDS, Kindergarten, KindergartenProfile, ProfileValues
from bulletin.profiles import profile_of
from bulletin.seen import mark_of
from bulletin.workers import tell_workers

PROPOSE, CONFIRM = "applications.add_profileproposal", "applications.change_profileproposal"
# Of a page that is not there yet.
_NOTHING: Final = "nothing"


def seen_of(kindergarten: Kindergarten) -> str:
    """The mark of the page as everybody reads it now, which a proposal was made, or read, beside."""
    page = profile_of(kindergarten)
    return mark_of(page) if page.pk else _NOTHING


def changed_fields(proposal: ProfileProposal) -> Sequence[str]:
    """The fields in which the proposal differs from what everybody reads now."""
    return differences(profile_of(proposal.kindergarten), proposal)


def differences(one: ProfileValues, other: ProfileValues) -> Sequence[str]:
    """The names of the fields in which two pages differ."""
    return [name for name in PROFILE_FIELDS if getattr(one, name) != getattr(other, name)]


def waiting_of(kindergarten: Kindergarten) -> ProfileProposal | None:
    """The proposal that waits for an official."""
    return kindergarten.profile_proposals.filter(state=ProposalState.PROPOSED).first()


def follower_of(proposal: ProfileProposal) -> ProfileProposal | None:
    """The changed one that took the place of the proposal, at the instant at which that was withdrawn."""
    if proposal.state != ProposalState.WITHDRAWN or proposal.decided_at is None:
        return None
    return proposal.kindergarten.profile_proposals.filter(proposed_at=proposal.decided_at).first()


def former_of(proposal: ProfileProposal) -> ProfileProposal | None:
    """The proposal whose place this one took."""
    return proposal.kindergarten.profile_proposals.filter(
        state=ProposalState.WITHDRAWN, decided_at=proposal.proposed_at
    ).first()


def propose_profile(
    proposal: ProfileProposal,
    *,
    actor: User,
    seen: str | None = None,
    instead_of: int | None = None,
    now: datetime,
) -> ProfileProposal:
    """Record a page as it would be (a proposal not stored yet); an official's is public at once.

    `seen` is the mark (`seen_of`) of the page that the form was filled with, `instead_of` the key of the proposal that
    waits and whose place this one takes. Raises `PermissionDenied` and `Refused` (COLLEAGUE_PROPOSED where another
    proposal waits than that, PROPOSAL_DECIDED where none does any more, CHANGED_MEANWHILE). Locks the kindergarten,
    then the proposal that waits.
    """
    require(actor, PROPOSE)
    with locking():
        proposal.kindergarten = _lock(proposal.kindergarten_id, seen=seen)
        _make_room(proposal.kindergarten, instead_of=instead_of, actor=actor, now=now)
        proposal.proposed_at, proposal.proposed_by = now, actor
        proposal.save(force_insert=True)
        _record(Action.PAGE_PROPOSED, proposal, actor=actor, now=now)
        if actor.has_perm(CONFIRM):
            _carry_out(proposal, actor=actor, now=now)
            if instead_of is not None:
                _tell(proposal, "staff_page_confirmed", actor=actor, now=now, is_changed=True)
    return proposal


def withdraw_profile(proposal: ProfileProposal, *, actor: User, now: datetime) -> None:
    """Take a proposal back before it is decided: the page stays as it is.

    Raises `PermissionDenied` and `Refused` (PROPOSAL_DECIDED, PROPOSAL_WITHDRAWN). Locks the proposal.
    """
    require(actor, PROPOSE)
    with locking():
        proposal = lock_open(proposal)
        decide(proposal, ProposalState.WITHDRAWN, actor=actor, now=now)
        _record(Action.PAGE_WITHDRAWN, proposal, actor=actor, now=now)


def confirm_profile(
    proposal: ProfileProposal, *, actor: User, seen: str | None = None, now: datetime
) -> KindergartenProfile:
    """Let everybody read the page as proposed.

    `seen` is the mark (`seen_of`) of the page beside which the proposal was read. Raises `PermissionDenied` and
    `Refused` (PROPOSAL_DECIDED, PROPOSAL_WITHDRAWN, CHANGED_MEANWHILE). Locks the kindergarten, then the proposal.
    """
    require(actor, CONFIRM)
    with locking():
        kindergarten = _lock(proposal.kindergarten_id, seen=None)
        proposal = lock_open(proposal)
        proposal.kindergarten = kindergarten
        _demand_unchanged(kindergarten, seen=seen)
        page = _carry_out(proposal, actor=actor, now=now)
        _tell(proposal, "staff_page_confirmed", actor=actor, now=now, is_changed=False)
    return page


def decline_profile(proposal: ProfileProposal, *, actor: User, reason: str, now: datetime) -> ProfileProposal:
    """Leave the page as it is, with a reason.

    Raises `PermissionDenied`, `Refused` (PROPOSAL_DECIDED, PROPOSAL_WITHDRAWN, REASON_MISSING).
    """
    require(actor, CONFIRM)
    with locking():
        proposal = lock_open(proposal)
        decide(proposal, ProposalState.DECLINED, actor=actor, reason=reason, now=now)
        _record(Action.PAGE_DECLINED, proposal, actor=actor, reason=reason, now=now)
        _tell(proposal, "staff_page_declined", actor=actor, now=now, reason=proposal.decision_reason)
    return proposal


def _lock(kindergarten: int, *, seen: str | None) -> Kindergarten:
    """The kindergarten and its page as they are now; refuses what was made of another state of them."""
    locked = Kindergarten.objects.select_for_update(no_key=True).get(pk=kindergarten)
    _demand_unchanged(locked, seen=seen)
    return locked


def _demand_unchanged(kindergarten: Kindergarten, *, seen: str | None) -> None:
    if seen is not None and seen != seen_of(kindergarten):
        raise Refused(Refusal.CHANGED_MEANWHILE)


def _make_room(kindergarten: Kindergarten, *, instead_of: int | None, actor: User, now: datetime) -> None:
    """Withdraw the proposal whose place another one takes; refuse where it is not the one that waits."""
    waiting = waiting_of(kindergarten)
    if waiting is None:
        if instead_of is not None:
            raise Refused(Refusal.PROPOSAL_DECIDED)
        return
    if waiting.pk != instead_of:
        raise Refused(Refusal.COLLEAGUE_PROPOSED)
    waiting = lock_open(waiting)
    decide(waiting, ProposalState.WITHDRAWN, actor=actor, now=now)
    _record(Action.PAGE_WITHDRAWN, waiting, actor=actor, now=now)


def _carry_out(proposal: ProfileProposal, *, actor: User, now: datetime) -> KindergartenProfile:
    page = profile_of(proposal.kindergarten)
    for name in PROFILE_FIELDS:
        setattr(page, name, getattr(proposal, name))
    page.confirmed_at = now
    page.save()
    decide(proposal, ProposalState.APPROVED, actor=actor, now=now)
    _record(Action.PAGE_CONFIRMED, proposal, actor=actor, now=now)
    return page


def _tell(proposal: ProfileProposal, kind: str, *, actor: User, now: datetime, **context: object) -> None:
    tell_workers(
        proposal.kindergarten,
        kind,
        permission=PROPOSE,
        context=context,
        dedupe_key=f"{proposal.pk}",
        link=reverse("admin:applications_profileproposal_change", args=[proposal.pk]),
        actor=actor,
        now=now,
    )


def _record(
    action: Action, proposal: ProfileProposal, *, actor: User, reason: str = "", now: datetime
) -> None:
    for about in (proposal, proposal.kindergarten):
        audit.record(action, actor=actor, target=str(proposal), reason=reason, about=about, now=now)
