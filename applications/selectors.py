"""What pages and jobs ask about applications."""

from datetime import datetime
from enum import StrEnum

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Least

from applications.models import (
    PAPERS_ON_THEIR_WAY,
    Application,
    Benefit,
    BenefitCategory,
    Bid,
    Referral,
    StopListEntry,
)
from applications.states import LIVE_STATES, ApplicationState, BenefitState, BidState, ReferralState
from bulletin.models import Vacancy
from bulletin.selectors import with_pauses


class StepState(StrEnum):
    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"


# How many of the manual's four steps are behind the family in each state: queue, bid, referral, result.
_STEPS_DONE = {
    ApplicationState.STOP_LISTED: 0,
    ApplicationState.LAPSED: 0,
    ApplicationState.WAITING: 1,
    ApplicationState.BID_PLACED: 2,
    ApplicationState.REFERRED: 2,
    ApplicationState.ENROLLED: 4,
    ApplicationState.ARCHIVED: 0,
}


def steps(application: Application) -> list[StepState]:
    """The state of each of the four steps of the manual, in their order."""
    done = _STEPS_DONE[ApplicationState(application.state)]
    return [
        StepState.DONE if number < done else StepState.CURRENT if number == done else StepState.AHEAD
        for number in range(4)
    ]


def overdue_referrals(*, now: datetime) -> QuerySet[Referral]:
    """Referrals whose last day is over and that have not been ended yet.

    None whose last day stands still, and none whose papers are still on their way.
    """
    on_their_way = Q(handed_in_at__lt=F("valid_until"), handed_in_at__gt=now - PAPERS_ON_THEIR_WAY)
    over = Referral.objects.filter(state=ReferralState.ISSUED, valid_until__lte=now, held_since=None)
    return over.exclude(on_their_way)


def valid_referrals(*, now: datetime) -> QuerySet[Referral]:
    """Referrals with which a family may still come (`Referral.is_valid`)."""
    return Referral.objects.filter(
        Q(valid_until__gt=now) | Q(held_since__isnull=False), state=ReferralState.ISSUED
    )


def ended_stops(*, now: datetime) -> QuerySet[StopListEntry]:
    """Stops that are over and have not been lifted yet."""
    return StopListEntry.objects.filter(lifted_at=None, until__lte=now)


def overdue_benefits(*, now: datetime) -> QuerySet[Benefit]:
    """Verified benefits of children without a place whose last day is over and that have not been ended yet."""
    return Benefit.objects.filter(
        state=BenefitState.VERIFIED, valid_until__lte=now, application__state__in=LIVE_STATES
    )


def categories_to_claim(application: Application) -> QuerySet[BenefitCategory]:
    """What the family may ask for: not what waits for a check, and not what already counts without an end."""
    settled = application.benefits.filter(
        Q(state=BenefitState.CLAIMED) | Q(state=BenefitState.VERIFIED, valid_until=None)
    )
    return BenefitCategory.objects.filter(is_active=True).exclude(pk__in=settled.values("category"))


def claims_to_check() -> QuerySet[Benefit]:
    """Benefits that wait for an official, the oldest first; none of a child that has a place or left the queue."""
    return Benefit.objects.filter(state=BenefitState.CLAIMED, application__state__in=LIVE_STATES).order_by(
        "claimed_at", "id"
    )


def referrals_without_pdf() -> QuerySet[Referral]:
    """Valid referrals whose paper has not been made yet."""
    return Referral.objects.filter(state=ReferralState.ISSUED, pdf="")


def vacancies_to_award(*, now: datetime) -> QuerySet[Vacancy]:
    """Queue-order vacancies whose time is over while collected bids wait for their award; none that a pause holds."""
    collected = Vacancy.objects.filter(
        mode=Vacancy.Mode.QUEUE_ORDER, state__in=[Vacancy.State.PUBLISHED, Vacancy.State.CLOSED]
    )
    return (
        with_pauses(collected)
        .filter(
            closes_at__lte=Least(Value(now), "paused_since"),
            bids__in=Bid.objects.filter(state=BidState.PENDING, holds_seat=False),
        )
        .distinct()
    )


def recalled_with_bids() -> QuerySet[Vacancy]:
    """Recalled vacancies with bids that are still pending."""
    return Vacancy.objects.filter(
        state=Vacancy.State.RECALLED, bids__in=Bid.objects.filter(state=BidState.PENDING)
    ).distinct()
