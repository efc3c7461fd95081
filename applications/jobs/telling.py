"""Telling families what happened to a bid, and reminding them of deadlines."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from applications.bidding.resuming import concerned, openings_to_tell, opens_to
from applications.journal_actions import Action
from applications.models import Application, Bid, Referral
from applications.moves import lock_application, locking, remind, trace
from applications.referrals.due import last_day_of
from applications.rules.interest import Campaign
from applications.states import ReferralState
from applications.waiting.aging import about_to_leave
from applications.waiting.campaigns import running_campaign_for, unconfirmed
from bulletin.models import Locality, MovedOpening, Pause
from children.access import informed_guardians
from notifications.sweeps import sweep

M = TypeVar("M", bound=Model)

# How many places a notice names; the bulletin has the rest.
NAMED_OPENINGS = 5
REMIND_BEFORE = timedelta(days=1)


def tell_placed_bids(*, now: datetime) -> int:
    """Write the notices, the SMS and the journal for each bid that was sent, or given a place by its queue number.

    Each bid is told of once for each event. Returns how many.
    """
    bids = Bid.objects.select_related("vacancy__group__kindergarten", "placed_by")
    sent = bids.filter(told_at=None).order_by("placed_at")
    awarded = bids.filter(awarded_at__isnull=False, award_told_at=None, holds_seat=True)
    return _all(sent, partial(_tell, now=now)) + _all(
        awarded.order_by("awarded_at"), partial(_tell_award, now=now)
    )


def tell_moved_openings(*, now: datetime) -> int:
    """Tell every waiting family which of the places that suit it open at another time, after a pause.

    One message for each application and pause: by SMS too where a place opens to this family at that time, and not
    only after its priority window. Returns how many applications. What can't be told is tried again up to the opening.
    """
    by_pause: dict[Pause, list[MovedOpening]] = {}
    for opening in openings_to_tell(now=now):
        by_pause.setdefault(opening.pause, []).append(opening)
    return sum(_tell_of_pause(pause, openings, now=now) for pause, openings in by_pause.items())


def _tell_of_pause(pause: Pause, openings: list[MovedOpening], *, now: datetime) -> int:
    found = concerned(openings)
    told = sweep(found, lambda one: _tell_moved(one, found[one], pause=pause, now=now))
    if told == len(found):
        MovedOpening.objects.filter(pk__in=[opening.pk for opening in openings]).update(told_at=now)
    return told


def _tell_moved(
    application: Application, openings: list[MovedOpening], *, pause: Pause, now: datetime
) -> None:
    openings = sorted(openings, key=lambda opening: opening.becomes)
    now_for_them = [opening for opening in openings if opens_to(application, opening)]
    with transaction.atomic():
        remind(
            application,
            "opening_moved" if now_for_them else "opening_moved_behind",
            key=f"{pause.pk}:{application.pk}",
            now=now,
            known_by=(now_for_them or openings)[0].becomes,
            openings=openings[:NAMED_OPENINGS],
            others=max(len(openings) - NAMED_OPENINGS, 0),
            first=(now_for_them or openings)[0],
        )


def remind_deadlines(*, now: datetime) -> int:
    """Remind each family once, a day before its referral ends. Returns how many referrals are that close."""
    ending = Referral.objects.filter(
        state=ReferralState.ISSUED,
        held_since=None,
        valid_until__gt=now,
        valid_until__lte=now + REMIND_BEFORE,
    )
    return sweep(ending, lambda referral: _remind(referral, now=now))


def remind_interest(*, now: datetime) -> int:
    """Remind families that have yet to confirm their interest: at the start, and 14 and 2 days before the last day.

    Returns how many applications are reminded now; each gets each reminder once, however often this runs.
    """
    reminded = 0
    for locality in Locality.objects.all():
        campaign = running_campaign_for(locality, now=now)
        if campaign is not None and campaign.reminder(now=now):
            asked = unconfirmed(campaign, locality=locality)
            reminded += sweep(asked, partial(_remind_interest, campaign=campaign, now=now))
    return reminded


def remind_aging(*, now: datetime) -> int:
    """In December, tell each family once whose child is too old from January on. Returns how many applications."""
    return sweep(about_to_leave(now=now), lambda application: _remind_aging(application, now=now))


def _tell(bid: Bid, *, now: datetime) -> None:
    with locking():
        # Other changes to the bid wait, so that no other writer resets the mark.
        application = lock_application(bid.application_id)
        if not Bid.objects.filter(pk=bid.pk, told_at=None).update(told_at=now):
            return
        guardians = informed_guardians(application.child)
        remind(
            application,
            "bid_placed",
            key=str(bid.pk),
            now=bid.placed_at,
            guardians=guardians,
            vacancy=bid.vacancy,
        )
        trace(application, Action.BID_PLACED, actor=bid.placed_by, now=bid.placed_at, guardians=guardians)


def _tell_award(bid: Bid, *, now: datetime) -> None:
    with locking():
        application = lock_application(bid.application_id)
        # If the family has given the place back meanwhile, there is nothing to tell.
        if not Bid.objects.filter(pk=bid.pk, award_told_at=None, holds_seat=True).update(award_told_at=now):
            return
        assert bid.awarded_at is not None
        assert bid.answer_due is not None
        last_day = application.locality.last_day(bid.answer_due)
        guardians = informed_guardians(application.child)
        remind(
            application,
            "bid_awarded",
            key=str(bid.pk),
            now=bid.awarded_at,
            guardians=guardians,
            vacancy=bid.vacancy,
            last_day=last_day,
        )
        trace(application, Action.BID_AWARDED, actor=None, now=bid.awarded_at, guardians=guardians)


def _remind(referral: Referral, *, now: datetime) -> None:
    remind(
        referral.application,
        "referral_reminder",
        key=f"{referral.pk}:{referral.valid_until:%Y%m%d}",
        now=now,
        referral=referral,
        vacancy=referral.bid.vacancy,
        last_day=last_day_of(referral),
        is_extended=hasattr(referral, "extension"),
    )


def _remind_interest(application: Application, *, campaign: Campaign, now: datetime) -> None:
    key = f"{application.pk}:{campaign.year}:{campaign.reminder(now=now)}"
    remind(application, "interest_reminder", key=key, now=now, last_day=campaign.last_day)


def _remind_aging(application: Application, *, now: datetime) -> None:
    last_day = date(application.locality.day(now).year, 12, 31)
    key = f"{application.pk}:{last_day.year}"
    remind(application, "aging_out", key=key, now=now, last_day=last_day)


def _all(objects: QuerySet[M], work: Callable[[M], Any]) -> int:
    """`sweep` until none is left that can be handled: more may have come meanwhile; failures wait for the next run."""
    done = 0
    while found := sweep(objects.all(), work):
        done += found
    return done
