"""Telling families what happened to a bid, and reminding them of deadlines."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet

from applications.bidding.resuming import concerned, openings_to_tell, opens_to
from applications.journal_actions import Action
from applications.models import Application, Bid, Offer, Referral
from applications.moves import lock_application, lock_referral, locking, remind, trace
from applications.referrals.due import last_day_of
from applications.referrals.extending import may_be_extended
from applications.rules.interest import Campaign
from applications.rules.reminders import reminder
from applications.states import BidState, OfferState, ReferralState
from applications.waiting.aging import about_to_leave
from applications.waiting.campaigns import running_campaign_for, unconfirmed
from bulletin.calendar import working_calendar
from bulletin.models import Locality, MovedOpening, Pause
from bulletin.workdays import Calendar, NoCalendar
from children.access import informed_guardians
from notifications.hours import DAYTIME
from notifications.sweeps import sweep

M = TypeVar("M", bound=Model)

# How many places a notice names; the bulletin has the rest.
NAMED_OPENINGS = 5
# No stretch of days off puts the third working day before a last day further away than this.
LOOK_AHEAD = timedelta(days=21)


def tell_placed_bids(*, now: datetime) -> int:
    """Write the notices, the SMS and the journal for each bid that was sent, or given a place by its queue number.

    And once the time is over in which the kindergarten answers: what that means. Each bid is told of once for each
    event. Returns how many.
    """
    bids = Bid.objects.select_related("vacancy__group__kindergarten", "placed_by")
    sent = bids.filter(told_at=None).order_by("placed_at")
    awarded = bids.filter(awarded_at__isnull=False, award_told_at=None, holds_seat=True)
    silent = bids.filter(
        state=BidState.PENDING, holds_seat=True, answer_due__lte=now, silence_told_at=None
    ).order_by("answer_due", "placed_at")
    return (
        _all(sent, partial(_tell, now=now))
        + _all(awarded.order_by("awarded_at"), partial(_tell_award, now=now))
        + _all(silent, partial(_tell_silence, now=now))
    )


def tell_moved_openings(*, now: datetime) -> int:
    """Tell every waiting family which of the places that suit it open at another time, after a pause.

    One message for each application and pause: by SMS too where a place opens to this family at that time, and not
    only after its priority window. Returns how many applications. What can't be told is tried again up to the opening.
    """
    by_pause: dict[Pause, list[MovedOpening]] = {}
    for opening in openings_to_tell(now=now):
        by_pause.setdefault(opening.pause, []).append(opening)
    told: list[int] = []
    sweep(by_pause, lambda pause: told.append(_tell_of_pause(pause, by_pause[pause], now=now)))
    return sum(told)


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


def remind_deadlines(*, now: datetime) -> None:
    """Remind families of the last day of a referral, 3, 1 and 0 working days before, and of an offer, on that day.

    From the morning of the place on; each reminder once, whatever runs late or twice.
    """
    running = Q(held_since=None)
    ending = Referral.objects.filter(
        running, state=ReferralState.ISSUED, valid_until__gt=now, valid_until__lte=now + LOOK_AHEAD
    )
    last = Offer.objects.filter(
        running, state=OfferState.OFFERED, until__gt=now, until__lte=now + timedelta(days=2)
    )
    sweep(
        ending.select_related("application__locality", "extension"),
        partial(_remind, calendar=_calendar(), now=now),
    )
    sweep(last.select_related("application__locality"), partial(_remind_offer, now=now))


def _calendar() -> Calendar | None:
    try:
        return working_calendar()
    except NoCalendar:
        return None


def _left(referral: Referral, calendar: Calendar | None, *, now: datetime) -> int | None:
    """The reminder that is due (`reminders.reminder`), from the morning on."""
    place = referral.application.locality
    if not _is_morning(place, now=now):
        return None
    told_at = referral.extension.made_at if hasattr(referral, "extension") else referral.issued_at
    return reminder(
        today=place.day(now), told_on=place.day(told_at), last_day=last_day_of(referral), calendar=calendar
    )


def _is_last_day(offer: Offer, *, now: datetime) -> bool:
    assert offer.application is not None
    assert offer.until is not None
    place = offer.application.locality
    return _is_morning(place, now=now) and place.day(now) == place.last_day(offer.until)


def _is_morning(place: Locality, *, now: datetime) -> bool:
    """Whether the hours in which people are told of things have begun there today; they may be over."""
    return now.astimezone(place.zone).time() >= DAYTIME.start


def remind_interest(*, now: datetime) -> int:
    """Remind families that have yet to confirm their interest: at the start, and 14 and 2 days before the last day.

    Returns how many applications are reminded now; each gets each reminder once, however often this runs.
    """
    reminded: list[int] = []
    sweep(Locality.objects.all(), lambda locality: reminded.append(_remind_interest_in(locality, now=now)))
    return sum(reminded)


def _remind_interest_in(locality: Locality, *, now: datetime) -> int:
    campaign = running_campaign_for(locality, now=now)
    if campaign is None or not campaign.reminder(now=now):
        return 0
    asked = unconfirmed(campaign, locality=locality)
    return sweep(asked, partial(_remind_interest, campaign=campaign, now=now))


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
            pressed_by=bid.placed_by,
            vacancy=bid.vacancy,
            last_day=application.locality.last_day(bid.answer_due) if bid.answer_due else None,
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


def _tell_silence(bid: Bid, *, now: datetime) -> None:
    with locking():
        application = lock_application(bid.application_id)
        # If the kindergarten has answered meanwhile, or owes its answer anew, there is nothing to tell.
        waiting = Bid.objects.filter(
            pk=bid.pk,
            state=BidState.PENDING,
            holds_seat=True,
            answer_due=bid.answer_due,
            silence_told_at=None,
        )
        if not waiting.update(silence_told_at=now):
            return
        remind(application, "answer_late", key=f"{bid.pk}:{bid.answer_due}", now=now, vacancy=bid.vacancy)


def _remind(referral: Referral, *, calendar: Calendar | None, now: datetime) -> None:
    if _left(referral, calendar, now=now) is None:
        return
    with locking():
        application = lock_application(referral.application_id)
        # Read anew: the family may have signed or extended it meanwhile.
        referral = lock_referral(referral.pk)
        left = _left(referral, calendar, now=now)
        if referral.state != ReferralState.ISSUED or referral.held_since is not None or left is None:
            return
        remind(
            application,
            "referral_reminder",
            key=f"{referral.pk}:{referral.valid_until:%Y%m%d}:{left}",
            now=now,
            known_by=referral.valid_until,
            referral=referral,
            vacancy=referral.bid.vacancy,
            last_day=last_day_of(referral),
            is_extended=hasattr(referral, "extension"),
            may_extend=may_be_extended(referral),
        )


def _remind_offer(offer: Offer, *, now: datetime) -> None:
    assert offer.application_id is not None
    if not _is_last_day(offer, now=now):
        return
    with locking():
        application = lock_application(offer.application_id)
        offer = Offer.objects.select_related("vacancy__group__kindergarten").get(pk=offer.pk)
        if offer.state != OfferState.OFFERED or offer.held_since is not None or offer.until is None:
            return
        remind(
            application,
            "offer_reminder",
            key=f"{offer.pk}:{offer.until:%Y%m%d}",
            now=now,
            known_by=offer.until,
            vacancy=offer.vacancy,
            last_day=application.locality.last_day(offer.until),
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
