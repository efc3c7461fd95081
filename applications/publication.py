"""A vacancy's life in the bulletin: publication, recall, closing, and the award of collected bids."""

from datetime import datetime

from django.db.models import QuerySet

from accounts import audit
from accounts.audit_actions import Action
from accounts.models import User
from applications.bidding import grant_seat
from applications.models import Application, Bid, PriorityCutoff
from applications.queue import head_by_tier, position
from applications.refusals import Refusal
from applications.rules import rules_for
from applications.states import ApplicationState, BidState, Tier
from applications.transitions.base import Refused, lock_application, lock_vacancy, locking
from applications.transitions.bids import lose_bid, void_bid
from bulletin import services
from bulletin.calendar import working_calendar
from bulletin.models import Vacancy
from bulletin.opening import bidding_clock


def publish_vacancy(vacancy: Vacancy, *, actor: User, now: datetime) -> Vacancy:
    """Put a draft into the bulletin and decide who is inside its priority window.

    The window runs from the opening for `Rules.priority_working_days`, to the same time of day. Inside are, of every
    matching queue, the first `seats x Rules.priority_seats_multiple` that wait for a place. Raises `Refused`
    (NOT_A_DRAFT, OPENING_PASSED).
    """
    with locking():
        vacancy = lock_vacancy(vacancy.pk)
        if vacancy.state != Vacancy.State.DRAFT:
            raise Refused(Refusal.NOT_A_DRAFT)
        if vacancy.closes_at is not None and vacancy.closes_at <= now:
            raise Refused(Refusal.OPENING_PASSED)
        services.set_published(vacancy, priority_until=priority_until(vacancy), now=now)
        PriorityCutoff.objects.bulk_create(priority_cutoffs(vacancy))
        audit.record(Action.VACANCY_PUBLISHED, actor=actor, target=str(vacancy), now=now)
    return vacancy


def priority_until(vacancy: Vacancy) -> datetime | None:
    """The first instant at which the vacancy is for everyone who matches; None without a priority window."""
    opens = vacancy.opens_at.astimezone(vacancy.locality.zone)
    days = rules_for(vacancy.locality, day=opens.date()).priority_working_days
    if days == 0:
        return None
    return datetime.combine(working_calendar().add(opens.date(), days), opens.timetz())


def priority_cutoffs(vacancy: Vacancy) -> list[PriorityCutoff]:
    """The last place inside the priority window, for every birth year and tier that has one; not saved."""
    day = vacancy.opens_at.astimezone(vacancy.locality.zone).date()
    rules = rules_for(vacancy.locality, day=day)
    cutoffs = []
    for birth_year in vacancy.birth_years:
        matching = matching_queue(vacancy, birth_year)
        totals = {tier: matching.filter(tier=tier).count() for tier in Tier}
        inside = head_by_tier(
            vacancy.seats_total * rules.priority_seats_multiple,
            totals=totals,
            general_per_priority=rules.general_per_priority,
        )
        for tier, count in inside.items():
            if count:
                last = matching.filter(tier=tier).order_by("filed_at", "sequence")[count - 1]
                cutoffs.append(
                    PriorityCutoff(
                        vacancy=vacancy,
                        birth_year=birth_year,
                        tier=tier,
                        filed_at=last.filed_at,
                        sequence=last.sequence,
                    )
                )
    return cutoffs


def matching_queue(vacancy: Vacancy, birth_year: int) -> QuerySet[Application]:
    """The applications of one birth year that wait for such a place."""
    return Application.objects.filter(
        locality=vacancy.locality,
        birth_year=birth_year,
        languages__contains=[vacancy.group.language],
        state=ApplicationState.WAITING,
    )


def recall_vacancy(vacancy: Vacancy, *, actor: User, reason: str, now: datetime) -> Vacancy:
    """Take a published vacancy back, with a reason that families read.

    Pending bids become void and their families wait at their original date; referrals already issued stay valid.
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    vacancy = _end(vacancy, Vacancy.State.RECALLED, reason=reason.strip(), now=now)
    audit.record(Action.VACANCY_RECALLED, actor=actor, target=str(vacancy), reason=reason.strip(), now=now)
    void_recalled_bids(vacancy, actor=actor, now=now)
    return vacancy


def void_recalled_bids(vacancy: Vacancy, *, actor: User | None = None, now: datetime) -> int:
    """End the pending bids of a recalled vacancy, one transaction each; returns how many. May be repeated."""
    pending = vacancy.bids.filter(state=BidState.PENDING)
    for bid in pending:
        void_bid(bid, actor=actor, reason=vacancy.end_reason, now=now)
    return len(pending)


def close_vacancy(vacancy: Vacancy, *, now: datetime) -> Vacancy:
    """Stop accepting bids; bids already placed stay with the kindergarten."""
    return _end(vacancy, Vacancy.State.CLOSED, reason="", now=now)


def _end(vacancy: Vacancy, state: Vacancy.State, *, reason: str, now: datetime) -> Vacancy:
    with locking():
        vacancy = lock_vacancy(vacancy.pk)
        if vacancy.state != Vacancy.State.PUBLISHED:
            raise Refused(Refusal.NOT_PUBLISHED)
        services.end(vacancy, state, reason=reason, now=now)
    return vacancy


def award_collected(vacancy: Vacancy, *, now: datetime) -> int:
    """Give the places of a queue-order vacancy to the collected bids with the smallest numbers; tell the others.

    Does nothing before `closes_at`, nor while a pause holds it off. Each bid is decided in its own transaction and
    never twice, so a broken run is simply repeated. Returns how many places were given.
    """
    if vacancy.mode != Vacancy.Mode.QUEUE_ORDER or vacancy.closes_at is None:
        return 0
    if bidding_clock(vacancy, now=now) < vacancy.closes_at:
        return 0
    collected = list(
        Bid.objects.filter(vacancy=vacancy, state=BidState.PENDING, holds_seat=False).select_related(
            "application__locality"
        )
    )
    given = 0
    for bid in sorted(collected, key=lambda bid: _rank(bid, now=now)):
        try:
            given += _decide(bid, now=now)
        except Refused as refused:
            # Withdrawn in this very moment: the next one moves up.
            if refused.reason != Refusal.BID_ENDED:
                raise
    return given


def _rank(bid: Bid, *, now: datetime) -> tuple[int, datetime, int]:
    place = position(bid.application, now=now)
    if place is None:
        raise ValueError("a pending bid without a number")
    return (place.number, bid.application.filed_at, bid.application.sequence)


def _decide(bid: Bid, *, now: datetime) -> bool:
    with locking():
        lock_application(bid.application_id)
        vacancy = lock_vacancy(bid.vacancy_id)
        bid = Bid.objects.get(pk=bid.pk)
        if bid.state != BidState.PENDING:
            raise Refused(Refusal.BID_ENDED)
        if vacancy.seats_free:
            grant_seat(bid, vacancy, now=now)
            bid.save()
            return True
    lose_bid(bid, now=now)
    return False
