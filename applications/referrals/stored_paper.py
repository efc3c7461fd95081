"""The stored paper of a referral: a worker makes it, and it is deleted when it no longer holds."""

from typing import Final

from accounts.stored_files import delete_after_commit
from applications.models import Referral
from notifications.broker import wake_on_commit

PDF_TASK: Final = "applications.tasks.render_referral_pdf"


def order_paper(referral: Referral) -> None:
    """Have the paper made after the commit, unless it exists by then."""
    wake_on_commit(PDF_TASK, str(referral.pk))


def take_paper_away(referral: Referral) -> None:
    """Delete the paper: it holds a child's name and is no longer of use. The caller saves `pdf`."""
    delete_after_commit(referral.pdf)
    referral.pdf = ""
