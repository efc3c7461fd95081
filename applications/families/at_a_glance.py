"""What a family reads of its children at a glance: each one's number, and what waits for its answer."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.models import User
from applications.access.family import applications_of
from applications.families.due import DueKind
from applications.models import Application, Bid, Offer, Referral, Rules
from applications.queue.position import positions
from applications.rules.interest import Campaign
from applications.rules.running_out import restorable_until
from applications.states import HERE, ApplicationState, BidState, OfferState, ReferralState, label_of
from applications.waiting.campaigns import campaigns_asking
from children.models import Dispute


@dataclass(frozen=True)
class Glance:
    """One application. Where its own page has more to say first, neither a number nor a last day is told here."""

    application: Application
    state_label: str
    number: int | None = None
    # What the family has to do, and the last day for it; None where it has no end.
    asks: DueKind | None = None
    last_day: date | None = None


def glances_of(user: User, *, now: datetime) -> list[Glance]:
    """Each application of the family outside the archive, the oldest child's first.

    Three statements for all of them; one more while families are asked for their interest, and for each that lapsed.
    Nothing is ended here: what ran out, or is disputed, is left to the application's page.
    """
    here: list[Any] = list(_here(user))
    told = [one for one in here if not one.ran_out(now=now) and not one.is_disputed]
    rules = list(Rules.objects.all()) if told else []
    places = positions(told, now=now)
    asking = campaigns_asking(told, now=now, rules=rules)
    glances = []
    for one in here:
        glance = Glance(one, label_of(one.state, is_collected=one.is_collected))
        if one in told:
            place = places.get(one.pk)
            number = place.number if place else None
            glance = Glance(one, glance.state_label, number, *_asks(one, asking.get(one.pk), now=now))
        glances.append(glance)
    return glances


def _here(user: User) -> QuerySet[Application]:
    own: dict[str, Any] = {"application": OuterRef("pk")}
    referrals = Referral.objects.filter(**own, state=ReferralState.ISSUED)
    offers = Offer.objects.filter(**own, state=OfferState.OFFERED)
    collected = Bid.objects.filter(**own, state=BidState.PENDING, holds_seat=False)
    disputes = Dispute.objects.filter(guardianship__child=OuterRef("child"), outcome="")
    return (
        applications_of(user)
        .filter(state__in=HERE)
        .annotate(
            referral_until=Subquery(referrals.values("valid_until")[:1]),
            offered_until=Subquery(offers.values("until")[:1]),
            is_collected=Exists(collected),
            is_disputed=Exists(disputes),
        )
        .order_by("child__birth_date", "child_id")
    )


def _asks(
    application: Any, campaign: Campaign | None, *, now: datetime
) -> tuple[DueKind | None, date | None]:
    """What waits for the family's answer, and its last day; `application` is a row of `_here`."""
    if application.state == ApplicationState.REFERRED:
        asks, until = DueKind.REFERRAL, application.referral_until
    elif application.offered_until is not None:
        asks, until = DueKind.OFFER, application.offered_until
    elif campaign is not None:
        asks, until = DueKind.INTEREST, campaign.ends_at
    elif application.state == ApplicationState.LAPSED:
        asks, until = DueKind.COMING_BACK, restorable_until(application, now=now)
    else:
        return None, None
    return asks, application.locality.last_day(until) if until else None
