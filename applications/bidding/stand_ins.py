"""When the education department decides about a bid in place of the kindergarten, and how that is recorded."""

from datetime import datetime
from typing import Final

from django.utils.timezone import localtime

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Bid
from applications.states import StandIn
from bulletin.employment import employees_of, kindergartens_of
from bulletin.models import Kindergarten
from children.access import is_own_child
from children.models import Child

# The permission of those who may at all.
STAND_IN: Final = "bulletin.stand_in"
# What the family's journal says of an activation and of a refusal, by who decided.
ACTIVATED: Final = {
    "": Action.BID_ACTIVATED,
    StandIn.LATE: Action.BID_ACTIVATED_LATE,
    StandIn.NOBODY_ELSE: Action.BID_ACTIVATED_FOR,
}
REJECTED: Final = {
    "": Action.BID_REJECTED,
    StandIn.LATE: Action.BID_REJECTED_LATE,
    StandIn.NOBODY_ELSE: Action.BID_REJECTED_FOR,
}


def stands_in(
    user: User, *, kindergarten: Kindergarten, child: Child, is_late: bool = False, now: datetime
) -> StandIn | None:
    """Why `user`, an official who acts for the kindergarten, decides in its place; None if it decides itself.

    Because its answer `is_late`, or because nobody is employed there who is no guardian of the child.
    """
    if not user.has_perm(STAND_IN) or not _acts_for(user, kindergarten, now=now):
        return None
    if is_late:
        return StandIn.LATE
    return None if decides_itself(kindergarten, child=child, now=now) else StandIn.NOBODY_ELSE


def decides_itself(kindergarten: Kindergarten, *, child: Child, now: datetime) -> bool:
    """Whether somebody is employed in the kindergarten who is no guardian of the child."""
    employed = employees_of(kindergarten, today=localtime(now).date())
    return any(not is_own_child(employee, child) for employee in employed)


def stand_in_for(bid: Bid, *, actor: User, now: datetime) -> str:
    """What a decision of `actor` about a pending bid is recorded as; empty where it is the kindergarten's own."""
    if not actor.has_perm(STAND_IN):
        return ""
    kindergarten = bid.vacancy.group.kindergarten
    if employees_of(kindergarten, today=localtime(now).date()).filter(pk=actor.pk).exists():
        return ""
    child = bid.application.child
    return (
        stands_in(actor, kindergarten=kindergarten, child=child, is_late=bid.is_late(now=now), now=now) or ""
    )


def recorded(bid: Bid) -> dict[str, str]:
    """What the event of a decision holds of who decided; nothing where the kindergarten did."""
    return {"stand_in": str(bid.stand_in)} if bid.stand_in else {}


def _acts_for(user: User, kindergarten: Kindergarten, *, now: datetime) -> bool:
    return kindergartens_of(user, today=localtime(now).date()).filter(pk=kindergarten.pk).exists()
