"""What the inbox shows and counts."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from notifications.models import Notice


def unread_count(user: AbstractBaseUser | AnonymousUser) -> int:
    """How many notices this person has not read yet; 0 for a visitor."""
    if not user.is_authenticated:
        return 0
    return Notice.objects.filter(recipient_id=user.pk, read_at=None).count()


def inbox_of(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Notice]:
    """This person's notices, newest first; none for a visitor. The only way to a notice."""
    return Notice.objects.filter(recipient_id=user.pk) if user.is_authenticated else Notice.objects.none()
