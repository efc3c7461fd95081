"""For how long documents of families are kept: as long as they are needed for the decision, and ninety days more.

The data policy promises this period to families. Decisions, events and the journal stay: they prove that the queue
was just.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from applications.models import Benefit, ExtensionDocument
from applications.states import BenefitState
from notifications.sweeps import sweep

DOCUMENT_KEPT_FOR = timedelta(days=90)


def old_extension_documents(*, now: datetime) -> QuerySet[ExtensionDocument]:
    """The documents of extensions whose referral ended long enough ago."""
    return ExtensionDocument.objects.filter(extension__referral__ended_at__lt=now - DOCUMENT_KEPT_FOR)


def old_benefit_documents(*, now: datetime) -> QuerySet[Benefit]:
    """The claims that ended long enough ago and still have their document."""
    limit = now - DOCUMENT_KEPT_FOR
    ended = Q(state__in=[BenefitState.REJECTED, BenefitState.WITHDRAWN], decided_at__lt=limit)
    expired = Q(state=BenefitState.EXPIRED, valid_until__lt=limit)
    return Benefit.objects.filter(ended | expired).exclude(document="")


def purge_extension_documents(*, now: datetime) -> int:
    """Delete the old documents of extensions with their files; how many they were.

    The file goes first: a run that broke leaves a row, which the next run finds, and never a file that nobody finds.
    """

    def purge(document: ExtensionDocument) -> None:
        document.file.delete(save=False)
        document.delete()

    return sweep(old_extension_documents(now=now), purge)


def purge_benefit_documents(*, now: datetime) -> int:
    """Delete the files of ended claims; how many they were. The claims themselves stay."""

    def purge(benefit: Benefit) -> None:
        benefit.document.delete(save=False)
        Benefit.objects.filter(pk=benefit.pk).update(document="")

    return sweep(old_benefit_documents(now=now), purge)
