"""For which kindergartens an employee may act."""

from datetime import date

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.roles import is_official
from bulletin.models import Kindergarten


def kindergartens_of(user: User, *, today: date) -> QuerySet[Kindergarten]:
    """The kindergartens for which `user` may act on the local date `today`; all for officials and superusers.

    An employment holds from `since` up to and including `until`. Only active employees have any.
    """
    if not (user.is_active and user.is_staff):
        return Kindergarten.objects.none()
    if is_official(user):
        return Kindergarten.objects.all()
    return Kindergarten.objects.filter(_in_force(today), employments__user=user)


def employees_of(kindergarten: Kindergarten, *, today: date) -> QuerySet[User]:
    """Who may act for the kindergarten on the local date `today` because they are employed there."""
    return User.objects.filter(
        _in_force(today), employments__kindergarten=kindergarten, is_active=True, is_staff=True
    )


def _in_force(today: date) -> Q:
    """Of one and the same employment; both models call theirs `employments`."""
    runs = Q(employments__until=None) | Q(employments__until__gte=today)
    return runs & Q(employments__since__lte=today)
