"""The stored paper of a referral: a worker makes it, and it is deleted when it no longer holds."""

from typing import Final

from accounts.stored_files import delete_after_commit
from applications.models import Referral
from notifications.broker import FIRST, wake_on_commit

PDF_TASK: Final = "applications.tasks.render_referral_pdf"


def order_paper(referral: Referral, *, is_waited_for: bool = False) -> None:
    """Have the paper made after the commit, unless it exists by then.

    One for which somebody waits before a page is made before those of a thousand others.
    """
    wake_on_commit(PDF_TASK, str(referral.pk), priority=FIRST if is_waited_for else None)


def take_paper_away(referral: Referral) -> None:
    """Delete the paper: it holds a child's name and is no longer of use. The caller saves `pdf`."""
    delete_after_commit(referral.pdf)
    referral.pdf = ""
