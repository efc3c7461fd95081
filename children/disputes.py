"""Guardians added lately, who the others may stop, and what is halted meanwhile.

`applications.disputes` raises and decides disputes, since those also lock the applications.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.registry import PhoneTie
from children.access import keys_of_own_children, present_people
from children.models import Child, Dispute, Guardianship

# How long after two people became guardians of one child they may press «Stop»; later they ask an official.
STOPPABLE_FOR: Final = timedelta(days=30)

# For a guardianship: the state, or an official, knows that this person is who they say.
_PROVEN: Final = (
    Q(user__profile__phone_tie=PhoneTie.YES)
    | Q(source=Guardianship.Source.OFFICIAL)
    | Q(dispute__outcome=Dispute.Outcome.STANDS)
)

# For a dispute: an official has ended the guardianship.
_ENDED_BY_OFFICIAL: Final = Q(outcome=Dispute.Outcome.ENDS, decided_by__isnull=False)

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
    def may_know(self) -> bool:
        """Whether this side is told where the child is given a place (`children.access.informed_guardianships`)."""
        return self is not Side.DISPUTED

    @property
    def may_begin(self) -> bool:
        """Whether this side may do what others can't do after them: file, restore, claim a benefit."""
        return self is not Side.DISPUTED


@dataclass(frozen=True)
class Standing:
    """What the undecided disputes about a child mean for one of its guardians.

    `is_bound`: costly acts are halted for them. They are free for whoever is proven and not disputed.
    """

    side: Side | None = None
    is_bound: bool = False

    def __or__(self, other: "Standing") -> "Standing":
        """Of two disputes about one child the stricter side counts, and whatever binds."""
        sides = [side for side in Side if side in (self.side, other.side)]
        return Standing(side=sides[0] if sides else None, is_bound=self.is_bound or other.is_bound)


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
    disputed without being known to the state: a disputed guardian may not dispute others. Who has closed their account
    may stop nobody. They come with `child` and `user__profile`, and with their dispute if there is one.
    """
    since = now - STOPPABLE_FOR
    present = present_people().filter(pk=user.pk)
    own = Guardianship.objects.filter(user__in=present, ended_at=None, child=OuterRef("child"))
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
    """Whether costly acts for `child` are halted for anybody. One query."""
    return halting(child).exists()


def standings_of(user: User) -> dict[UUID, Standing]:
    """What undecided disputes mean for `user`, by the id of the child. One query."""
    own = Guardianship.objects.filter(user=user, ended_at=None, child=OuterRef("guardianship__child"))
    disputes = Dispute.objects.filter(Exists(own), outcome="").annotate(
        asker_is_proven=Exists(own.filter(_PROVEN))
    )
    standings: dict[UUID, Standing] = {}
    for dispute in disputes.select_related("guardianship"):
        child = dispute.guardianship.child_id
        side = _side(dispute, user)
        is_bound = dispute.is_halting and (side is not None or not dispute.asker_is_proven)
        standings[child] = standings.get(child, Standing()) | Standing(side=side, is_bound=is_bound)
    return standings


def standing_of(child: Child, user: User) -> Standing:
    """What undecided disputes about `child` mean for `user`. A short query, and a second one if there is a dispute."""
    if not Dispute.objects.filter(guardianship__child=child, outcome="").exists():
        return Standing()
    return standings_of(user).get(child.pk, Standing())


def side_of(child: Child, user: User) -> Side | None:
    """The side of `user` in the undecided disputes about `child`, or None, as `standing_of` asks."""
    return standing_of(child, user).side


def is_halted_for(user: User | None, child: Child) -> bool:
    """Whether costly acts for `child` are halted for `user`; None is anybody. One query, two if there is a dispute."""
    standing = standings_of(user).get(child.pk) if user is not None else None
    return standing.is_bound if standing is not None else is_halted(child)


def _side(dispute: Dispute, user: User) -> Side | None:
    if dispute.guardianship.user_id == user.pk:
        if not dispute.is_halting:
            return Side.REPORTED
        return Side.UNPROVEN if dispute.is_mutual else Side.DISPUTED
    return Side.UNPROVEN if dispute.raised_by_id == user.pk and dispute.is_mutual else None


def undecided_of(child: Child, *, zone: ZoneInfo, now: datetime) -> Undecided | None:
    """The undecided dispute about `child`; of several, a halting one, and of these the one due last."""
    return undecided_among({child.pk: zone}, now=now).get(child.pk)


def undecided_among(zones: Mapping[UUID, ZoneInfo], *, now: datetime) -> dict[UUID, Undecided]:
    """`undecided_of` each of these children, given by their keys with their zones, who has one. One statement."""
    waiting = Dispute.objects.filter(guardianship__child__in=zones, outcome="").annotate(
        child=F("guardianship__child")
    )
    first = waiting.order_by("child", F("freed_at").asc(nulls_first=True), "-due_at", "pk").distinct("child")
    return {
        dispute.child: Undecided(
            last_day=dispute.last_moment.astimezone(zones[dispute.child]).date(),
            is_late=now >= dispute.due_at,
            is_halting=dispute.is_halting,
            is_mutual=dispute.is_mutual,
        )
        for dispute in first
    }


def is_barred(user: User, children: QuerySet[Child]) -> bool:
    """Whether `user` can't become a guardian of any of these: an official has yet to decide, or has ended it.

    The same holds for every other child of whom an opponent of `user` is a guardian (`opponents_of`). Ask for the child
    by `children.known.children_with`.
    """
    disputed = _barring(user).filter(guardianship__child__in=children)
    of_opponents = Guardianship.objects.filter(user__in=opponents_of(user), child__in=children, ended_at=None)
    return disputed.exists() or of_opponents.exists()


def barred_children(user: User) -> set[str]:
    """The hashes of the IINs of all children of whom `user` can't become a guardian again. One query."""
    return set(_barring(user).values_list("guardianship__child__iin_hash", flat=True))


