"""For which kindergartens an employee may act, and acted."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.roles import is_official
from bulletin.models import Employment, Kindergarten


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


def institutions_of(acts: Collection[tuple[UUID, datetime]]) -> dict[tuple[UUID, datetime], str]:
    """The kindergartens for which each of these people acted at the instant beside them; one query for all.

    Nothing for whoever had no employment on that day: officials act for all of them.
    """
    of_person: dict[UUID, list[Employment]] = defaultdict(list)
    people = {person for person, _at in acts}
    for one in Employment.objects.filter(user__in=people).select_related("kindergarten__locality"):
        of_person[one.user_id].append(one)
    named = {(person, at): _names(of_person[person], at=at) for person, at in acts if of_person[person]}
    return {act: names for act, names in named.items() if names}


def _names(employments: list[Employment], *, at: datetime) -> str:
    held = [
        one.kindergarten.name
        for one in employments
        if one.since <= (day := one.kindergarten.locality.day(at)) and (one.until is None or day <= one.until)
    ]
    return ", ".join(sorted(held))
