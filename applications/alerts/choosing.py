"""What a guardian asks to be told of: switched on and off, and narrowed to languages and kindergartens."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from applications.alerts.suiting import Near, Suiting, Wish, places_of
from applications.models import Alert, Application
from applications.states import LIVE_STATES
from bulletin.models import Kindergarten, Vacancy
from bulletin.nearness import Point, as_text, coarse

# Whoever wants more wants all of them.
MOST_KINDERGARTENS: Final = 30

# How far a family may ask to be told, in kilometres.
DISTANCES: Final = (1, 2, 3, 5, 10)


class Circle(NamedTuple):
    """So many kilometres around a kindergarten, or around a point that the guardian's browser told."""

    km: int
    around: Kindergarten | None = None
    point: Point | None = None


def may_have(application: Application) -> bool:
    """Whether its guardians can ask to be told of places: as long as it may come to wait for one."""
    return application.is_claimed and application.state in LIVE_STATES


def alert_of(application: Application, user: User) -> Alert | None:
    """What `user` asked for about this application, also where it is switched off."""
    return Alert.objects.filter(application=application, user=user).first()


def alerts_of(user: User, applications: Iterable[Application]) -> dict[Application, Alert | None]:
    """The same for several applications, by one query."""
    applications = list(applications)
    found = {one.application_id: one for one in Alert.objects.filter(user=user, application__in=applications)}
    return {application: found.get(application.pk) for application in applications}


def switch(application: Application, *, user: User, is_on: bool, now: datetime) -> None:
    """Switch what `user` asked for on or off; what was chosen stays. The first time nothing is chosen: all places."""
    Alert.objects.update_or_create(
        application=application, user=user, defaults={"is_on": is_on, "changed_at": now}
    )


def choose(
    application: Application,
    *,
    user: User,
    languages: Collection[str],
    kindergartens: Iterable[Kindergarten],
    circle: Circle | None = None,
    now: datetime,
) -> None:
    """Narrow what `user` is told of, and switch it on.

    All languages of the application are no limit, and neither is no kindergarten. Without a circle the point of an
    earlier one is kept no more.
    """
    is_narrowed = set(languages) < set(application.languages)
    chosen = [one for one in application.languages if one in languages] if is_narrowed else []
    with transaction.atomic():
        alert, _is_new = Alert.objects.update_or_create(
            application=application,
            user=user,
            defaults={
                "languages": chosen,
                "within_km": circle.km if circle else None,
                "around": circle.around if circle else None,
                "point": as_text(circle.point) if circle and circle.point else "",
                "is_on": True,
                "changed_at": now,
            },
        )
        alert.kindergartens.set(kindergartens)


def chosen_kindergartens(alert: Alert | None, application: Application) -> QuerySet[Kindergarten]:
    """Those chosen in the application's locality; those of one that it has left count no more."""
    if alert is None:
        return Kindergarten.objects.none()
    return alert.kindergartens.filter(locality=application.locality_id)


def near(km: int | None, *, point: str, kindergarten: Point | None) -> Near | None:
    """What a stored circle says; None without one, and where its kindergarten is on the map no more."""
    middle = coarse(point) if point else kindergarten
    return Near(*middle, km) if km and middle else None


def near_of(alert: Alert | None, application: Application) -> Near | None:
    """The same of an alert; a kindergarten in a locality that the application has left counts no more."""
    if alert is None:
        return None
    around = alert.around
    is_here = around is not None and around.locality_id == application.locality_id
    return near(alert.within_km, point=alert.point, kindergarten=around.point if around and is_here else None)


def wish_of(application: Application, alert: Alert | None) -> Wish:
    """What `waves` reads for thousands by one statement, for one application."""
    languages = alert.languages if alert else []
    return Wish(
        application.locality_id,
        application.birth_year,
        tuple(application.languages),
        application.tier,
        application.filed_at,
        application.sequence,
        tuple(one for one in application.languages if one in languages),
        tuple(chosen_kindergartens(alert, application).values_list("pk", flat=True)),
        near_of(alert, application),
    )


def suiting_now(application: Application, alert: Alert | None, *, now: datetime) -> tuple[Suiting, ...]:
    """The places of the bulletin of which such an alert tells, the first to open first."""
    published = Vacancy.objects.filter(
        state=Vacancy.State.PUBLISHED,
        group__kindergarten__locality=application.locality_id,
        birth_years__contains=[application.birth_year],
    )
    return places_of(published, now=now).suiting(wish_of(application, alert))


class Reach(NamedTuple):
    """How many kindergartens of the locality lie within a circle, and how many are not on the map."""

    within: int
    unplaced: int


def reach(application: Application, alert: Alert | None) -> Reach | None:
    """What the alert's circle holds; None where there is none."""
    circle = near_of(alert, application)
    if circle is None:
        return None
    here = list(Kindergarten.objects.filter(locality=application.locality_id).only("latitude", "longitude"))
    unplaced = sum(one.point is None for one in here)
    return Reach(sum(map(circle.admits, here)) - unplaced, unplaced)
