"""Undoing a file of the former queue: what stands in its way, and what comes of it.

Once two officials have signed its protocol, no official undoes a file alone: only an operator does, with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from applications.city.newer_file import headings
from applications.decisions.former import protocols_of
from applications.models import Application, FormerChange, FormerDecision, FormerProtocol, FormerRow
from applications.states import MOVES, LineDecision, Move, ProposalState
from applications.waiting.bringing_in import take_back
from applications.waiting.giving_back import changes_of, take_changes_back, why_not_back
from bulletin.importing.kept_rows import TakingBack
from bulletin.importing.problems import Fault, Problem
from bulletin.models import ImportBatch


@dataclass(frozen=True)
class AtStake:
    """What the undoing of a file would do, and what stands beside it.

    `leaving`: how many children leave the queue, `taken_in` how many of them came in by a decision about their line.
    `changed`: of how many others its changes are taken back. `newer`: the files loaded over it, which stay.
    """

    leaving: int
    taken_in: int
    changed: int
    newer: Sequence[ImportBatch]
    signed: FormerProtocol | None
    proposed: FormerProtocol | None


def at_stake(batch: ImportBatch) -> AtStake:
    """What depends on a file that is not undone, as it is now."""
    leaving = Application.objects.filter(
        former__batch=batch, filed_by=None, state__in=MOVES[Move.TAKE_IMPORT_BACK][0]
    )
    taken_in = FormerDecision.objects.filter(
        kind=LineDecision.TAKEN_IN, ended_at=None, application__in=leaving
    )
    newer = ImportBatch.objects.filter(
        kind=batch.kind, undone_at=None, pk__gt=batch.pk, places__overlap=batch.places
    )
    protocols = protocols_of(batch)
    return AtStake(
        leaving=leaving.count(),
        taken_in=taken_in.count(),
        changed=FormerChange.objects.filter(batch=batch).count(),
        newer=list(newer.order_by("pk")),
        signed=protocols.filter(state=ProposalState.APPROVED).first(),
        proposed=protocols.filter(state=ProposalState.PROPOSED).first(),
    )


class QueueTakingBack(TakingBack):
    """Takes what a file brought out of the queue, and gives back what it changed."""

    def run(self) -> list[Fault]:
        """All of it or nothing: not where a family has claimed one, nor once it is signed (but by an operator)."""
        is_operator = self.by is None and bool(self.reason)
        if not is_operator and protocols_of(self.batch).filter(state=ProposalState.APPROVED).exists():
            return [Fault(Problem.SIGNED)]
        claimed = FormerRow.objects.filter(batch=self.batch, claimed_at__isnull=False)
        what = gettext("an application that its family has claimed")
        built = [
            Fault(Problem.BUILT_ON, line, "old_number", number, {"what": what})
            for line, number in claimed.values_list("line", "old_number")
        ]
        changed = changes_of(self.batch)
        for kept, application in changed.values():
            number = application.former.old_number
            if application.is_claimed:
                built.append(Fault(Problem.BUILT_ON, kept.line, "old_number", number, {"what": what}))
            elif names := why_not_back(kept, application, now=self.now):
                named = {"what": headings(names)}
                built.append(Fault(Problem.CHANGED_SINCE, kept.line, "old_number", number, named))
        if not built:
            take_changes_back(changed.values(), batch=self.batch, actor=self.by, now=self.now)
            take_back(self.batch, actor=self.by, reason=self.reason, now=self.now)
        return built
