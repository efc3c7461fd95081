"""A bid is activated: the family gets a referral."""

import secrets
from datetime import date, datetime
from typing import Final

from accounts.models import User
from applications.bidding.stand_ins import ACTIVATED, recorded, stand_in_for
from applications.models import Bid, Referral
from applications.moves import Refused, announce, lock_application, locking, move
from applications.referrals.standstill import hold_if_halted
from applications.referrals.stored_paper import order_paper
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.states import BidState, Move
from bulletin.calendar import working_calendar
from bulletin.closings import is_closed
from bulletin.workdays import end_of_day

# Far more than are ever issued, so that guessing hits none.
NUMBERS_A_YEAR: Final = 10**8


def activate_bid(bid: Bid, *, actor: User, now: datetime) -> Referral:
    """Accept a pending bid for the kindergarten: the family gets a referral.

    Valid to the end of the fifth working day after today (`Rules.referral_working_days`, the locality's zone, the day
    of issue not counted). If an official decides in place of the kindergarten, that is recorded. Raises `Refused`
    (BID_ENDED, CALENDAR, GROUP_CLOSED, NOT_AWARDED_YET while bids are being collected).
    """
    with locking():
        application = lock_application(bid.application_id)
        bid = _bid(bid)
        if bid.state != BidState.PENDING:
            raise Refused(Refusal.BID_ENDED)
        if not bid.holds_seat:
            raise Refused(Refusal.NOT_AWARDED_YET)
        # Read without the group's lock: what a closing does not see yet, it ends afterwards.
        if is_closed(bid.vacancy.group):
            raise Refused(Refusal.GROUP_CLOSED)
        zone = application.locality.zone
        today = application.locality.day(now)
        rules = rules_at(application.locality, now)
        last_day = working_calendar().add(today, rules.referral_working_days)
        bid.stand_in = stand_in_for(bid, actor=actor, now=now)
        bid.state, bid.decided_at = BidState.ACTIVATED, now
        bid.save()
        referral = Referral.objects.create(
            number=_fresh_number(today),
            application=application,
            bid=bid,
            issued_at=now,
            issued_by=actor,
            valid_until=end_of_day(last_day, zone),
            working_days=rules.referral_working_days,
        )
        data = {"referral": str(referral.pk)} | recorded(bid)
        event = move(application, Move.ISSUE_REFERRAL, actor=actor, now=now, data=data)
        announce(
            event,
            "referral_issued",
            ACTIVATED[bid.stand_in],
            referral=referral,
            vacancy=bid.vacancy,
            stand_in=bid.stand_in,
            days=rules.referral_working_days,
            stop_days=rules.stop_working_days,
            last_day=last_day,
        )
        hold_if_halted(application, now=now)
        referral.refresh_from_db(fields=["held_since"])
        order_paper(referral)
    return referral


def referral_number(day: date, draw: int) -> str:
    """The number of a referral issued on a day: its year and eight random digits. Pure.

    It says nothing about the application, so that the public register does not lead from an application to its
    kindergarten.
    """
    return f"{day:%y}-{draw // 10_000:04}-{draw % 10_000:04}"


def _fresh_number(day: date) -> str:
    while True:
        number = referral_number(day, secrets.randbelow(NUMBERS_A_YEAR))
        if not Referral.objects.filter(number=number).exists():
            return number


def _bid(bid: Bid) -> Bid:
    related = ("vacancy__group__kindergarten__locality", "application__child")
    return Bid.objects.select_related(*related).get(pk=bid.pk)
