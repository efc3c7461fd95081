"""What a bid is, step by step: the reference to which a property test holds the one statement that families press.

Tests set up their bids with it, at any instant and with any row at hand.
"""

from datetime import datetime

from accounts.models import User
from applications.bidding.award import grant_seat
from applications.bidding.eligibility import why_not
from applications.bidding.ending import live_bid
from applications.bidding.rush import TELL_TASK
from applications.models import Application, Bid
from applications.moves import Refused, lock_application, lock_vacancy, locking, move
from applications.refusals import Refusal
from applications.states import Move
from bulletin.models import Vacancy
from children.disputes import side_of
from notifications.broker import wake_soon_on_commit


def place_bid(application: Application, vacancy: Vacancy, *, actor: User, now: datetime) -> Bid:
    """Ask for one of the vacancy's places.

    In first-come mode the bid holds a place from now on; in queue-order mode it joins the collected ones. A second
    press for the same vacancy returns the first bid. Raises `Refused` with the reason of `why_not`, or BUSY when a
    lock could not be had in three seconds.

    The first check is made without a lock and may only refuse; the second is made under the locks of the application
    and then the vacancy, and decides. The family is told by a worker (`jobs.tell_placed_bids`).

    What ran out by `now` has been settled before, as `access.settling` does.
    """
    live = live_bid(application)
    if live is not None and live.vacancy_id == vacancy.pk:
        return live
    application.asker_side = side_of(application.child, actor)
    _refuse(why_not(application, vacancy, now=now))
    with locking():
        application = lock_application(application.pk)
        live = live_bid(application)
        if live is not None and live.vacancy_id == vacancy.pk:
            return live
        vacancy = lock_vacancy(vacancy.pk)
        application.asker_side = side_of(application.child, actor)
        _refuse(why_not(application, vacancy, now=now))
        bid = Bid(application=application, vacancy=vacancy, placed_at=now, placed_by=actor)
        if vacancy.mode == Vacancy.Mode.FIRST_COME:
            grant_seat(bid, vacancy, now=now)
        bid.save(force_insert=True)
        move(application, Move.PLACE_BID, actor=actor, now=now, data={"bid": str(bid.pk)})
        wake_soon_on_commit(TELL_TASK)
    return bid


def _refuse(reason: Refusal | None) -> None:
    if reason is not None:
        raise Refused(reason)
