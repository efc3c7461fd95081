"""The end of an application by age: at the turn of the year the oldest birth year leaves."""

from datetime import datetime

from django.db.models import Q, QuerySet

from applications.journal_actions import Action
from applications.models import Application, Rules
from applications.moves import announce, lock_application, locking, move
from applications.rules.ages import oldest_birth_year, year_to_announce
from applications.states import AGEING_STATES, Move, is_allowed
from bulletin.models import Locality


def age_out(application: Application, *, now: datetime) -> Application:
    """Close an application whose child is too old for kindergarten by birth year (`Rules.oldest_age`).

    A running stop ends with it. Does nothing if the child is young enough, or while a bid or a referral is under way:
    that is finished first.
    """
    with locking():
        application = lock_application(application.pk)
        if not is_allowed(Move.AGE_OUT, application.state) or not is_too_old(application, now=now):
            return application
        for stop in application.stops.filter(lifted_at=None):
            stop.lifted_at = min(now, stop.until)
            stop.save(update_fields=["lifted_at"])
        event = move(application, Move.AGE_OUT, actor=None, now=now, archived_at=now)
        announce(event, "aged_out", Action.AGED_OUT)
    return application


def too_old(*, now: datetime) -> QuerySet[Application]:
    """The applications whose children are too old, by birth year, to wait this year."""
    return _older_than({place: place.day(now).year for place in Locality.objects.all()}, now=now)


def about_to_leave(*, now: datetime) -> QuerySet[Application]:
    """In December: the applications that will be too old when the year ends; in other months none."""
    coming = {place: year_to_announce(place, now=now) for place in Locality.objects.all()}
    return _older_than({place: year for place, year in coming.items() if year is not None}, now=now)


def is_too_old(application: Application, *, now: datetime) -> bool:
    """Whether an application is one of `too_old`."""
    return too_old(now=now).filter(pk=application.pk).exists()


def _older_than(years: dict[Locality, int], *, now: datetime) -> QuerySet[Application]:
    rules = list(Rules.objects.all())
    beyond = Q(pk__in=[])
    for place, year in years.items():
        oldest = oldest_birth_year(year, rules, locality=place, today=place.day(now))
        beyond |= Q(locality=place, birth_year__lt=oldest)
    return Application.objects.filter(beyond, state__in=AGEING_STATES).select_related("locality", "child")
