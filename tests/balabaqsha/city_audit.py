"""Asks the whole database whether its parts tell one story: states, seats, events, numbers. Used on the demo city."""

from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from applications.models import (
    Application,
    Benefit,
    Bid,
    Contract,
    Event,
    Extension,
    Offer,
    Referral,
    StopListEntry,
)
from applications.states import (
    LIVE_OFFERS,
    LIVE_STATES,
    MOVES,
    ApplicationState,
    BenefitState,
    BidState,
    Move,
    ReferralState,
    Tier,
)
from applications.waiting.aging import too_old
from applications.waiting.campaigns import ended_campaign_for, lapsed_beyond_grace, unconfirmed
from bulletin.models import Locality, Vacancy


def findings(*, now: datetime) -> list[str]:
    """What does not agree, in words; empty for a sound database."""
    return [
        *_seats(),
        *_histories(now=now),
        *_states(),
        *_bids(),
        *_referrals(now=now),
        *_stops(now=now),
        *_benefits(now=now),
        *_numbers(),
        *_overdue(now=now),
    ]


def _overdue(*, now: datetime) -> list[str]:
    """Applications that the calendar should have moved before now."""
    due = [*lapsed_beyond_grace(now=now), *too_old(now=now)]
    for locality in Locality.objects.all():
        ended = ended_campaign_for(locality, now=now)
        due += unconfirmed(ended, locality=locality) if ended else []
    return [f"{application}: overdue in {application.state}" for application in due]


def _seats() -> list[str]:
    held: defaultdict[UUID, int] = defaultdict(int)
    for bid in Bid.objects.filter(holds_seat=True):
        held[bid.vacancy_id] += 1
    for offer in Offer.objects.filter(state__in=LIVE_OFFERS):
        held[offer.vacancy_id] += 1
    return [
        f"vacancy {vacancy.pk}: {vacancy.seats_taken} taken, {held[vacancy.pk]} held"
        for vacancy in Vacancy.objects.all()
        if vacancy.seats_taken != held[vacancy.pk]
    ]


def _histories(*, now: datetime) -> list[str]:
    events = defaultdict(list)
    for event in Event.objects.order_by("id"):
        events[event.application_id].append(event)
    wrong = []
    for application in Application.objects.all():
        history = events[application.pk]
        if not history or history[0].move != Move.FILE or history[0].at != application.filed_at:
            wrong.append(f"{application}: does not begin with its filing")
            continue
        if history[-1].to_state != application.state:
            wrong.append(f"{application}: {application.state}, but its events end in {history[-1].to_state}")
        for before, after in pairwise(history):
            if after.from_state != before.to_state or after.at < before.at:
                wrong.append(f"{application}: {before.move} is followed by {after.move}")
            allowed, target = MOVES[Move(after.move)]
            if before.to_state not in allowed or after.to_state != (target or before.to_state):
                wrong.append(f"{application}: {after.move} is not allowed from {before.to_state}")
        wrong += _standings(application, history)
        if history[-1].at > now:
            wrong.append(f"{application}: an event in the future")
    return wrong


def _standings(application: Application, history: list[Event]) -> list[str]:
    """In the demo city nobody moves house: only benefits change where an application stands."""
    wrong = []
    for before, after in pairwise(history):
        if after.tier != before.tier and after.move not in (Move.VERIFY_BENEFIT, Move.END_BENEFIT):
            wrong.append(f"{application}: {after.move} changed its part of the queue")
    standing = (application.locality_id, application.birth_year, application.filed_at)
    if any(standing != (event.locality_id, event.birth_year, event.filed_at) for event in history):
        wrong.append(f"{application}: an event says that it stood elsewhere")
    if history[0].tier != Tier.GENERAL or history[-1].tier != application.tier:
        wrong.append(f"{application}: its events lead to another part of the queue")
    return wrong


def _states() -> list[str]:
    wrong = []
    for application in Application.objects.prefetch_related("bids", "referrals", "stops"):
        expected = ApplicationState.WAITING
        if any(bid.state == BidState.PENDING for bid in application.bids.all()):
            expected = ApplicationState.BID_PLACED
        if any(stop.lifted_at is None for stop in application.stops.all()):
            expected = ApplicationState.STOP_LISTED
        for referral in application.referrals.all():
            if referral.state == ReferralState.ISSUED:
                expected = ApplicationState.REFERRED
            if referral.state == ReferralState.SIGNED:
                expected = ApplicationState.ENROLLED
        allowed = {expected}
        if expected == ApplicationState.WAITING:
            allowed |= {ApplicationState.LAPSED, ApplicationState.ARCHIVED}
        if application.state not in allowed:
            wrong.append(f"{application}: {application.state}, its rows say {expected}")
    return wrong