def opponents_of(user: User) -> QuerySet[User]:
    """Guardians to whose other children `user` can't be added: whoever came as a stranger would go on with siblings.

    Those who have stopped `user` and wait for the decision, or for whom it has ended the guardianship; if the dispute
    is mutual, also those whom `user` has stopped. None for a parent whose phone the state knows as theirs.
    """
    if user.profile.phone_tie == PhoneTie.YES:
        return User.objects.none()
    halting = Q(freed_at=None)
    stopped_by = Dispute.objects.filter(halting | _ENDED_BY_OFFICIAL, guardianship__user=user)
    stopped = Dispute.objects.filter(halting, raised_by=user, is_mutual=True)
    return User.objects.filter(
        Q(pk__in=stopped_by.values("raised_by")) | Q(pk__in=stopped.values("guardianship__user"))
    ).select_related("profile")


def lock_people(*users: User) -> None:
    """Lock the rows of parents whose disputes begin or end, or who become guardians; before any child's row.

    So «Stop» finds every child that its newcomer was added to before, and who is added after it is refused.
    """
    pks = [user.pk for user in users]
    list(User.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk"))


def _barring(user: User) -> QuerySet[Dispute]:
    return Dispute.objects.filter(_ENDED_BY_OFFICIAL | Q(outcome=""), guardianship__user=user)


def undecided() -> QuerySet[Dispute]:
    """The disputes that wait for an official, the most urgent first."""
    return Dispute.objects.filter(outcome="").order_by("due_at", "pk")


def to_decide(employee: User) -> QuerySet[Dispute]:
    """Those of `undecided` that are neither about a child of the employee's nor about the employee as the guardian."""
    own = Q(guardianship__child__in=keys_of_own_children(employee))
    return undecided().exclude(own | Q(guardianship__user__in=employee.own_accounts))


def halts_of(children: Iterable[UUID]) -> dict[UUID, list[Halt]]:
    """When costly acts about these children were halted by disputes. One query."""
    halts: dict[UUID, list[Halt]] = {}
    began = Dispute.objects.filter(guardianship__child__in=list(children)).exclude(freed_at=F("raised_at"))
    for child, start, end in began.values_list("guardianship__child", "raised_at", "freed_at"):
        halts.setdefault(child, []).append((start, end))
    return halts


def standstill(halts: Iterable[Halt], *, since: datetime, until: datetime, now: datetime) -> timedelta:
    """For how long costly acts were halted, from `since` on, by those of `halts` that began before the deadline.

    Time halted by several disputes at once counts once; a later dispute counts if it began before the deadline `until`
    as extended by the earlier ones. One that still runs counts up to `now`, so a deadline extended by the result stands
    still meanwhile.
    """
    ran = [(max(start, since), max(end or now, start)) for start, end in halts]
    return halted_before(until, [(start, end) for start, end in ran if end > start])


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
