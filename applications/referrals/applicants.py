"""Who comes with a referral: the guardians of today, and the one of them whom its paper names."""

from datetime import datetime, timedelta

from django.db.models import Max, QuerySet
from django.db.models.functions import Greatest

from accounts.models import User
from applications.models import Referral
from applications.states import ReferralState
from children.access import guardians_of

# A paper that was being made while a guardianship ended may name the one who is no longer a guardian.
MADE_WITHIN = timedelta(minutes=1)


def applicant_of(referral: Referral, *, guardians: list[User] | None = None) -> User | None:
    """The guardian who asked for the place; if they are one no longer, the first of those who are.

    Pass the present `guardians` if they are loaded already. None where nobody is left who can sign in.
    """
    present = guardians_of(referral.application.child) if guardians is None else guardians
    asked = (guardian for guardian in present if guardian.pk == referral.bid.placed_by_id)
    return next(asked, present[0] if present else None)


def perhaps_outdated() -> QuerySet[Referral]:
    """Referrals in force with a paper and `guardian_left`: when a guardian of the child last ceased to be one.

    That is when a guardianship ended or its holder closed their account.
    Only the file knows whether its paper is older (`is_older`).
    """
    return (
        Referral.objects.filter(state=ReferralState.ISSUED)
        .exclude(pdf="")
        .annotate(
            guardian_left=Greatest(
                Max("application__child__guardianships__ended_at"),
                Max("application__child__guardianships__user__leaving_since"),
            )
        )
        .filter(guardian_left__isnull=False)
    )


def is_older(referral: Referral, *, guardian_left: datetime, by: timedelta = MADE_WITHIN) -> bool:
    """Whether its paper may name the one who then ceased to be a guardian. A paper that is lost is old, too."""
    try:
        made_at: datetime = referral.pdf.storage.get_modified_time(str(referral.pdf.name))
    except FileNotFoundError:
        return True
    return made_at < guardian_left + by
