"""At whose families an employee may look: every family, or those that have or had to do with their institutions."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localtime

from accounts.models import User
from applications.models import Application, Bid
from bulletin.employment import kindergartens_of, localities_of, works_everywhere
from children.models import Child, Guardianship

LOOK = "children.look_at_family"


def may_look(employee: User) -> bool:
    """Whether the employee may look at any family at all."""
    return employee.has_perm(LOOK)


def children_seen(employee: User, *, now: datetime) -> QuerySet[Child]:
    """The children at whose family `employee` may look; whatever is not among them is not there for them."""
    return Child.objects.filter(seen_through(employee, child="pk", now=now))


def guardians_seen(employee: User, *, now: datetime) -> QuerySet[User]:
    """The parents at whose family `employee` may look, with their profiles; none whose data was erased.

    Where it is not every family, they are the guardians of the children of `children_seen`.
    """
    parents = User.objects.filter(profile__isnull=False, forgotten_at=None).select_related("profile")
    if not may_look(employee):
        return parents.none()
    if works_everywhere(employee):
        return parents
    seen = Guardianship.objects.filter(
        seen_through(employee, child="child_id", now=now), user=OuterRef("pk"), ended_at=None
    )
    return parents.filter(Exists(seen))


def bids_seen(employee: User, *, now: datetime) -> Q:
    """Which bids of a family whoever sees the family may see: all, or those with their own kindergartens."""
    if works_everywhere(employee):
        return Q()
    own = kindergartens_of(employee, today=localtime(now).date())
    return Q(vacancy__group__kindergarten__in=own.values("pk"))


def seen_through(employee: User, *, child: str, now: datetime) -> Q:
    """Which rows with a child (in their column `child`) `employee` may look at.

    Where it is not every family: the child waits or waited in a locality, or bid in a kindergarten, of the employee.
    Two questions, each answered from an index for one child; joined into one, the database would read every bid.
    """
    if not may_look(employee):
        return Q(pk__in=[])
    if works_everywhere(employee):
        return Q()
    today = localtime(now).date()
    waits = Application.objects.filter(
        child=OuterRef(child), locality__in=localities_of(employee, today=today).values("pk")
    )
    own = kindergartens_of(employee, today=today)
    bid = Bid.objects.filter(
        application__child=OuterRef(child), vacancy__group__kindergarten__in=own.values("pk")
    )
    return Q(Exists(waits)) | Q(Exists(bid))
