"""Who gets a place: at once in the order of arrival, or later by the queue among the collected bids."""

import logging
import math
import time
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet, Value
from django.db.models.functions import Least

from applications.bidding.ending import lose_bid
from applications.bidding.rush import TELL_TASK
from applications.models import Bid
from applications.moves import Refused, lock_vacancy, locking
from applications.preview import is_preview
from applications.queue.position import in_order
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.states import BidState
from bulletin import seats, services
from bulletin.calendar import working_calendar
from bulletin.models import Vacancy
from bulletin.opening import bidding_clock
from bulletin.selectors import with_pauses
from bulletin.workdays import end_of_day
from notifications.alone import alone
from notifications.broker import wake_soon_on_commit
from notifications.sweeps import renew_connection

logger = logging.getLogger(__name__)


def grant_seat(bid: Bid, vacancy: Vacancy, *, now: datetime) -> None:
    """Give the bid a place, and the kindergarten its time to answer. The vacancy is locked; the caller saves the bid.

    Raises `Refused(FULL)`.
    """
    if not seats.take(vacancy):
        raise Refused(Refusal.FULL)
    hold_seat(bid, vacancy, now=now)


def hold_seat(bid: Bid, vacancy: Vacancy, *, now: datetime) -> None:
    """Let the bid hold a seat that is taken already, and give the kindergarten its time to answer."""
    locality = vacancy.locality
    days = rules_at(locality, now).activation_working_days
    bid.holds_seat = True
    # Empty where that is the instant of the bid itself, as the press leaves it.
    bid.asked_at = now if now > bid.placed_at else None
    # Told anew: of a bid that waits again employees, and the family, were told once before.
    bid.listed_at = bid.reminded_at = bid.escalated_at = bid.silence_told_at = None
    bid.answer_due = end_of_day(working_calendar().add(locality.day(now), days), locality.zone)


def award_collected(vacancy: Vacancy, *, now: datetime, until: float = math.inf) -> int:
    """Give the places of a queue-order vacancy to the collected bids with the smallest numbers, and end the others.

    `now` is an earlier reading of `notifications.clock`. Does nothing before `closes_at`, while a pause delays it,
    after a recall, or before the portal opens. One short transaction gives the places; then each of the other bids is
    ended and its family told in a transaction of its own, none after `until` (`time.monotonic`). If a winner gives a
    place back meanwhile, it goes to the next in order first. May be repeated, and continues where a run ended or broke
    off; if another worker is at it, it is left to that one. Returns how many places were given; a worker tells their
    families (`jobs.tell_placed_bids`).
    """
    given = 0
    # Nothing depends on it: it keeps workers from following each other through thousands of families.
    with alone(f"award {vacancy.pk}") as is_alone:
        is_done = not is_alone
        while not is_done:
            winners, others = _give_places(vacancy, now=now)
            given += len(winners)
            is_done = _end_others(others, now=now, until=until)
    return given


def _give_places(vacancy: Vacancy, *, now: datetime) -> tuple[list[Bid], list[Bid]]:
    """Give the places; returns the bids that have one now and those that have none, both in order of their numbers.

    The vacancy's lock waits for every bid under way, so none is overlooked. The bids change without the locks of their
    applications, which would have to be taken first. That is safe because nobody else changes such a bid unseen: code
    that ends a pending bid reads it under this lock (`bidding.ending`), an activation needs a place that the bid holds
    already, and only the columns of the award are written.
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
            bid.save(update_fields=["holds_seat", "asked_at", "answer_due", "awarded_at"])
        if winners:
            services.set_awarded(vacancy, now=now)
            wake_soon_on_commit(TELL_TASK)
    return winners, others


def _is_to_award(vacancy: Vacancy, *, now: datetime) -> bool:
    return (
        not is_preview()
        and vacancy.mode == Vacancy.Mode.QUEUE_ORDER
        and vacancy.state in (Vacancy.State.PUBLISHED, Vacancy.State.CLOSED)
        and vacancy.closes_at is not None
        and bidding_clock(vacancy, now=now) >= vacancy.closes_at
    )


def _in_order_of_the_queue(vacancy: Vacancy, *, now: datetime) -> list[Bid]:
    """The collected bids without a place, the smallest number first; ties between queues go by time of filing."""
    collected = Bid.objects.filter(vacancy=vacancy, state=BidState.PENDING, holds_seat=False)
    bids = {bid.application_id: bid for bid in collected.select_related("application__locality")}
    order = in_order([bid.application for bid in bids.values()], now=now)
    return [bids[application.pk] for application in order]


def _end_others(bids: Sequence[Bid], *, now: datetime, until: float) -> bool:
    """End these bids, in this run or the next; False once a place is free, which then goes to the next in order first.

    This run ends none after `until` (`time.monotonic`).

    The largest number is told first, so that the next in order has not been turned away if a winner withdraws. For the
    same reason a locked bid, with all smaller numbers, is left to the next run. Any other failure is logged, and only
    that bid is left to the next run, since it may fail for ever.
    """
    for bid in reversed(bids):
        if time.monotonic() >= until:
            return True
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
    """Closed queue-order vacancies whose collected bids wait for their award; none that a pause delays."""
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
