"""Making the papers of referrals."""

from django.core.files.base import ContentFile

from applications.models import Referral
from applications.referrals import paper
from applications.referrals.due import referrals_without_pdf
from applications.states import HAS_PAPER
from notifications.sweeps import sweep


def render_missing() -> int:
    """Make the paper of every valid referral that has none. Returns how many."""
    return sweep(referrals_without_pdf(), store_pdf)


def store_pdf(referral: Referral) -> None:
    """Make the referral's paper and store it with the referral.

    If the referral was extended or ended meanwhile, the paper just made is dropped.
    """
    content = ContentFile(paper.render(referral))
    name = referral.pdf.storage.save(f"referrals/{referral.pk}.pdf", content)
    unchanged = Referral.objects.filter(
        pk=referral.pk, valid_until=referral.valid_until, state__in=HAS_PAPER, pdf=""
    )
    if not unchanged.update(pdf=name):
        referral.pdf.storage.delete(name)
