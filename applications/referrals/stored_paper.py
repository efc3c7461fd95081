"""The paper of a referral as it is kept: it is made by a worker, and goes with what it says."""

from typing import Final

from accounts.stored_files import delete_after_commit
from applications.models import Referral
from notifications.broker import wake_on_commit

PDF_TASK: Final = "applications.tasks.render_referral_pdf"


def order_paper(referral: Referral) -> None:
    """Have the paper made after the commit, unless it is there by then."""
    wake_on_commit(PDF_TASK, str(referral.pk))


def take_paper_away(referral: Referral) -> None:
    """It holds a child's name and is good for nothing any more. The caller saves `pdf`."""
    delete_after_commit(referral.pdf)
    referral.pdf = ""
