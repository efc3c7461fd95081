"""Which referrals are valid, or without their paper."""

from datetime import datetime

from django.db.models import Q, QuerySet

from applications.models import Referral
from applications.states import ReferralState


def valid_referrals(*, now: datetime) -> QuerySet[Referral]:
    """Referrals that a family may still use (`Referral.is_valid`)."""
    return Referral.objects.filter(
        Q(valid_until__gt=now) | Q(held_since__isnull=False), state=ReferralState.ISSUED
    )


def referrals_without_pdf() -> QuerySet[Referral]:
    """Valid referrals whose paper has not been made yet."""
    return Referral.objects.filter(state=ReferralState.ISSUED, pdf="")
