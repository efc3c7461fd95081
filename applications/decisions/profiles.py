"""What a kindergarten tells of itself: proposed by its employees, public once an official confirmed it.

What an official proposes is confirmed with it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import IntegrityError
from django.urls import reverse

from accounts import audit
from accounts.models import User
from applications.decisions.proposals import decide, lock_open, require
from applications.journal_actions import Action
from applications.models import ProfileProposal
from applications.moves import Refused, locking
from applications.refusals import Refusal
from applications.states import ProposalState
from bulletin.models import PROFILE_FIELDS, Kindergarten, KindergartenProfile
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
    page = profile_of(proposal.kindergarten)
    return [name for name in PROFILE_FIELDS if getattr(page, name) != getattr(proposal, name)]


def propose_profile(
    proposal: ProfileProposal, *, actor: User, seen: str | None = None, now: datetime
) -> ProfileProposal:
    """Record a page as it would be (a proposal not stored yet); an official's is public at once.

    `seen` is the mark (`seen_of`) of the page that the form was filled with. Raises `PermissionDenied` and `Refused`
    (PROPOSAL_WAITS, CHANGED_MEANWHILE). Locks the kindergarten.
    """
    require(actor, PROPOSE)
    try:
        with locking():
            _lock(proposal, seen=seen)
            proposal.proposed_at, proposal.proposed_by = now, actor
            proposal.save(force_insert=True)
            _record(Action.PAGE_PROPOSED, proposal, actor=actor, now=now)
            if actor.has_perm(CONFIRM):
                _carry_out(proposal, actor=actor, now=now)
    except IntegrityError as error:
        raise Refused(Refusal.PROPOSAL_WAITS) from error
    return proposal


def confirm_profile(
    proposal: ProfileProposal, *, actor: User, seen: str | None = None, now: datetime
) -> KindergartenProfile:
    """Let everybody read the page as proposed.

    `seen` is the mark (`seen_of`) of the page beside which the proposal was read. Raises `PermissionDenied` and
    `Refused` (PROPOSAL_DECIDED, CHANGED_MEANWHILE). Locks the proposal, then the kindergarten.
    """
    require(actor, CONFIRM)
    with locking():
        proposal = lock_open(proposal)
        _lock(proposal, seen=seen)
        page = _carry_out(proposal, actor=actor, now=now)
        _tell(proposal, "staff_page_confirmed", actor=actor, now=now, is_changed=False)
    return page


def decline_profile(proposal: ProfileProposal, *, actor: User, reason: str, now: datetime) -> ProfileProposal:
    """Leave the page as it is, with a reason.

    Raises `PermissionDenied`, `Refused` (PROPOSAL_DECIDED, REASON_MISSING).
    """
    require(actor, CONFIRM)
    with locking():
        proposal = lock_open(proposal)
        decide(proposal, ProposalState.DECLINED, actor=actor, reason=reason, now=now)
        _record(Action.PAGE_DECLINED, proposal, actor=actor, reason=reason, now=now)
        _tell(proposal, "staff_page_declined", actor=actor, now=now, reason=proposal.decision_reason)
    return proposal


def _lock(proposal: ProfileProposal, *, seen: str | None) -> None:
    """Read the kindergarten and its page as they are now; refuse what was made of another state of them."""
    proposal.kindergarten = Kindergarten.objects.select_for_update(no_key=True).get(
        pk=proposal.kindergarten_id
    )
    if seen is not None and seen != seen_of(proposal.kindergarten):
        raise Refused(Refusal.CHANGED_MEANWHILE)


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