def _bids() -> list[str]:
    wrong = []
    for bid in Bid.objects.select_related("application", "vacancy__group__kindergarten", "referral"):
        vacancy, application = bid.vacancy, bid.application
        checks = {
            "another locality": application.locality_id == vacancy.group.kindergarten.locality_id,
            "another birth year": application.birth_year in vacancy.birth_years,
            "another language": vacancy.group.language in application.languages,
            "sent too early": max(vacancy.opens_at, application.filed_at) <= bid.placed_at,
            "its referral": (bid.state == BidState.ACTIVATED) == hasattr(bid, "referral"),
            "its decision": (bid.state == BidState.PENDING) == (bid.decided_at is None),
            "its seat": bid.holds_seat == _should_hold_seat(bid),
        }
        wrong += [f"bid {bid.pk} ({bid.state}): {name}" for name, is_right in checks.items() if not is_right]
    return wrong


def _should_hold_seat(bid: Bid) -> bool:
    if bid.state == BidState.ACTIVATED:
        return bid.referral.state in (ReferralState.ISSUED, ReferralState.SIGNED)
    return bid.state == BidState.PENDING and bid.vacancy.mode == Vacancy.Mode.FIRST_COME


def _referrals(*, now: datetime) -> list[str]:
    wrong = []
    signed = set(Contract.objects.values_list("referral_id", flat=True))
    for referral in Referral.objects.select_related("application", "bid"):
        if referral.application_id != referral.bid.application_id:
            wrong.append(f"{referral}: of another application than its bid")
        if referral.application.number in referral.number:
            wrong.append(f"{referral}: tells its application, {referral.application}")
        if referral.state == ReferralState.ISSUED and referral.valid_until <= now:
            wrong.append(f"{referral}: issued, but its time is over")
        if (referral.state in (ReferralState.SIGNED, ReferralState.ENDED)) != (referral.pk in signed):
            wrong.append(f"{referral}: {referral.state} and its contract disagree")
        if (referral.ended_at is None) != (referral.state == ReferralState.ISSUED):
            wrong.append(f"{referral}: {referral.state}, ended at {referral.ended_at}")
        if referral.ended_at and not referral.issued_at < referral.ended_at <= referral.valid_until:
            wrong.append(f"{referral}: ended outside its time")
    wrong += [
        f"{extension}: without documents, or not longer"
        for extension in Extension.objects.select_related("referral")
        if not extension.documents.exists()
        or extension.previous_valid_until >= extension.referral.valid_until
    ]
    return wrong


def _stops(*, now: datetime) -> list[str]:
    return [
        f"{stop.application}: stop until {stop.until}, lifted at {stop.lifted_at}"
        for stop in StopListEntry.objects.select_related("application", "referral")
        if stop.referral.state != ReferralState.EXPIRED
        or stop.starts_at != stop.referral.valid_until
        or (stop.lifted_at is None) != (stop.until > now)
    ]


def _benefits(*, now: datetime) -> list[str]:
    wrong = []
    for application in Application.objects.prefetch_related("benefits__category"):
        verified = [one for one in application.benefits.all() if one.state == BenefitState.VERIFIED]
        if application.tier != min((one.category.tier for one in verified), default=Tier.GENERAL):
            wrong.append(f"{application}: its part of the queue is not what its benefits give")
        if application.state in LIVE_STATES and not all(one.counts(now=now) for one in verified):
            wrong.append(f"{application}: a benefit counts beyond its time")
    for benefit in Benefit.objects.select_related("application"):
        if benefit.claimed_at < benefit.application.filed_at or benefit.claimed_at > now:
            wrong.append(f"{benefit}: claimed at {benefit.claimed_at}")
        if (benefit.state == BenefitState.CLAIMED) != (benefit.decided_at is None):
            wrong.append(f"{benefit}: {benefit.state}, decided at {benefit.decided_at}")
        if benefit.decided_at and not benefit.claimed_at <= benefit.decided_at <= now:
            wrong.append(f"{benefit}: decided outside its time")
        if (benefit.state == BenefitState.REJECTED) != bool(benefit.reason):
            wrong.append(f"{benefit}: {benefit.state} and its reason disagree")
    return wrong


def _numbers() -> list[str]:
    rows = list(Application.objects.order_by("sequence").values_list("filed_at", "sequence", "number"))
    wrong = [
        f"{number}: sequence {sequence}" for _at, sequence, number in rows if int(number[3:]) != sequence
    ]
    wrong += [
        f"{after[2]} was filed before {before[2]}" for before, after in pairwise(rows) if after[0] < before[0]
    ]
    return wrong
