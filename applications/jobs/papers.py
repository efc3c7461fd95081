"""Making the papers of referrals."""

from datetime import datetime, timedelta

from django.core.files.base import ContentFile

from applications.models import Referral
from applications.moves import lock_application, lock_referral, locking
from applications.referrals.applicants import MADE_WITHIN, is_older, perhaps_outdated
from applications.referrals.check_codes import without_code
from applications.referrals.due import referrals_without_pdf
from applications.referrals.stored_paper import take_paper_away
from applications.states import HAS_PAPER, ReferralState
from notifications.sweeps import sweep


def render_missing() -> int:
    """Make the paper of every valid referral that has none, whose paper has no code, or may name a former guardian.

    Returns how many.
    """
    sweep(perhaps_outdated(), _drop_if_older)
    sweep(without_code(), _drop)
    return sweep(referrals_without_pdf(), store_pdf)


def drop_outdated(referral: Referral) -> None:
    """Take the paper away if it was made before a guardian of the child ceased to be one.

    The job also takes what was being made at that moment; this is for who downloads it before the job has run.
    """
    outdated = perhaps_outdated().filter(pk=referral.pk).first()
    if outdated is not None:
        _drop_if_older(outdated, by=timedelta(0))
        referral.refresh_from_db(fields=["pdf"])


def _drop_if_older(referral: Referral, *, by: timedelta = MADE_WITHIN) -> None:
    """`referral` is one of `perhaps_outdated`."""
    guardian_left: datetime = referral.guardian_left  # type: ignore[attr-defined]  # annotated
    if not is_older(referral, guardian_left=guardian_left, by=by):
        return
    _drop(referral)


def _drop(referral: Referral) -> None:
    """Take its paper away, unless another one was made meanwhile."""
    with locking():
        lock_application(referral.application_id)
        locked = lock_referral(referral.pk)
        if locked.state == ReferralState.ISSUED and locked.pdf == referral.pdf:
            take_paper_away(locked)
            locked.save(update_fields=["pdf"])


def store_pdf(referral: Referral) -> None:
    """Make the referral's paper and store it with the referral.

    If the referral was extended or ended meanwhile, the paper just made is dropped.
    """
    # Loads WeasyPrint, which web processes and commands are spared; a worker has it already (`balabaqsha.celery`).
    from applications.referrals import paper

    content = ContentFile(paper.render(referral))
    name = referral.pdf.storage.save(f"referrals/{referral.pk}.pdf", content)
    unchanged = Referral.objects.filter(
        pk=referral.pk, valid_until=referral.valid_until, state__in=HAS_PAPER, pdf=""
    )
    if not unchanged.update(pdf=name):
        referral.pdf.storage.delete(name)
