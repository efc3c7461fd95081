"""Guardians who were added lately, whom the others may stop, and what is halted meanwhile.

`applications.disputes` raises and decides disputes: they lock the applications, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.registry import PhoneTie
from children.models import Child, Dispute, Guardianship

# For so long after two people became guardians of one child «Stop» is theirs; later an official is asked.
STOPPABLE_FOR: Final = timedelta(days=30)

# Of a guardianship: the state, or an official, knows that this person is who they say.
_PROVEN: Final = (
    Q(user__profile__phone_tie=PhoneTie.YES)
    | Q(source=Guardianship.Source.OFFICIAL)
    | Q(dispute__outcome=Dispute.Outcome.STANDS)
)


class Side(StrEnum):
    """Where a guardian stands in an undecided dispute; a bid is refused by the word of DISPUTED and UNPROVEN."""

    # Somebody who is proven does not know this one.
    DISPUTED = "disputed"
    # One of two of whom nothing proves who they are, whoever of them pressed.
    UNPROVEN = "unproven"
    # Disputed, but the state knows the phone as theirs: nothing is halted.
    REPORTED = "reported"

    @property
    def may_choose(self) -> bool:
        """Whether they may choose places for the child: send bids, change the languages."""
        return self is Side.REPORTED

    @property
    def may_begin(self) -> bool:
        """Whether they may begin what others could then not begin: file, restore, ask for a benefit."""
        return self is not Side.DISPUTED


@dataclass(frozen=True)
class Undecided:
    """A dispute that waits: until which local day an official decides, whether it is over, what it halts."""

    last_day: date
    is_late: bool
    is_halting: bool
    is_mutual: bool


def is_proven(user: User, child: Child) -> bool:
    """Whether the state or an official knows that this guardian of `child` is who they say. One query."""
    return Guardianship.objects.filter(_PROVEN, user=user, child=child, ended_at=None).exists()


def stoppable(user: User, *, now: datetime) -> QuerySet[Guardianship]:
    """The guardianships of others that `user` may stop.

    Those that were added to the children of `user` after their own in the last 30 days. Where `user` is proven and the
    state doesn't know the other's phone as theirs, also those from before, for 30 days after `user` came: whoever came
    first is not the truer guardian for that. Neither those that an official has confirmed nor any of a child for which
    `user` is disputed without being known to the state: who is asked about does not ask about others. They come with
    `child` and `user__profile`, and with their dispute where there is one.
    """
    since = now - STOPPABLE_FOR
    own = Guardianship.objects.filter(user=user, ended_at=None, child=OuterRef("child"))
    came_after = Exists(own.filter(pk__lt=OuterRef("pk"))) & Q(added_at__gt=since)
    came_before = Exists(own.filter(_PROVEN, pk__gt=OuterRef("pk"), added_at__gt=since)) & ~Q(
        user__profile__phone_tie=PhoneTie.YES
    )
    disputed = Dispute.objects.filter(
        guardianship__user=user, guardianship__child=OuterRef("child"), freed_at=None
    ).exclude(guardianship__user__profile__phone_tie=PhoneTie.YES)
    return (
        Guardianship.objects.filter(
            came_after | came_before,
            ~Exists(disputed),
            source=Guardianship.Source.REGISTRY,
            ended_at=None,
        )
        .exclude(user=user)
        .select_related("child", "user__profile", "dispute")
        .order_by("-added_at", "pk")
    )


def halting(child: Child) -> QuerySet[Dispute]:
    """The disputes because of which costly acts for `child` are halted, the one that is due last first."""
    return Dispute.objects.filter(guardianship__child=child, freed_at=None).order_by("-due_at", "pk")


def is_halted(child: Child) -> bool:
    """Whether costly acts for `child` are halted. One query."""
    return halting(child).exists()


def halted_among(children: Iterable[UUID]) -> set[UUID]:
    """Those of the children, by their ids, for whom costly acts are halted. One query."""
    disputes = Dispute.objects.filter(guardianship__child__in=children, freed_at=None)
    return set(disputes.values_list("guardianship__child_id", flat=True))


def sides_of(user: User) -> dict[UUID, Side]:
    """The side of `user` for each child, by its id, about which an official has still to decide. One query."""
    own = Q(guardianship__user=user) | Q(raised_by=user, is_mutual=True, freed_at=None)
    disputes = Dispute.objects.filter(own, outcome="")
    found = disputes.values_list("guardianship__child_id", "freed_at", "is_mutual")
    sides: dict[UUID, Side] = {}
    for child, freed_at, is_mutual in found:
        side = Side.REPORTED if freed_at else Side.UNPROVEN if is_mutual else Side.DISPUTED
        sides[child] = min(side, sides.get(child, side), key=list(Side).index)
    return sides


def side_of(child: Child, user: User) -> Side | None:
    """The side of `user` in what is undecided about `child`, or None. One query."""
    return sides_of(user).get(child.pk)


def undecided_of(child: Child, *, zone: ZoneInfo, now: datetime) -> Undecided | None:
    """What an official has still to decide about `child`; of several what halts, and of these the one due last."""
    waiting = Dispute.objects.filter(guardianship__child=child, outcome="")
    dispute = waiting.order_by(F("freed_at").asc(nulls_first=True), "-due_at", "pk").first()
    if dispute is None:
        return None
    return Undecided(
        last_day=dispute.last_moment.astimezone(zone).date(),
        is_late=now >= dispute.due_at,
        is_halting=dispute.is_halting,
        is_mutual=dispute.is_mutual,
    )


def is_barred(user: User, *, iin_hash: str) -> bool:
    """Whether `user` can't be added as guardian of this child again: an official decides about it, or has ended it.

    One query, whether or not the child is known here.
    """
    by_official = Q(outcome=Dispute.Outcome.ENDS, decided_by__isnull=False)
    return Dispute.objects.filter(
        by_official | Q(outcome=""), guardianship__user=user, guardianship__child__iin_hash=iin_hash
    ).exists()


def undecided() -> QuerySet[Dispute]:
    """The disputes that wait for an official, the most urgent first."""
    return Dispute.objects.filter(outcome="").order_by("due_at", "pk")


def standstill(child: Child, *, since: datetime, until: datetime, now: datetime) -> timedelta:
    """For how long costly acts were halted by disputes that began from `since` on and before the deadline `until`.

    What several disputes halt at once is counted once; a later one counts if it began before the deadline as the
    earlier ones had moved it. One that still runs counts up to `now`: a deadline that is moved by the result stands
    still with it.
    """
    began = Dispute.objects.filter(guardianship__child=child, raised_at__gte=since).exclude(
        freed_at=F("raised_at")
    )
    spans = [(start, max(end or now, start)) for start, end in began.values_list("raised_at", "freed_at")]
    return halted_before(until, spans)


def halted_before(until: datetime, spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """By how much the spans, as they come one after the other or overlap, put off the deadline `until`."""
    halted, covered = timedelta(0), None
    for start, end in sorted(spans):
        if start >= until + halted:
            break
        begin = start if covered is None else max(start, covered)
        halted += max(end - begin, timedelta(0))
        covered = end if covered is None else max(end, covered)
    return halted
