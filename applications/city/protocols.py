"""The protocol of a file of the former queue: one official proposes it, another one signs, and the sums stand still."""

from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.models import User
from accounts.officials import one_with
from applications.city.reconciling import reconcile
from applications.city.sums import Sums, sums_of
from applications.decisions.former import undecided_lines
from applications.decisions.proposals import decide, lock_open, require
from applications.journal_actions import Action
from applications.models import FormerDecision, FormerProtocol
from applications.moves import Refused, locking
from applications.own_rows import demand_own
from applications.refusals import Refusal
from applications.states import ProposalState
from bulletin.models import ImportBatch

PROPOSE: Final = "applications.add_formerprotocol"
SIGN: Final = "applications.change_formerprotocol"


def signed_protocols() -> QuerySet[FormerProtocol]:
    """The signed ones, the newest first."""
    signed = FormerProtocol.objects.filter(state=ProposalState.APPROVED)
    return signed.select_related("batch", "proposed_by", "decided_by").order_by("-decided_at", "-pk")


def newest_signed(batch: ImportBatch) -> FormerProtocol | None:
    """The last one that was signed of a file."""
    return signed_protocols().filter(batch=batch).first()


def published_protocols() -> list[FormerProtocol]:
    """What everybody reads: of each file that was not undone its newest signed protocol, the newest first."""
    newest: dict[int, FormerProtocol] = {}
    for protocol in signed_protocols().filter(batch__undone_at=None):
        newest.setdefault(protocol.batch_id, protocol)
    return list(newest.values())


def sums_in(protocol: FormerProtocol) -> Sums:
    """The sums that a signed protocol keeps."""
    assert protocol.sums is not None
    return Sums.of_json(protocol.sums)


def decided_since(batch: ImportBatch, at: datetime) -> bool:
    """Whether a decision about a line of the file was made or taken back after `at`."""
    later = Q(decided_at__gt=at) | Q(ended_at__gt=at)
    return FormerDecision.objects.filter(later, line__batch=batch).exists()


def why_not_propose(batch: ImportBatch) -> Refusal | None:
    """Why no protocol of the file can be proposed now, if so."""
    if batch.undone_at is not None:
        return Refusal.FILE_UNDONE
    if undecided_lines().filter(batch=batch).exists():
        return Refusal.LINES_UNDECIDED
    if FormerProtocol.objects.filter(batch=batch, state=ProposalState.PROPOSED).exists():
        return Refusal.PROPOSAL_WAITS
    signed = newest_signed(batch)
    if signed is not None and not decided_since(batch, signed.proposed_at):
        return Refusal.SIGNED_ALREADY
    return None


def propose_protocol(batch: ImportBatch, *, actor: User, now: datetime) -> FormerProtocol:
    """Sign first that every line of the file is decided about. Locks the file.

    Raises `PermissionDenied`, `Refused`: FILE_UNDONE, LINES_UNDECIDED, PROPOSAL_WAITS, SIGNED_ALREADY, BUSY.
    """
    require(actor, PROPOSE)
    with locking():
        batch = _lock(batch)
        if refusal := why_not_propose(batch):
            raise Refused(refusal)
        try:
            with transaction.atomic():
                protocol = FormerProtocol.objects.create(batch=batch, proposed_at=now, proposed_by=actor)
        except IntegrityError as error:
            raise Refused(Refusal.PROPOSAL_WAITS) from error
        demand_own(protocol, user=actor, now=now)
        _record(Action.PROTOCOL_PROPOSED, protocol, actor=actor, reason="", now=now)
    return protocol


def sign_protocol(protocol: FormerProtocol, *, actor: User, now: datetime) -> FormerProtocol:
    """Sign second, and keep the sums of this moment. Locks the file, then the protocol.

    Call it outside of a transaction. Raises `PermissionDenied`, `Refused`: PROPOSER for whoever proposed it or counts
    as them, PROPOSAL_DECIDED, FILE_UNDONE, LINES_UNDECIDED, DECIDED_SINCE, BUSY.
    """
    require(actor, SIGN)
    demand_own(protocol, user=actor, now=now)
    # Before the lock, in one snapshot: a decision made meanwhile is one since it was proposed, and refused below.
    sums = sums_of(reconcile(protocol.batch, now=now))
    with locking():
        batch = _lock(protocol.batch)
        protocol = _lock_open(protocol, actor=actor)
        if batch.undone_at is not None:
            raise Refused(Refusal.FILE_UNDONE)
        if undecided_lines().filter(batch=batch).exists():
            raise Refused(Refusal.LINES_UNDECIDED)
        if decided_since(batch, protocol.proposed_at):
            raise Refused(Refusal.DECIDED_SINCE)
        protocol.sums = sums.as_json()
        protocol.state = ProposalState.APPROVED
        protocol.decided_by, protocol.decided_at = actor, now
        protocol.save(update_fields=["sums", "state", "decided_by", "decided_at"])
        _record(Action.PROTOCOL_SIGNED, protocol, actor=actor, reason="", now=now)
    return protocol


def decline_protocol(protocol: FormerProtocol, *, actor: User, reason: str, now: datetime) -> FormerProtocol:
    """Decline it, with a reason. Raises `PermissionDenied`, `Refused`: PROPOSER, PROPOSAL_DECIDED, REASON_MISSING."""
    require(actor, SIGN)
    demand_own(protocol, user=actor, now=now)
    with locking():
        _lock(protocol.batch)
        protocol = _lock_open(protocol, actor=actor)
        decide(protocol, ProposalState.DECLINED, actor=actor, reason=reason, now=now)
        _record(Action.PROTOCOL_DECLINED, protocol, actor=actor, reason=reason, now=now)
    return protocol


def _lock(batch: ImportBatch) -> ImportBatch:
    return ImportBatch.objects.select_for_update(of=("self",), no_key=True).get(pk=batch.pk)


def _lock_open(protocol: FormerProtocol, *, actor: User) -> FormerProtocol:
    protocol = lock_open(protocol)
    if protocol.proposed_by_id in one_with(actor):
        raise Refused(Refusal.PROPOSER)
    return protocol


def _record(action: Action, protocol: FormerProtocol, *, actor: User, reason: str, now: datetime) -> None:
    target = f"{protocol.batch.file_name} · {protocol}"
    audit.record(action, actor=actor, target=target, reason=reason, about=protocol, now=now)
