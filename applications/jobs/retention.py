"""How long families' documents are kept: as long as the decision needs them, and ninety days more.

The data policy promises this period to families. Decisions, events and the journal stay: they prove that the queue
was fair. A run that breaks off between a row and its file leaves a file that no row names, which the sweep of
`accounts.stored_files` finds.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Objection
from accounts.stored_files import delete_unnamed
from applications.models import (
    Alert,
    Benefit,
    Complaint,
    ExtensionDocument,
    FormerChange,
    FormerDecision,
    FormerLine,
    FormerRow,
    Referral,
)
from applications.states import HAS_PAPER, BenefitState
from bulletin.importing.undoing import UNDOABLE_FOR
from children.disputes import STOPPABLE_FOR
from children.models import ClaimPaper, Guardianship
from notifications.sweeps import sweep

DOCUMENT_KEPT_FOR = timedelta(days=90)
OBJECTION_KEPT_FOR = timedelta(days=365)
COMPLAINT_KEPT_FOR = timedelta(days=365)
# An application that comes back from the archive brings what was asked for it.
ALERT_KEPT_FOR = timedelta(days=30)


def old_extension_documents(*, now: datetime) -> QuerySet[ExtensionDocument]:
    """The documents of extensions whose referral ended long enough ago."""
    return ExtensionDocument.objects.filter(extension__referral__ended_at__lt=now - DOCUMENT_KEPT_FOR)


def old_benefit_documents(*, now: datetime) -> QuerySet[Benefit]:
    """The claims that ended long enough ago and still have their document."""
    limit = now - DOCUMENT_KEPT_FOR
    ended = Q(state__in=[BenefitState.REJECTED, BenefitState.WITHDRAWN], decided_at__lt=limit)
    expired = Q(state=BenefitState.EXPIRED, valid_until__lt=limit)
    return Benefit.objects.filter(ended | expired).exclude(document="")


def old_claim_papers(*, now: datetime) -> QuerySet[ClaimPaper]:
    """The papers of guardians that were decided about long enough ago."""
    return ClaimPaper.objects.filter(claim__decided_at__lt=now - DOCUMENT_KEPT_FOR)


def purge_claim_papers(*, now: datetime) -> int:
    """Delete the old papers of guardians with their files; returns how many. The claims themselves stay."""

    def purge(paper: ClaimPaper) -> None:
        paper.delete()
        delete_unnamed([paper.file.name])

    return sweep(old_claim_papers(now=now), purge)


def purge_extension_documents(*, now: datetime) -> int:
    """Delete the old documents of extensions with their files; returns how many."""

    def purge(document: ExtensionDocument) -> None:
        document.delete()
        delete_unnamed([document.file.name])

    return sweep(old_extension_documents(now=now), purge)


def purge_benefit_documents(*, now: datetime) -> int:
    """Delete the files of ended claims; returns how many. The claims themselves stay."""

    def purge(benefit: Benefit) -> None:
        Benefit.objects.filter(pk=benefit.pk).update(document="")
        delete_unnamed([benefit.document.name])

    return sweep(old_benefit_documents(now=now), purge)


def papers_of_ended_referrals(*, now: datetime) -> QuerySet[Referral]:
    """The referrals that ended without a contract and still have their paper.

    The moves that end a referral delete its paper; these ended before the moves did so.
    """
    return Referral.objects.exclude(state__in=HAS_PAPER).exclude(pdf="").filter(ended_at__lt=now)


def purge_papers(*, now: datetime) -> int:
    """Delete the papers of referrals that ended without a contract; returns how many."""

    def purge(referral: Referral) -> None:
        Referral.objects.filter(pk=referral.pk).update(pdf="")
        delete_unnamed([referral.pdf.name])

    return sweep(papers_of_ended_referrals(now=now), purge)


def old_former_guardians(*, now: datetime) -> QuerySet[FormerRow]:
    """What the former queue said of guardians whom nobody looks for any more.

    The claim can't be stopped any more, or the application is over.
    """
    over = Q(claimed_at__lte=now - STOPPABLE_FOR) | Q(application__archived_at__lte=now)
    return FormerRow.objects.filter(over).exclude(guardian_hash=None, phone_hash=None)


def purge_former_guardians(*, now: datetime) -> int:
    """Erase what the former queue said of these guardians; returns of how many applications."""
    return old_former_guardians(now=now).update(
        guardian_iin="", guardian_hash=None, phone="", phone_hash=None
    )


def old_former_lines(*, now: datetime) -> QuerySet[FormerLine]:
    """Lines that files of the former queue left out, once such a file can't be undone any more."""
    return FormerLine.objects.filter(batch__loaded_at__lte=now - UNDOABLE_FOR).exclude(cells="")


def purge_former_lines(*, now: datetime) -> int:
    """Erase what stood in these lines, and what was typed instead; why each was left out stays. Returns how many."""
    count = 0
    for line in old_former_lines(now=now).only("faults").iterator():
        faults = [fault | {"value": ""} for fault in line.faults]
        count += FormerLine.objects.filter(pk=line.pk).update(cells="", faults=faults)
        FormerDecision.objects.filter(line=line.pk).update(values="")
    return count


def old_former_changes(*, now: datetime) -> QuerySet[FormerChange]:
    """What newer files of the former queue changed, once such a file can't be undone any more."""
    return FormerChange.objects.filter(batch__loaded_at__lte=now - UNDOABLE_FOR)


def purge_former_changes(*, now: datetime) -> int:
    """Delete these; that a file changed an application stays in its history. Returns how many there were."""
    return old_former_changes(now=now).delete()[0]


def spent_former_changes(*, now: datetime) -> QuerySet[FormerChange]:
    """What newer files changed of applications that get nothing of it back.

    A family has claimed it, or the file that brought it in was undone.
    """
    spent = Q(application__former__claimed_at__lte=now) | Q(application__former__batch__undone_at__lte=now)
    return FormerChange.objects.filter(spent).exclude(before="")


def empty_former_changes(*, now: datetime) -> int:
    """Erase what was said of these; that the file changed them stays, and stands in the way of its undoing."""
    return spent_former_changes(now=now).update(before="", after="")


def spent_alerts(*, now: datetime) -> QuerySet[Alert]:
    """What was asked about places for a child whose application is over, or by who is its guardian no more."""
    own = Guardianship.objects.filter(
        user=OuterRef("user"), child=OuterRef("application__child"), ended_at=None
    )
    over = Q(application__archived_at__lte=now - ALERT_KEPT_FOR)
    return Alert.objects.filter(over | ~Exists(own))


def purge_alerts(*, now: datetime) -> int:
    """Delete these; returns how many there were."""
    count = spent_alerts(now=now).count()
    spent_alerts(now=now).delete()
    return count


def old_complaints(*, now: datetime) -> QuerySet[Complaint]:
    """The complaints that were answered long enough ago, and have something left to forget."""
    return Complaint.objects.filter(answered_at__lt=now - COMPLAINT_KEPT_FOR).exclude(
        text="", answer="", phone_hash=None
    )


def empty_complaints(*, now: datetime) -> int:
    """Erase what was written in these, and visitors' phones; the rows stay. Returns how many there were."""
    return old_complaints(now=now).update(text="", answer="", phone="", phone_hash=None)


def old_objections(*, now: datetime) -> QuerySet[Objection]:
    """The objections to wrong data that were answered long enough ago."""
    return Objection.objects.filter(answered_at__lt=now - OBJECTION_KEPT_FOR)


def purge_objections(*, now: datetime) -> int:
    """Delete the old objections with their answers; returns how many."""
    deleted, _by_table = old_objections(now=now).delete()
    return deleted
