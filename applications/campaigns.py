"""Whom the calendar asks or closes: the families of a campaign, those whose grace is over, the oldest children."""

from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from applications.models import Application, Event, Rules
from applications.rules import interest
from applications.rules.ages import oldest_birth_year, year_to_announce
from applications.rules.interest import Campaign
from applications.states import ApplicationState, Move
from bulletin.models import Locality

# From these the oldest leave; who has a bid or a referral under way leaves only when it came to nothing.
AGEING_STATES = (ApplicationState.WAITING, ApplicationState.LAPSED, ApplicationState.STOP_LISTED)


def running_campaign_for(locality: Locality, *, now: datetime) -> Campaign | None:
    """The campaign in which the families of `locality` are asked at `now`, if any. One query."""
    return interest.running_campaign(Rules.objects.all(), locality=locality, now=now)


def ended_campaign_for(locality: Locality, *, now: datetime) -> Campaign | None:
    """The newest campaign that is over in `locality`, if any. One query."""
    return interest.ended_campaign(Rules.objects.all(), locality=locality, now=now)


def unconfirmed(campaign: Campaign, *, locality: Locality) -> QuerySet[Application]:
    """The waiting applications of `locality` that have to confirm their interest in `campaign` and have not.

    A bid, a referral or a stop that was under way since the campaign began answers the question.
    """
    busy = Event.objects.filter(application=OuterRef("pk"), at__gte=campaign.begins_at).exclude(
        from_state__in=["", ApplicationState.WAITING], to_state=ApplicationState.WAITING
    )
    return Application.objects.filter(
        ~Exists(busy),
        locality=locality,
        state=ApplicationState.WAITING,
        interest_confirmed_at__lt=campaign.begins_at,
    ).select_related("locality", "child")


def asked_by(campaign: Campaign, application: Application) -> bool:
    """Whether this waiting application has still to confirm its interest in `campaign`."""
    if campaign.is_confirmed(application.interest_confirmed_at):
        return False
    return unconfirmed(campaign, locality=application.locality).filter(pk=application.pk).exists()


def restorable_until(application: Application) -> datetime | None:
    """The first instant at which a lapsed application can't come back, as promised when it lapsed; None: no end."""
    lapsed = application.events.filter(move=Move.LAPSE).order_by("-id").first()
    return _promised(lapsed.data if lapsed else None)


def campaign_asking(application: Application, *, now: datetime) -> Campaign | None:
    """The running campaign in which the family of a waiting application has still to confirm, if any."""
    if application.state != ApplicationState.WAITING:
        return None
    campaign = running_campaign_for(application.locality, now=now)
    return campaign if campaign is not None and asked_by(campaign, application) else None


def missed_campaign(application: Application, *, now: datetime) -> Campaign | None:
    """The campaign that ended without a sign of the family of a waiting application, if any."""
    if application.state != ApplicationState.WAITING:
        return None
    campaign = ended_campaign_for(application.locality, now=now)
    return campaign if campaign is not None and asked_by(campaign, application) else None


def is_beyond_grace(application: Application, *, now: datetime) -> bool:
    """Whether an application is lapsed and its time to come back is over."""
    if application.state != ApplicationState.LAPSED:
        return False
    until = restorable_until(application)
    return until is not None and now >= until


def lapsed_beyond_grace(*, now: datetime) -> list[Application]:
    """The lapsed applications whose grace is over."""
    newest = Event.objects.filter(application=OuterRef("pk"), move=Move.LAPSE).order_by("-id")
    lapsed = Application.objects.filter(state=ApplicationState.LAPSED).annotate(
        lapse_data=Subquery(newest.values("data")[:1])
    )
    ends = [(one, _promised(one.lapse_data)) for one in lapsed]
    return [one for one, end in ends if end is not None and now >= end]


def too_old(*, now: datetime) -> QuerySet[Application]:
    """The applications whose children are older, by birth year, than anybody who may wait this year."""
    return _older_than({place: _today(place, now).year for place in Locality.objects.all()}, now=now)


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
        oldest = oldest_birth_year(year, rules, locality=place, today=_today(place, now))
        beyond |= Q(locality=place, birth_year__lt=oldest)
    return Application.objects.filter(beyond, state__in=AGEING_STATES).select_related("locality", "child")


def _promised(data: dict[str, Any] | None) -> datetime | None:
    until = (data or {}).get("restorable_until")
    return datetime.fromisoformat(until) if until else None


def _today(locality: Locality, now: datetime) -> date:
    return now.astimezone(locality.zone).date()
