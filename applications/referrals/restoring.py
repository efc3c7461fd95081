"""A referral that had ended is valid again."""

from datetime import date

from applications.models import Referral
from applications.referrals.due import last_day_of
from applications.referrals.last_day import LAST_DAY, move_last_day
from applications.referrals.stored_paper import order_paper
from applications.states import ReferralState


def restore_referral(referral: Referral, *, last_day: date) -> None:
    """Let a locked referral be valid again, to the end of `last_day`: never before its own; it is saved.

    Its bid holds a seat. Move the application afterwards (`moves.move`), then `hold_if_halted`.
    """
    referral.state, referral.ended_at, referral.reason = ReferralState.ISSUED, None, ""
    if last_day > last_day_of(referral):
        move_last_day(referral, to=last_day)
    elif not referral.pdf:
        order_paper(referral)
    referral.save(update_fields=["state", "ended_at", "reason", *LAST_DAY])
