"""The work that time brings: expiry, end of stops, awards, interest, school age, reminders, papers.

Every job is idempotent and handles one object per transaction: what fails is reported in the log and tried again at
the next run, and holds up nothing else. Tasks and management commands call the same functions.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from django.core.files.base import ContentFile
from django.db.models import Model, QuerySet

from accounts.audit_actions import Action
from accounts.registry import PhoneTie
from accounts.services import refresh_phone_tie
from applications.benefits.claims import expire_benefit, overdue_benefits
from applications.bidding.award import award_collected, vacancies_to_award
from applications.bidding.publication import recalled_with_bids, void_recalled_bids
from applications.disputes.guardianships import settle_dispute
from applications.models import Application, Bid, Referral
from applications.moves import lock_application, locking, remind, trace
from applications.referrals import paper
from applications.referrals.due import overdue_referrals, referrals_without_pdf
from applications.referrals.ending import expire_referral
from applications.referrals.last_days import last_day_of
from applications.referrals.stops import ended_stops, lift_stop
from applications.rules.interest import Campaign
from applications.states import HAS_PAPER, ReferralState
from applications.waiting.aging import about_to_leave, age_out, too_old
from applications.waiting.campaigns import (
    ended_campaign_for,
    lapsed_beyond_grace,
    running_campaign_for,
    unconfirmed,
)
from applications.waiting.confirming import end_lapsed, lapse
from bulletin.models import Locality
from children.access import guardians_of
from children.disputes import undecided
from children.models import Dispute
from notifications.sweeps import sweep

M = TypeVar("M", bound=Model)

REMIND_BEFORE = timedelta(days=1)


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


def tell_placed_bids(*, now: datetime) -> int:
    """Write the notices, the SMS and the journal of every bid that was sent, or given its place by queue number.

    Each is told once of each. Returns how many.
    """
    bids = Bid.objects.select_related("vacancy__group__kindergarten", "placed_by")
    sent = bids.filter(told_at=None).order_by("placed_at")
    awarded = bids.filter(awarded_at__isnull=False, award_told_at=None, holds_seat=True)
    return _all(sent, partial(_tell, now=now)) + _all(
        awarded.order_by("awarded_at"), partial(_tell_award, now=now)
    )


def settle_disputes(*, now: datetime) -> int:
    """Bring every undecided dispute up to date with what the registries say now. Returns how many were looked at.

    Asks the person registry whether the newcomer's phone is theirs after all; without its answer nothing changes.
    """
    waiting = undecided().select_related("guardianship__user__profile", "guardianship__child")
    return sweep(waiting, partial(_settle_dispute, now=now))


def remind_deadlines(*, now: datetime) -> int:
    """Remind each family once, a day before its referral ends. Returns how many referrals are that near."""
    ending = Referral.objects.filter(
        state=ReferralState.ISSUED,
        held_since=None,
        valid_until__gt=now,
        valid_until__lte=now + REMIND_BEFORE,
    )
    return sweep(ending, lambda referral: _remind(referral, now=now))


def remind_interest(*, now: datetime) -> int:
    """Remind every family that has still to confirm its interest: at the start, 14 and 2 days before the last day.

    Returns how many applications are reminded now; each hears of each date once, however often this runs.
    """
    reminded = 0
    for locality in Locality.objects.all():
        campaign = running_campaign_for(locality, now=now)
        if campaign is not None and campaign.reminder(now=now):
            asked = unconfirmed(campaign, locality=locality)
            reminded += sweep(asked, partial(_remind_interest, campaign=campaign, now=now))
    return reminded


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


def remind_aging(*, now: datetime) -> int:
    """In December, tell each family once whose child is too old from January on. Returns how many applications."""
    return sweep(about_to_leave(now=now), lambda application: _remind_aging(application, now=now))


def close_aged(*, now: datetime) -> int:
    """Close the applications of the children who are too old this year. Returns how many."""
    return sweep(too_old(now=now), lambda application: age_out(application, now=now))


def render_missing() -> int:
    """Make the paper of every valid referral that has none. Returns how many."""
    return sweep(referrals_without_pdf(), store_pdf)


def store_pdf(referral: Referral) -> None:
    """Make the referral's paper and keep it with the referral.

    Where the referral was extended or ended meanwhile, the paper just made is dropped.
    """
    content = ContentFile(paper.render(referral))
    name = referral.pdf.storage.save(f"referrals/{referral.pk}.pdf", content)
    unchanged = Referral.objects.filter(
        pk=referral.pk, valid_until=referral.valid_until, state__in=HAS_PAPER, pdf=""
    )
    if not unchanged.update(pdf=name):
        referral.pdf.storage.delete(name)


def _tell(bid: Bid, *, now: datetime) -> None:
    with locking():
        # Whatever else befalls the bid waits, so that no other writer puts the mark back.
        application = lock_application(bid.application_id)
        if not Bid.objects.filter(pk=bid.pk, told_at=None).update(told_at=now):
            return
        guardians = guardians_of(application.child)
        remind(
            application,
            "bid_placed",
            key=str(bid.pk),
            now=bid.placed_at,
            guardians=guardians,
            vacancy=bid.vacancy,
        )
        trace(application, Action.BID_PLACED, actor=bid.placed_by, now=bid.placed_at, guardians=guardians)


def _tell_award(bid: Bid, *, now: datetime) -> None:
    with locking():
        application = lock_application(bid.application_id)
        # A place that the family has given back meanwhile is no news.
        if not Bid.objects.filter(pk=bid.pk, award_told_at=None, holds_seat=True).update(award_told_at=now):
            return
        assert bid.awarded_at is not None
        assert bid.answer_last_moment is not None
        last_day = bid.answer_last_moment.astimezone(application.locality.zone).date()
        guardians = guardians_of(application.child)
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


def _settle_dispute(dispute: Dispute, *, now: datetime) -> None:
    is_tied = dispute.is_halting and refresh_phone_tie(dispute.guardianship.user) is PhoneTie.YES
    settle_dispute(dispute, is_tied=is_tied, now=now)


def _remind(referral: Referral, *, now: datetime) -> None:
    remind(
        referral.application,
        "referral_reminder",
        key=f"{referral.pk}:{referral.valid_until:%Y%m%d}",
        now=now,
        referral=referral,
        vacancy=referral.bid.vacancy,
        last_day=last_day_of(referral),
    )


def _remind_interest(application: Application, *, campaign: Campaign, now: datetime) -> None:
    key = f"{application.pk}:{campaign.year}:{campaign.reminder(now=now)}"
    remind(application, "interest_reminder", key=key, now=now, last_day=campaign.last_day)


def _remind_aging(application: Application, *, now: datetime) -> None:
    last_day = date(now.astimezone(application.locality.zone).year, 12, 31)
    key = f"{application.pk}:{last_day.year}"
    remind(application, "aging_out", key=key, now=now, last_day=last_day)


def _all(objects: QuerySet[M], work: Callable[[M], Any]) -> int:
    """`sweep` until none is left that can be handled: others may have come meanwhile; what failed waits."""
    done = 0
    while found := sweep(objects.all(), work):
        done += found
    return done
