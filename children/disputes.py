"""Guardians who were added lately, whom the others may stop, and what is halted meanwhile.

`applications.disputes` raises and decides disputes: they lock the applications, too.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import User
from children.models import Child, Dispute, Guardianship

# For so long after somebody was added the other guardians can stop them by themselves; later an official is asked.
STOPPABLE_FOR: Final = timedelta(days=30)


def newcomers(user: User, *, now: datetime) -> QuerySet[Guardianship]:
    """The guardianships that were added to the children of `user` after their own, in the last 30 days.

    Neither those that an official has confirmed nor any of a child for which `user` is disputed: who is asked about
    does not ask about others. They come with `child` and `user__profile`, and with their dispute where there is one.
    """
    own = Guardianship.objects.filter(
        user=user, ended_at=None, child=OuterRef("child"), pk__lt=OuterRef("pk")
    )
    disputed = Dispute.objects.filter(
        guardianship__user=user, guardianship__child=OuterRef("child"), outcome=""
    )
    return (
        Guardianship.objects.filter(
            Exists(own),
            ~Exists(disputed),
            source=Guardianship.Source.REGISTRY,
            added_at__gt=now - STOPPABLE_FOR,
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


def children_disputed_for(user: User) -> set[UUID]:
    """The children for whom `user` may not bid: somebody said that they don't know `user`. One query."""
    disputes = Dispute.objects.filter(guardianship__user=user, freed_at=None)
    return set(disputes.values_list("guardianship__child_id", flat=True))


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
    """For how long costly acts were halted by disputes that began from `since` on and before `until`.

    One that still runs counts up to `now`: a deadline that is moved by the result stands still with it.
    """
    began = Dispute.objects.filter(guardianship__child=child, raised_at__gte=since, raised_at__lt=until)
    spans = began.exclude(freed_at=F("raised_at")).values_list("raised_at", "freed_at")
    return sum((max((end or now) - start, timedelta(0)) for start, end in spans), timedelta(0))
