"""The only way from a person to a child: who is not a guardian finds nothing."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from accounts.models import User
from children.models import Child


def children_of(user: User) -> QuerySet[Child]:
    """The children for whom the user is a guardian now."""
    return Child.objects.filter(guardianships__user=user, guardianships__ended_at=None)


def child_for(user: User, pk: UUID) -> Child:
    """One child of the user. Raises `Http404` for strangers as for unknown ids."""
    child = children_of(user).filter(pk=pk).first()
    if child is None:
        raise Http404
    return child


def guardians_of(child: Child) -> list[User]:
    """Everyone who may act for the child now and can sign in, in the order in which they were proven."""
    live = child.guardianships.filter(ended_at=None, user__is_active=True).select_related("user").order_by("pk")
    return [guardianship.user for guardianship in live]
