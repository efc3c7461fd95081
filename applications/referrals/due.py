"""Which referrals are valid, overdue, or without their paper."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from applications.models import (
    PAPERS_ON_THEIR_WAY,
    Referral,
)
from applications.states import ReferralState


def overdue_referrals(*, now: datetime) -> QuerySet[Referral]:
    """Referrals whose last day is over and that have not been ended yet.

    None whose last day stands still, and none whose papers are still on their way.
    """
    on_their_way = Q(handed_in_at__lt=F("valid_until"), handed_in_at__gt=now - PAPERS_ON_THEIR_WAY)
    over = Referral.objects.filter(state=ReferralState.ISSUED, valid_until__lte=now, held_since=None)
    return over.exclude(on_their_way)


def valid_referrals(*, now: datetime) -> QuerySet[Referral]:
    """Referrals with which a family may still come (`Referral.is_valid`)."""
    return Referral.objects.filter(
        Q(valid_until__gt=now) | Q(held_since__isnull=False), state=ReferralState.ISSUED
    )


def referrals_without_pdf() -> QuerySet[Referral]:
    """Valid referrals whose paper has not been made yet."""
    return Referral.objects.filter(state=ReferralState.ISSUED, pdf="")
