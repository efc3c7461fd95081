"""Where an employee may act, and acted. What they may do there is said by their permissions."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from functools import cached_property
from typing import Final
from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Count, Q, QuerySet, Subquery, Value

from accounts.models import User
from accounts.second_factor import owners_of_apps
from bulletin.models import Employment, Kindergarten, Locality

# The permission of those whose work is the whole city, whatever localities there will be.
EVERYWHERE: Final = "bulletin.work_everywhere"
_KEPT: Final = "places_of_employee"


class Places:
    """Where an employee may act on a day, as keys; read once, by one statement.

    The keys are named to the database: it then begins with the few rows of a kindergarten, and does not join those of
    the whole city.
    """

    def __init__(self, user: User, *, today: date) -> None:
        self.user, self.today = user, today

    @cached_property
    def kindergartens(self) -> list[int]:
        """Those in which they are employed; besides, they may act for all of their localities."""
        return sorted({kindergarten for kindergarten, _locality in self._held if kindergarten})

    @cached_property
    def localities(self) -> list[int]:
        """Those in which they may act as a whole; none for a kindergarten's worker."""
        if works_everywhere(self.user):
            return [one.pk for one in self.all_localities]
        return sorted({locality for _kindergarten, locality in self._held if locality})

    @cached_property
    def all_kindergartens(self) -> list[int]:
        """Those for which they may act: their own, and by another statement those of their localities."""
        if not self.localities:
            return self.kindergartens
        own = kindergartens_of(self.user, today=self.today).order_by()
        return list(own.values_list("pk", flat=True))

    @cached_property
    def all_localities(self) -> list[Locality]:
        """Every locality that there is, whether or not they work there."""
        return list(Locality.objects.all())

    @cached_property
    def are_all(self) -> bool:
        """Whether theirs are all the localities that there are."""
        return bool(self.localities) and {one.pk for one in self.all_localities} == {*self.localities}

    @property
    def are_several(self) -> bool:
        """Whether they may act for more than one kindergarten, as whoever works in a whole locality may."""
        return works_everywhere(self.user) or bool(self.localities) or len(self.kindergartens) > 1

    @property
    def are_any(self) -> bool:
        """Whether there is any place for which they may act."""
        return works_everywhere(self.user) or bool(self._held)

    @cached_property
    def _held(self) -> list[tuple[int | None, int | None]]:
        held = _held(self.user, today=self.today).order_by()
        return list(held.values_list("kindergarten", "locality"))


def places_of(user: User, *, today: date) -> Places:
    """Where `user` may act on the local date `today`. Kept with the object, as its permissions are: for a request."""
    known: Places | None = vars(user).get(_KEPT)
    if known is None or known.today != today:
        known = vars(user)[_KEPT] = Places(user, today=today)
    return known


def works_everywhere(user: User) -> bool:
    """Whether the user may act in every locality. Only active employees may; their permissions are read once."""
    return user.is_active and user.is_staff and user.has_perm(EVERYWHERE)


def localities_of(user: User, *, today: date) -> QuerySet[Locality]:
    """The localities in which `user` may act as a whole on the local date `today`; all for who works everywhere.

    None for a kindergarten's worker. An employment holds from `since` up to and including `until`.
    """
    if works_everywhere(user):
        return Locality.objects.all()
    return Locality.objects.filter(pk__in=_held(user, today=today).values("locality"))


def kindergartens_of(user: User, *, today: date) -> QuerySet[Kindergarten]:
    """The kindergartens for which `user` may act on the local date `today`.

    Those where they are employed, and those of the localities where they are.
    """
    if works_everywhere(user):
        return Kindergarten.objects.all()
    held = _held(user, today=today)
    return Kindergarten.objects.filter(
        Q(pk__in=held.values("kindergarten")) | Q(locality__in=held.values("locality"))
    )


