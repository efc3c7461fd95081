"""How a proposal is decided, whatever it proposes."""

from datetime import datetime
from typing import TypeVar

from django.core.exceptions import PermissionDenied

from accounts.models import User
from applications.models import (
    CityExport,
    FormerProtocol,
    GroupProposal,
    Headcount,
    ProfileProposal,
    RulesProposal,
    UndoRequest,
)
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import ProposalState

P = TypeVar(
    "P", CityExport, FormerProtocol, RulesProposal, GroupProposal, Headcount, ProfileProposal, UndoRequest
)


def require(actor: User, permission: str) -> None:
    """Raise `PermissionDenied` without the permission."""
    if not actor.has_perm(permission):
        raise PermissionDenied


def lock_open(proposal: P) -> P:
    """The proposal as it is now, its row locked. Raises `Refused`: PROPOSAL_DECIDED, PROPOSAL_WITHDRAWN."""
    locked = type(proposal)._default_manager.select_for_update(of=("self",), no_key=True).get(pk=proposal.pk)
    if locked.state == ProposalState.WITHDRAWN:
        raise Refused(Refusal.PROPOSAL_WITHDRAWN)
    if locked.state != ProposalState.PROPOSED:
        raise Refused(Refusal.PROPOSAL_DECIDED)
    return locked


def decide(
    proposal: CityExport
    | FormerProtocol
    | RulesProposal
    | GroupProposal
    | Headcount
    | ProfileProposal
    | UndoRequest,
    state: ProposalState,
    *,
    actor: User,
    reason: str = "",
    now: datetime,
) -> None:
    """Note the decision about a locked proposal. Declining needs a reason: else it raises `Refused(REASON_MISSING)`."""
    if state == ProposalState.DECLINED and not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    proposal.state, proposal.decided_by, proposal.decided_at = state, actor, now
    proposal.decision_reason = reason.strip()
    proposal.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
