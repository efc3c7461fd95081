"""Which families a campaign of interest asks, and whose grace after one is over."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from applications.models import CLAIMED, Application, Event, Offer, Rules
from applications.preview import ended_unanswered, rests
from applications.rules import interest
from applications.rules.interest import Campaign
from applications.rules.running_out import promised_end, restorable_until
from applications.states import ApplicationState, Move
from bulletin.models import Locality


def running_campaign_for(locality: Locality, *, now: datetime) -> Campaign | None:
    """The campaign that is running in `locality` at `now` and asks families, if any. At most one query."""
    return _asking(interest.running_campaign(Rules.objects.all(), locality=locality, now=now), locality)


def ended_campaign_for(locality: Locality, *, now: datetime) -> Campaign | None:
    """The newest campaign that is over in `locality`, if it asked families. One query."""
    return _asking(interest.ended_campaign(Rules.objects.all(), locality=locality, now=now), locality)


def _asking(campaign: Campaign | None, locality: Locality) -> Campaign | None:
    """None for a campaign that began before the portal opened: nobody could confirm from its first day on."""
    if campaign is None or rests(locality, begun_at=campaign.begins_at):
        return None
    return campaign


def unconfirmed(campaign: Campaign, *, locality: Locality) -> QuerySet[Application]:
    """The waiting applications of `locality` that have yet to confirm their interest in `campaign`.

    A bid, a referral or a stop that was under way since the campaign began counts as an answer. So does a declined
    offer, or one that the family may consider to the campaign's end: it was promised to lose nothing by silence.
    Who has not claimed its application of the former queue is not asked: claiming it will be an answer.
    """
    stayed = Q(from_state__in=["", ApplicationState.WAITING], to_state=ApplicationState.WAITING)
    busy = Event.objects.filter(
        ~stayed | Q(move=Move.DECLINE_OFFER), application=OuterRef("pk"), at__gte=campaign.begins_at
    )
    offered = Offer.objects.filter(
        Q(until__gte=campaign.ends_at) | Q(held_since__isnull=False),
        application=OuterRef("pk"),
        made_at__lt=campaign.ends_at,
    )
    return Application.objects.filter(
        CLAIMED,
        ~Exists(busy),
        ~Exists(offered),
        locality=locality,
        state=ApplicationState.WAITING,
        interest_confirmed_at__lt=campaign.begins_at,
    ).select_related("locality", "child")


def asked_by(campaign: Campaign, application: Application) -> bool:
    """Whether this waiting application has yet to confirm its interest in `campaign`."""
    if campaign.is_confirmed(application.interest_confirmed_at):
        return False
    return unconfirmed(campaign, locality=application.locality).filter(pk=application.pk).exists()


def campaign_asking(application: Application, *, now: datetime) -> Campaign | None:
    """The running campaign in which the family of a waiting application has yet to confirm, if any."""
    return campaigns_asking([application], now=now).get(application.pk)


def campaigns_asking(
    applications: Iterable[Application], *, now: datetime, rules: Sequence[Rules] | None = None
) -> dict[UUID, Campaign]:
    """`campaign_asking` of each of these applications that has one. At most two queries, however many they are.

    One fewer, if the caller has all `rules` at hand.
    """
    waiting = [one for one in applications if one.state == ApplicationState.WAITING]
    if not waiting:
        return {}
    known = list(Rules.objects.all()) if rules is None else rules
    running = {
        place: _asking(interest.running_campaign(known, locality=place, now=now), place)
        for place in {one.locality for one in waiting}
    }
    asking = {
        one.pk: campaign
        for one in waiting
        if (campaign := running[one.locality]) and not campaign.is_confirmed(one.interest_confirmed_at)
    }
    if not asking:
        return {}
    asked = reduce(
        or_, [unconfirmed(campaign, locality=place) for place, campaign in running.items() if campaign]
    )
    still = set(asked.filter(pk__in=asking).values_list("pk", flat=True))
    return {pk: campaign for pk, campaign in asking.items() if pk in still}


def missed_campaign(application: Application, *, now: datetime) -> Campaign | None:
    """The campaign that ended without an answer from the family of a waiting application, if any."""
    if application.state != ApplicationState.WAITING:
        return None
    campaign = ended_campaign_for(application.locality, now=now)
    return campaign if campaign is not None and asked_by(campaign, application) else None


def is_beyond_grace(application: Application, *, now: datetime) -> bool:
    """Whether an application is lapsed and its time to come back is over; not if that was before the opening."""
    if application.state != ApplicationState.LAPSED:
        return False
    until = restorable_until(application, now=now)
    return until is not None and now >= until


def lapsed_beyond_grace(*, now: datetime) -> list[Application]:
    """The lapsed applications for which `is_beyond_grace` is true."""
    newest = Event.objects.filter(application=OuterRef("pk"), move=Move.LAPSE).order_by("-id")
    lapsed = (
        Application.objects.filter(state=ApplicationState.LAPSED)
        .select_related("locality")
        .annotate(lapse_data=Subquery(newest.values("data")[:1]))
    )
    ends = [(one, promised_end(one.lapse_data)) for one in lapsed]
    return [
        one
        for one, end in ends
        if end is not None and now >= end and not ended_unanswered(one.locality, end=end, now=now)
    ]
