"""A vacancy's life in the bulletin: publication, recall, closing, and the award of collected bids."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from accounts import audit
from accounts.audit_actions import Action
from accounts.models import User
from applications.bidding import TELL_TASK, grant_seat
from applications.models import Application, Bid, PriorityCutoff
from applications.moves import Refused, lock_vacancy, locking
from applications.queue.order import head_by_tier
from applications.queue.position import numbers_of
from applications.refusals import Refusal
from applications.rules.in_force import rules_for
from applications.states import ApplicationState, BidState, Tier
from applications.transitions.bids import lose_bid, void_bid
from bulletin import services
from bulletin.calendar import working_calendar
from bulletin.models import Vacancy
from bulletin.opening import bidding_clock
from notifications.broker import wake_soon_on_commit
from notifications.sweeps import renew_connection

logger = logging.getLogger(__name__)


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
    """Give the places of a queue-order vacancy to the collected bids with the smallest numbers; end the others.

    `now` is a reading of `notifications.clock`, taken at any time before. Does nothing before `closes_at`, nor while a
    pause holds it off, nor after a recall. One short transaction decides over the places; then each of the others is
    ended and told in a transaction of its own. A place that a winner gives back meanwhile goes to the next in order
    first. May be repeated, and goes on where a broken run ended; while another worker is at it, it is left to that one.
    Returns how many places were given; their families are told by a worker (`jobs.tell_placed_bids`).
    """
    given = 0
    with _alone(vacancy) as is_alone:
        is_done = not is_alone
        while not is_done:
            winners, others = _give_places(vacancy, now=now)
            given += len(winners)
            is_done = _end_others(others, now=now)
    return given


@contextmanager
def _alone(vacancy: Vacancy) -> Iterator[bool]:
    """Whether no other connection awards this vacancy; none begins to meanwhile. It ends with the connection, too.

    Nothing depends on it: it spares the workers to follow each other through thousands of families.
    """
    key = f"award {vacancy.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        is_alone: bool = cursor.fetchone()[0]
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _give_places(vacancy: Vacancy, *, now: datetime) -> tuple[list[Bid], list[Bid]]:
    """Who has a place from now on, and who has none; both in the order of their numbers.

    The vacancy's lock waits for every bid under way, so that none is overlooked. The bids change without the locks of
    their applications, which would have to be had first. That is safe because no one else changes such a bid unseen:
    whoever ends a pending bid reads it under this lock (`transitions.bids`), an activation asks for a place that it
    holds already, and only the columns of the award are written.
    """
    with locking():
        vacancy = lock_vacancy(vacancy.pk)
        if not _is_to_award(vacancy, now=now):
            return [], []
        order = _in_order_of_the_queue(vacancy, now=now)
        winners, others = order[: vacancy.seats_free], order[vacancy.seats_free :]
        for bid in winners:
            grant_seat(bid, vacancy, now=now)
            bid.awarded_at = now
            bid.save(update_fields=["holds_seat", "answer_due", "awarded_at"])
        if winners:
            services.set_awarded(vacancy, now=now)
            wake_soon_on_commit(TELL_TASK)
    return winners, others


def _is_to_award(vacancy: Vacancy, *, now: datetime) -> bool:
    return (
        vacancy.mode == Vacancy.Mode.QUEUE_ORDER
        and vacancy.state in (Vacancy.State.PUBLISHED, Vacancy.State.CLOSED)
        and vacancy.closes_at is not None
        and bidding_clock(vacancy, now=now) >= vacancy.closes_at
    )


def _in_order_of_the_queue(vacancy: Vacancy, *, now: datetime) -> list[Bid]:
    """The collected bids that have no place, the smallest number first; between queues a tie goes by time of filing."""
    collected = list(
        Bid.objects.filter(vacancy=vacancy, state=BidState.PENDING, holds_seat=False).select_related(
            "application__locality"
        )
    )
    numbers = numbers_of([bid.application for bid in collected], now=now)
    return sorted(
        collected,
        key=lambda bid: (
            numbers[bid.application_id],
            bid.application.filed_at,
            bid.application.sequence,
        ),
    )


def _end_others(bids: Sequence[Bid], *, now: datetime) -> bool:
    """End these bids, in this run or the next; False as soon as a place is free, which the next in order gets first.

    The last number hears first, so that whoever is next has not been sent away when a winner withdraws. For the same
    reason a bid that is locked leaves itself and all smaller numbers to the next run. What fails otherwise is logged
    and left to the next run alone: it may fail for ever.
    """
    for bid in reversed(bids):
        try:
            if not lose_bid(bid, now=now):
                return False
        except Refused as refused:
            if refused.reason == Refusal.BUSY:
                return True
            if refused.reason != Refusal.BID_ENDED:
                logger.warning("bid %s could not be ended: %s", bid.pk, refused.reason)
        except Exception:
            logger.exception("bid %s could not be ended", bid.pk)
            renew_connection()
    return True