def works_in(user: User, kindergartens: Collection[int], *, today: date) -> set[int]:
    """In which of these kindergartens `user` is employed on the local date `today`, whatever else they may act for."""
    held = _held(user, today=today).filter(kindergarten__in=kindergartens)
    return {pk for pk in held.values_list("kindergarten", flat=True) if pk is not None}


def employees_of(kindergarten: Kindergarten, *, today: date) -> QuerySet[User]:
    """Who may act for the kindergarten on the local date `today` because they are employed in it."""
    held = Employment.objects.filter(in_force(today), kindergarten=kindergarten)
    return User.objects.filter(pk__in=held.values("user"), is_active=True, is_staff=True)


def employees_in(locality: Locality, *, today: date) -> QuerySet[User]:
    """Who is employed for the locality as a whole on the local date `today`."""
    held = Employment.objects.filter(in_force(today), locality=locality)
    return User.objects.filter(pk__in=held.values("user"), is_active=True, is_staff=True)


def employees_everywhere() -> QuerySet[User]:
    """Who may act in every locality without being employed in any: see `works_everywhere`."""
    allowed = ModelBackend().with_perm(EVERYWHERE)
    return User.objects.filter(pk__in=allowed.values("pk"), is_active=True, is_staff=True)


def employees_in_all(*, today: date) -> QuerySet[User]:
    """Who is employed for each of the localities that there are, as a whole, on the local date `today`."""
    number = Locality.objects.order_by().values(all=Value(1)).annotate(number=Count("pk")).values("number")
    held = Employment.objects.filter(in_force(today)).exclude(locality=None).order_by().values("user")
    of_all = held.annotate(held=Count("locality", distinct=True)).filter(held=Subquery(number))
    return User.objects.filter(pk__in=of_all.values("user"), is_active=True, is_staff=True)


def able(employed: QuerySet[User], permission: str) -> QuerySet[User]:
    """Those of the active employees who have the permission and could sign in today: with a password and an app.

    Whoever never opened the link they were given, or has not come back since a reset, is not among them.
    """
    allowed = ModelBackend().with_perm(permission)
    set_up = employed.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).filter(pk__in=owners_of_apps())
    return set_up.filter(pk__in=allowed.values("pk"))


def with_somebody_able(permission: str, *, today: date) -> QuerySet[Kindergarten]:
    """The kindergartens in which somebody is employed on the local date `today` who is `able`."""
    held = Employment.objects.filter(
        in_force(today), user__in=able(User.objects.all(), permission).values("pk")
    )
    return Kindergarten.objects.filter(pk__in=held.exclude(kindergarten=None).values("kindergarten"))


def in_force(today: date) -> Q:
    """The employments that hold on the local date `today`."""
    return Q(since__lte=today) & (Q(until=None) | Q(until__gte=today))


def _held(user: User, *, today: date) -> QuerySet[Employment]:
    if not (user.is_active and user.is_staff):
        return Employment.objects.none()
    return Employment.objects.filter(in_force(today), user=user)


def institutions_of(acts: Collection[tuple[UUID, datetime]]) -> dict[tuple[UUID, datetime], str]:
    """Where each of these people acted at the instant beside them: kindergartens, localities. One query for all.

    Nothing for whoever had no employment on that day: some work everywhere.
    """
    of_person: dict[UUID, list[Employment]] = defaultdict(list)
    people = {person for person, _at in acts}
    for one in Employment.objects.filter(user__in=people).select_related(
        "kindergarten__locality", "locality"
    ):
        of_person[one.user_id].append(one)
    named = {(person, at): _names(of_person[person], at=at) for person, at in acts if of_person[person]}
    return {act: names for act, names in named.items() if names}


def _names(employments: list[Employment], *, at: datetime) -> str:
    held = [
        one.place.name
        for one in employments
        if one.since <= (day := one.around.day(at)) and (one.until is None or day <= one.until)
    ]
    return ", ".join(sorted(held))
