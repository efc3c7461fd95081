"""The only way to a family's children. A stranger gets a 404."""

from collections.abc import Iterable
from typing import Any, Final, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.models import User
from children.models import Child, Dispute, GuardianClaim, Guardianship

_KEPT: Final = "own_children"


def informed_guardianships() -> QuerySet[Guardianship]:
    """Those in force whose guardians are told where the child is given a place.

    Whoever is disputed by a proven guardian is told nothing until an official decides: they may be a stranger.
    """
    withholding = Dispute.objects.filter(guardianship=OuterRef("pk"), freed_at=None, is_mutual=False)
    return Guardianship.objects.filter(~Exists(withholding), ended_at=None)


def known_children(user_pk: Any) -> QuerySet[Guardianship, UUID]:
    """The ids of the children of whom this user is told everything, as a subquery."""
    return informed_guardianships().filter(user=user_pk).values_list("child_id", flat=True)


def names_of_known_children(user_pk: Any) -> dict[UUID, str]:
    """The same children with their names, the oldest first. One query."""
    known = Child.objects.filter(pk__in=known_children(user_pk)).order_by("birth_date", "pk")
    return {child.pk: child.full_name for child in known}


def children_of(user: User | AnonymousUser) -> QuerySet[Child]:
    """The children that `user` may act for now, the oldest first; none for a visitor."""
    if not user.is_authenticated:
        return Child.objects.none()
    # One filter() call: both conditions must hold for the same guardianship.
    return Child.objects.filter(guardianships__user=user, guardianships__ended_at=None)


def child_for(user: User | AnonymousUser, pk: UUID) -> Child:
    """The child with this id, if `user` may act for it. Raises `Http404` otherwise, whether or not it exists."""
    child = children_of(user).filter(pk=pk).first()
    if child is None:
        raise Http404
    return child


def others_of(child: Child, user: User) -> QuerySet[Guardianship]:
    """The guardianships of everyone else who may act for `child` now, the newest first, with their profiles."""
    others = child.guardianships.filter(ended_at=None).exclude(user=user)
    return others.select_related("user__profile").order_by("-added_at", "-pk")


def undecided_claims_of(user: User) -> QuerySet[GuardianClaim]:
    """The papers with which `user` asked to become a guardian, unless they were approved: then there is a child."""
    return GuardianClaim.objects.filter(user=user).exclude(state=GuardianClaim.State.APPROVED)


def others_with(user: User) -> QuerySet[Guardianship]:
    """The guardianships of everyone else who may act now for any child of `user`."""
    return Guardianship.objects.filter(child__in=children_of(user), ended_at=None).exclude(user=user)


def own_children(user: User) -> QuerySet[Guardianship, UUID]:
    """The ids of the children for whom `user` may act now, or the person with an employee's IIN; as a subquery."""
    person = Q(user=user)
    if user.staff_iin_hash:
        person |= Q(user__profile__iin_hash__in=user.staff_iin_hashes)
    return Guardianship.objects.filter(person, ended_at=None).values_list("child_id", flat=True)


def read_own_children(user: User) -> list[Child]:
    """The children of `own_children`. Kept with the object, as its permissions are: a start page asks six times."""
    kept = vars(user)
    if _KEPT not in kept:
        kept[_KEPT] = list(Child.objects.filter(pk__in=own_children(user)))
    return cast(list[Child], kept[_KEPT])


def keys_of_own_children(user: User) -> list[UUID]:
    """The keys of `read_own_children`: most employees have none, and then a question for others' is as short."""
    return [child.pk for child in read_own_children(user)]


def is_own_child(user: User, child: Child) -> bool:
    """Whether `user` may act for `child` now, or is an employee whose IIN is that of somebody who may."""
    return own_children(user).filter(child=child).exists()


def informed_guardians(child: Child) -> list[User]:
    """Those of `guardians_of` who are told where the child is given a place."""
    told = informed_guardianships().filter(child=child)
    return list(present_people().filter(guardianships__in=told).order_by("guardianships__verified_at", "pk"))


def present_people() -> QuerySet[User]:
    """Those who can sign in and have not closed their account."""
    return User.objects.filter(is_active=True, leaving_since=None)


def guardians_of(child: Child) -> list[User]:
    """Everyone who may act for `child` now and can sign in; the first to add it comes first.

    Who has closed their account is not among them, even while they may come back.
    """
    guardians = present_people().filter(guardianships__child=child, guardianships__ended_at=None)
    return list(guardians.order_by("guardianships__verified_at", "pk"))


def guardians_by_child(children: Iterable[UUID]) -> dict[UUID, list[User]]:
    """For each of these children what `guardians_of` says, with their profiles; one query for all."""
    found: dict[UUID, list[User]] = {child: [] for child in children}
    rows = Guardianship.objects.filter(child__in=found, ended_at=None, user__in=present_people())
    for one in rows.select_related("user__profile").order_by("verified_at", "user"):
        found[one.child_id].append(one.user)
    return found
