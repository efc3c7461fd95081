"""When the education department decides in place of a kindergarten, and how that is recorded of a bid."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.utils.timezone import localtime

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Bid
from applications.states import StandIn
from bulletin.employment import able, employees_of, kindergartens_of, works_in
from bulletin.models import Kindergarten
from children.access import own_children
from children.models import Child

# The permission of those who may at all.
STAND_IN: Final = "bulletin.stand_in"
# The permissions with which a kindergarten decides itself: of bids, and of what came of them.
ANSWER: Final = "applications.change_bid"
SIGN: Final = "applications.change_referral"
# What the family's journal says of an activation and of a refusal, by who decided.
ACTIVATED: Final = {
    "": Action.BID_ACTIVATED,
    StandIn.LATE: Action.BID_ACTIVATED_LATE,
    StandIn.NOBODY_ELSE: Action.BID_ACTIVATED_FOR,
    StandIn.NOBODY: Action.BID_ACTIVATED_FOR,
    StandIn.DEPARTMENT: Action.BID_ACTIVATED_FOR,
}
REJECTED: Final = {
    "": Action.BID_REJECTED,
    StandIn.LATE: Action.BID_REJECTED_LATE,
    StandIn.NOBODY_ELSE: Action.BID_REJECTED_FOR,
    StandIn.NOBODY: Action.BID_REJECTED_FOR,
    StandIn.DEPARTMENT: Action.BID_REJECTED_FOR,
}


class Question(NamedTuple):
    """What is to be decided: for which kindergarten, about whose place, and whether its answer is late."""

    kindergarten: Kindergarten
    child: Child
    is_late: bool = False


class Right(NamedTuple):
    """Whether an employee may decide as the kindergarten (`is_own`), or why they may in its place."""

    is_own: bool
    ground: StandIn | None

    @property
    def may(self) -> bool:
        return self.is_own or self.ground is not None


def rights(user: User, questions: Sequence[Question], *, permission: str, now: datetime) -> list[Right]:
    """What `user` may decide of each, where the kindergarten does so with `permission`.

    The kindergarten's are those who are employed in it. An official who acts for it decides in its place because its
    answer is late, or because nobody in it can (`unable`); a superuser at any time. Costs a few queries for each
    kindergarten, not for each question.
    """
    today = localtime(now).date()
    places = {one.kindergarten.pk for one in questions}
    own = works_in(user, places, today=today) if user.has_perm(permission) else set()
    acts_for: set[int] = set()
    if user.has_perm(STAND_IN):
        acts_for = {*kindergartens_of(user, today=today).filter(pk__in=places).values_list("pk", flat=True)}
    others = acts_for - own
    hindered = unable(
        [one for one in questions if one.kindergarten.pk in others and not one.is_late],
        permission=permission,
        now=now,
    )

    def ground(one: Question) -> StandIn | None:
        if one.kindergarten.pk not in others:
            return None
        if one.is_late:
            return StandIn.LATE
        why = hindered.get((one.kindergarten.pk, one.child.pk))
        return why or (StandIn.DEPARTMENT if user.is_superuser else None)

    return [Right(one.kindergarten.pk in own, ground(one)) for one in questions]


def unable(
    questions: Sequence[Question], *, permission: str, now: datetime
) -> dict[tuple[int, UUID], StandIn]:
    """Why a kindergarten can't decide about a child itself, by both their ids; nothing for those that can.

    NOBODY where nobody is employed who has the permission and has set up how they sign in, NOBODY_ELSE where all of
    them are guardians of the child.
    """
    asked: dict[Kindergarten, set[UUID]] = defaultdict(set)
    for one in questions:
        asked[one.kindergarten].add(one.child.pk)
    found: dict[tuple[int, UUID], StandIn] = {}
    for kindergarten, children in asked.items():
        deciders = list(able(employees_of(kindergarten, today=localtime(now).date()), permission))
        left = children
        for decider in deciders:
            if left:
                left = {*own_children(decider).filter(child__in=left)}
        why = StandIn.NOBODY_ELSE if deciders else StandIn.NOBODY
        found |= {(kindergarten.pk, child): why for child in left}
    return found


def stand_in_for(bid: Bid, *, actor: User, now: datetime) -> str:
    """What a decision of `actor` about a pending bid is recorded as; empty where it is the kindergarten's own."""
    if not actor.has_perm(STAND_IN):
        return ""
    question = Question(bid.vacancy.group.kindergarten, bid.application.child, bid.is_late(now=now))
    [right] = rights(actor, [question], permission=ANSWER, now=now)
    # Whoever could not see that it is not theirs any more decides for the department all the same.
    return "" if right.is_own else right.ground or StandIn.DEPARTMENT


def recorded(bid: Bid) -> dict[str, str]:
    """What the event of a decision holds of who decided; nothing where the kindergarten did."""
    return {"stand_in": str(bid.stand_in)} if bid.stand_in else {}
