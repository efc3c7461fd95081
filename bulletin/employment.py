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
    in_force = Q(employments__until=None) | Q(employments__until__gte=today)
    return Kindergarten.objects.filter(in_force, employments__user=user, employments__since__lte=today)
