"""What ran out is ended, and what was collected is awarded."""

import time
from datetime import datetime
from functools import partial
from typing import Final

from accounts.registry import PhoneTie
from accounts.services import refresh_phone_tie
from applications.access.settling import ran_out, settle
from applications.bidding.award import award_collected, vacancies_to_award
from applications.bidding.offers import (
    end_if_over,
    end_recalled_offers,
    offer_to_the_next,
    offers_over,
    places_to_offer,
    recalled_with_offers,
)
from applications.bidding.publication import recalled_with_bids, void_recalled_bids
from applications.disputes.guardianships import settle_dispute
from applications.models import Application
from applications.preview import is_preview
from applications.referrals.days_off import lengthen_referral, to_lengthen
from bulletin.calendar import working_calendar
from bulletin.workdays import NoCalendar
from children.disputes import undecided
from children.models import Dispute
from notifications.sweeps import sweep

# Who gets no place among thousands is told in the next run, half a minute later, rather than that this one is killed: a
# task may take five minutes.
AWARD_SECONDS: Final = 200.0


def settle_what_ran_out(*, now: datetime) -> int:
    """Bring up to `now` every application in which something may have ended. Returns how many were looked at."""

    def settle_one(application: Application) -> None:
        # Another worker, or the family itself, may have been here meanwhile.
        application.refresh_from_db(fields=["runs_out_at"])
        settle(application, now=now)

    return sweep(ran_out(now=now).order_by("runs_out_at", "pk"), settle_one)


def award_bids(*, now: datetime) -> int:
    """Award what was collected, and finish recalls that were broken off. Returns how many vacancies.

    `now` is a reading of `notifications.clock`: the clock that accepted the bids also ends their time.
    """
    # The award follows the order of the queue, where nothing that ran out may count.
    settle_what_ran_out(now=now)
    award = partial(award_collected, now=now, until=time.monotonic() + AWARD_SECONDS)
    awarded = sweep(vacancies_to_award(now=now), award)
    return awarded + sweep(recalled_with_bids(), lambda vacancy: void_recalled_bids(vacancy, now=now))


def pass_on_offers(*, now: datetime) -> int:
    """End the offers that are over, and offer each place that was given back to the next in order.

    Nothing is locked for an offer that goes on. Returns how many offers were handled. A place goes on in the same run,
    as far as somebody is left. Before the portal opens nobody could answer, so it rests.
    """
    # A number follows the queue, where nothing that ran out may count.
    settle_what_ran_out(now=now)
    looked_at = sweep(recalled_with_offers(), lambda vacancy: end_recalled_offers(vacancy, now=now))
    if is_preview():
        return looked_at
    looked_at += sweep(offers_over(now=now), partial(end_if_over, now=now))
    return looked_at + sweep(places_to_offer(), partial(offer_to_the_next, now=now))


def lengthen_referrals(*, now: datetime) -> int:
    """Give families the days that a day off, added late, took from their referrals. Returns how many referrals."""
    try:
        calendar = working_calendar()
    except NoCalendar:
        return 0
    found = [longer.referral for longer in to_lengthen(calendar, now=now)]
    return sweep(found, partial(lengthen_referral, now=now))


def settle_disputes(*, now: datetime) -> int:
    """Bring every undecided dispute up to date with what the registries say now. Returns how many were looked at.

    Asks the person registry whether the newcomer's phone is theirs after all; without an answer nothing changes.
    """
    waiting = undecided().select_related("guardianship__user__profile", "guardianship__child")
    return sweep(waiting, partial(_settle_dispute, now=now))


def _settle_dispute(dispute: Dispute, *, now: datetime) -> None:
    if dispute.is_mutual:
        refresh_phone_tie(dispute.raised_by)
    is_tied = dispute.is_halting and refresh_phone_tie(dispute.guardianship.user) is PhoneTie.YES
    settle_dispute(dispute, is_tied=is_tied, now=now)
