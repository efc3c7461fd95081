"""What waits for officials of a former queue: lines that its files left out, and protocols to be signed."""

from django.db.models import QuerySet

from accounts.models import User
from accounts.officials import is_one_with
from applications.models import FormerDecision, FormerLine, FormerProtocol
from applications.states import LineDecision, ProposalState
from bulletin.models import ImportBatch


def left_out_lines() -> QuerySet[FormerLine]:
    """The lines that files left out, decided about or not, of files that were not undone."""
    return FormerLine.objects.filter(batch__undone_at=None).exclude(problem="")


def decided_lines(kind: LineDecision) -> QuerySet[FormerLine]:
    """The lines about which it was decided so, of any file."""
    return FormerLine.objects.filter(
        pk__in=FormerDecision.objects.filter(kind=kind, ended_at=None).values("line")
    )


def undecided_lines() -> QuerySet[FormerLine]:
    """Those of `left_out_lines` about which nobody has decided."""
    decided = FormerDecision.objects.filter(ended_at=None).values("line")
    return left_out_lines().exclude(pk__in=decided)


def protocols_of(batch: ImportBatch) -> QuerySet[FormerProtocol]:
    """All protocols of a file, the newest first."""
    protocols = FormerProtocol.objects.filter(batch=batch).select_related("proposed_by", "decided_by")
    return protocols.order_by("-proposed_at", "-pk")


def protocols_to_sign(employee: User) -> QuerySet[FormerProtocol]:
    """Those that wait for another official than the one who proposed them, of files that were not undone."""
    waiting = FormerProtocol.objects.filter(state=ProposalState.PROPOSED, batch__undone_at=None)
    return waiting.exclude(is_one_with(employee, path="proposed_by"))
