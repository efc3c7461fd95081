"""Guardians added lately, who the others may stop, and what is halted meanwhile.

`applications.disputes` raises and decides disputes, since those also lock the applications.
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

# How long after two people became guardians of one child they may press «Stop»; later they ask an official.
STOPPABLE_FOR: Final = timedelta(days=30)

# For a guardianship: the state, or an official, knows that this person is who they say.
_PROVEN: Final = (
    Q(user__profile__phone_tie=PhoneTie.YES)
    | Q(source=Guardianship.Source.OFFICIAL)
    | Q(dispute__outcome=Dispute.Outcome.STANDS)
)

# From when costly acts about a child were halted, and until when; None while they still are.
Halt = tuple[datetime, datetime | None]


class Side(StrEnum):
    """A guardian's side in an undecided dispute; DISPUTED and UNPROVEN are also the refusals of a bid."""

    # Disputed by a guardian who is proven.
    DISPUTED = "disputed"
    # One of two unproven guardians, whichever of them pressed.
    UNPROVEN = "unproven"
    # Disputed, but the state knows the phone as theirs: nothing is halted.
    REPORTED = "reported"

    @property
    def may_choose(self) -> bool:
        """Whether this side may choose places for the child: send bids, change the languages."""
        return self is Side.REPORTED

    @property
    def may_begin(self) -> bool:
        """Whether this side may do what others can't do after them: file, restore, claim a benefit."""
        return self is not Side.DISPUTED


@dataclass(frozen=True)
class Undecided:
    """An undecided dispute: the last local day for the official's decision, whether it has passed, what is halted."""

    last_day: date
    is_late: bool
    is_halting: bool
    is_mutual: bool


def is_proven(user: User, child: Child) -> bool:
    """Whether the state or an official knows that this guardian of `child` is who they say. One query."""
    return Guardianship.objects.filter(_PROVEN, user=user, child=child, ended_at=None).exists()


def stoppable(user: User, *, now: datetime) -> QuerySet[Guardianship]:
    """The guardianships of others that `user` may stop.

    Those added to the children of `user` after their own, in the last 30 days. If `user` is proven and the state
    doesn't know the other's phone as theirs, also earlier ones, for 30 days after `user` came: being first does not
    make a guardian the true one. Left out are those confirmed by an official, and any of a child for which `user` is
    disputed without being known to the state: a disputed guardian may not dispute others. They come with `child` and
    `user__profile`, and with their dispute if there is one.
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
    """The disputes that halt costly acts for `child`, the one that is due last first."""
    return Dispute.objects.filter(guardianship__child=child, freed_at=None).order_by("-due_at", "pk")


def is_halted(child: Child) -> bool:
    """Whether costly acts for `child` are halted. One query."""
    return halting(child).exists()


def halted_among(children: Iterable[UUID]) -> set[UUID]:
    """The ids of those children for which costly acts are halted. One query."""
    disputes = Dispute.objects.filter(guardianship__child__in=children, freed_at=None)
    return set(disputes.values_list("guardianship__child_id", flat=True))


def sides_of(user: User) -> dict[UUID, Side]:
    """The side of `user` in undecided disputes, by the child's id. One query."""
    own = Q(guardianship__user=user) | Q(raised_by=user, is_mutual=True, freed_at=None)
    disputes = Dispute.objects.filter(own, outcome="")
    found = disputes.values_list("guardianship__child_id", "freed_at", "is_mutual")
    sides: dict[UUID, Side] = {}
    for child, freed_at, is_mutual in found:
        side = Side.REPORTED if freed_at else Side.UNPROVEN if is_mutual else Side.DISPUTED
        sides[child] = min(side, sides.get(child, side), key=list(Side).index)
    return sides


def side_of(child: Child, user: User) -> Side | None:
    """The side of `user` in the undecided disputes about `child`, or None. One query."""
    return sides_of(user).get(child.pk)


def undecided_of(child: Child, *, zone: ZoneInfo, now: datetime) -> Undecided | None:
    """The undecided dispute about `child`; of several, a halting one, and of these the one due last."""
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
    """Whether `user` can't become a guardian of this child again: an official has yet to decide, or has ended it.

    One query, whether or not the child is known here.
    """
    return _barring(user).filter(guardianship__child__iin_hash=iin_hash).exists()


def barred_children(user: User) -> set[str]:
    """The hashes of the IINs of all children of whom `user` can't become a guardian again. One query."""
    return set(_barring(user).values_list("guardianship__child__iin_hash", flat=True))


def _barring(user: User) -> QuerySet[Dispute]:
    by_official = Q(outcome=Dispute.Outcome.ENDS, decided_by__isnull=False)
    return Dispute.objects.filter(by_official | Q(outcome=""), guardianship__user=user)


def undecided() -> QuerySet[Dispute]:
    """The disputes that wait for an official, the most urgent first."""
    return Dispute.objects.filter(outcome="").order_by("due_at", "pk")


def halts_of(children: Iterable[UUID]) -> dict[UUID, list[Halt]]:
    """When costly acts about these children were halted by disputes. One query."""
    halts: dict[UUID, list[Halt]] = {}
    began = Dispute.objects.filter(guardianship__child__in=list(children)).exclude(freed_at=F("raised_at"))
    for child, start, end in began.values_list("guardianship__child", "raised_at", "freed_at"):
        halts.setdefault(child, []).append((start, end))
    return halts


def standstill(halts: Iterable[Halt], *, since: datetime, until: datetime, now: datetime) -> timedelta:
    """For how long costly acts were halted by those of `halts` that began from `since` on and before the deadline.

    Time halted by several disputes at once counts once; a later dispute counts if it began before the deadline `until`
    as extended by the earlier ones. One that still runs counts up to `now`, so a deadline extended by the result stands
    still meanwhile.
    """
    return halted_before(until, [(start, max(end or now, start)) for start, end in halts if start >= since])


def halted_before(until: datetime, spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """By how much the spans, which may overlap, extend the deadline `until`."""
    halted, covered = timedelta(0), None
    for start, end in sorted(spans):
        if start >= until + halted:
            break
        begin = start if covered is None else max(start, covered)
        halted += max(end - begin, timedelta(0))
        covered = end if covered is None else max(end, covered)
    return halted
