"""Who gets a place: at once by the order of arrival, or by the queue from the bids that were collected."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet, Value
from django.db.models.functions import Least

from applications.bidding.ending import lose_bid
from applications.bidding.rush import TELL_TASK
from applications.models import (
    Bid,
)
from applications.moves import Refused, lock_vacancy, locking
from applications.queue.position import numbers_of
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.states import BidState
from bulletin import seats, services
from bulletin.calendar import working_calendar
from bulletin.models import Vacancy
from bulletin.opening import bidding_clock
from bulletin.selectors import with_pauses
from bulletin.workdays import end_of_day
from notifications.broker import wake_soon_on_commit
from notifications.sweeps import renew_connection

logger = logging.getLogger(__name__)


def grant_seat(bid: Bid, vacancy: Vacancy, *, now: datetime) -> None:
    """Give the bid a place and the kindergarten its time to answer; the vacancy is locked, the caller saves the bid.

    Raises `Refused(FULL)`.
    """
    if not seats.take(vacancy):
        raise Refused(Refusal.FULL)
    locality = vacancy.locality
    days = rules_at(locality, now).activation_working_days
    bid.holds_seat = True
    bid.answer_due = end_of_day(working_calendar().add(locality.day(now), days), locality.zone)


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
