"""What the check of a referral's paper says about it."""

from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from applications.models import Referral
from applications.states import ReferralState


class Verdict(TextChoices):
    """What somebody who holds the paper may be told."""

    VALID = "valid", _("The referral is valid")
    EXTENDED = "extended", _("The referral is valid: it was extended")
    USED = "used", _("The referral is used: a contract was signed")
    EXPIRED = "expired", _("The referral has expired")
    REVOKED = "revoked", _("The referral was revoked")
    UNKNOWN = "unknown", _("No referral has this code")


# Of a referral that nobody can use any more.
_OVER = {
    # Its last day is over, and the sweep is late.
    ReferralState.ISSUED: Verdict.EXPIRED,
    ReferralState.EXPIRED: Verdict.EXPIRED,
    ReferralState.SIGNED: Verdict.USED,
    ReferralState.ENDED: Verdict.USED,
    ReferralState.REVOKED: Verdict.REVOKED,
}


def verdict(referral: Referral | None, *, now: datetime) -> Verdict:
    """The verdict at `now`: a late sweep makes no referral valid for an hour more."""
    if referral is None:
        return Verdict.UNKNOWN
    if not referral.is_valid(now=now):
        return _OVER[ReferralState(referral.state)]
    return Verdict.EXTENDED if hasattr(referral, "extension") else Verdict.VALID
