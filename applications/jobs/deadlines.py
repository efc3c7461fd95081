"""What ran out is ended, and what was collected is awarded."""

from datetime import datetime
from functools import partial

from accounts.registry import PhoneTie
from accounts.services import refresh_phone_tie
from applications.benefits.claims import expire_benefit, overdue_benefits
from applications.bidding.award import award_collected, vacancies_to_award
from applications.bidding.publication import recalled_with_bids, void_recalled_bids
from applications.disputes.guardianships import settle_dispute
from applications.referrals.due import overdue_referrals
from applications.referrals.ending import expire_referral
from applications.referrals.stops import ended_stops, lift_stop
from applications.waiting.aging import age_out, too_old
from applications.waiting.campaigns import (
    ended_campaign_for,
    lapsed_beyond_grace,
    unconfirmed,
)
from applications.waiting.confirming import end_lapsed, lapse
from bulletin.models import Locality
from children.disputes import undecided
from children.models import Dispute
from notifications.sweeps import sweep


def expire_referrals(*, now: datetime) -> int:
    """End every referral whose last day is over. Returns how many."""
    return sweep(overdue_referrals(now=now), lambda referral: expire_referral(referral, now=now))


def lift_stops(*, now: datetime) -> int:
    """Return every application whose stop is over. Returns how many."""
    return sweep(ended_stops(now=now), lambda stop: lift_stop(stop, now=now))


def expire_benefits(*, now: datetime) -> int:
    """End every benefit whose last day is over. Returns how many."""
    return sweep(overdue_benefits(now=now), lambda benefit: expire_benefit(benefit, now=now))


def award_bids(*, now: datetime) -> int:
    """Award what was collected, and finish recalls that were broken off. Returns how many vacancies.

    `now` is a reading of `notifications.clock`: the clock that accepted the bids also ends their time.
    """
    # The award goes by the order of the queue, in which nothing that ran out may count.
    expire_benefits(now=now)
    awarded = sweep(vacancies_to_award(now=now), lambda vacancy: award_collected(vacancy, now=now))
    return awarded + sweep(recalled_with_bids(), lambda vacancy: void_recalled_bids(vacancy, now=now))


def settle_disputes(*, now: datetime) -> int:
    """Bring every undecided dispute up to date with what the registries say now. Returns how many were looked at.

    Asks the person registry whether the newcomer's phone is theirs after all; without its answer nothing changes.
    """
    waiting = undecided().select_related("guardianship__user__profile", "guardianship__child")
    return sweep(waiting, partial(_settle_dispute, now=now))


def lapse_unconfirmed(*, now: datetime) -> int:
    """Take out of the queues whoever did not confirm in the campaign that ended. Returns how many."""
    lapsed = 0
    for locality in Locality.objects.all():
        campaign = ended_campaign_for(locality, now=now)
        if campaign is not None:
            waiting = unconfirmed(campaign, locality=locality)
            lapsed += sweep(waiting, lambda application: lapse(application, now=now))
    return lapsed


def end_lapsed_applications(*, now: datetime) -> int:
    """Close every lapsed application whose grace is over. Returns how many."""
    return sweep(lapsed_beyond_grace(now=now), lambda application: end_lapsed(application, now=now))


def close_aged(*, now: datetime) -> int:
    """Close the applications of the children who are too old this year. Returns how many."""
    return sweep(too_old(now=now), lambda application: age_out(application, now=now))


def _settle_dispute(dispute: Dispute, *, now: datetime) -> None:
    if dispute.is_mutual:
        refresh_phone_tie(dispute.raised_by)
    is_tied = dispute.is_halting and refresh_phone_tie(dispute.guardianship.user) is PhoneTie.YES
    settle_dispute(dispute, is_tied=is_tied, now=now)
