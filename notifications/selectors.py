"""What the inbox shows and counts."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from notifications.models import Notice

# Given by an app above: of what (`Notice.about`) a user is told now, as a subquery by the user's id.
_known: list[Callable[[Any], QuerySet[Any, Any]]] = []


def register_known(known: Callable[[Any], QuerySet[Any, Any]]) -> None:
    """Let `known` say about what a user, given by their id, may read notices; there is one such rule."""
    _known[:] = [known]


def unread_count(user: AbstractBaseUser | AnonymousUser) -> int:
    """How many notices this person has not read yet; 0 for a visitor."""
    if not user.is_authenticated:
        return 0
    return inbox_of(user).filter(read_at=None).count()


def inbox_of(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Notice]:
    """What this person may read of their notices, newest first; none for a visitor. The only way to a notice.

    What is about something that they are told nothing of (any more) is kept, and not shown.
    """
    if not user.is_authenticated:
        return Notice.objects.none()
    readable = Q(about=None)
    for known in _known:
        readable |= Q(about__in=known(user.pk))
    return Notice.objects.filter(readable, recipient_id=user.pk)
