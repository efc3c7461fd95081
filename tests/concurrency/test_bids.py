"""Ends of a bid and of a referral at the same time: one of them holds. Presses are raced in `test_rush`."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection

from accounts.roles import Role
from applications import moves
from applications.bidding import ending as bid_ending
from applications.jobs.employees import tell_employees
from applications.models import Application, Bid, Event, StopListEntry
from applications.moves import Refused
from applications.referrals import ending as referral_ending
from applications.referrals import issuing
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState, Move
from applications.waiting import filing
from balabaqsha.roles import set_up_roles
from bulletin.models import Vacancy
from notifications import locks
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.staff import employee, worker_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

THREADS = 10


def together(*calls):
    """Run the calls at the same time, each in a thread with a connection of its own; results or refusals."""
    barrier = Barrier(min(len(calls), THREADS))

    def run(index, call):
        try:
            if index < THREADS:
                barrier.wait()
            return call()
        except Refused as refused:
            return refused.reason
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(run, index, call) for index, call in enumerate(calls)]
        return [future.result() for future in futures]


@pytest.fixture
def bid(scene):
    return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)


def test_control_without_the_locks_a_bid_ends_twice(scene, bid, monkeypatch):
    """Both have read the bid before either writes, and one place is given back twice."""
    both_have_read = Barrier(2)

    def read_only(bid):
        application = Application.objects.select_related("locality", "child").get(pk=bid.application_id)
        pending = Bid.objects.select_related("vacancy__group__kindergarten__locality").get(pk=bid.pk)
        both_have_read.wait()
        return application, pending

    monkeypatch.setattr(bid_ending, "_lock_pending", read_only)
    # Another family's, who loses it here.
    Vacancy.objects.update(seats_taken=2)
    together(
        lambda: bid_ending.withdraw_bid(bid, actor=scene.parent, now=NOW),
        lambda: bid_ending.reject_bid(bid, actor=scene.staff, reason="Топ толық", now=NOW),
    )
    assert Vacancy.objects.get().seats_taken == 0


def test_activation_against_withdrawal(scene, bid):
    results = together(
        lambda: issuing.activate_bid(bid, actor=scene.staff, now=NOW),
        lambda: bid_ending.withdraw_bid(bid, actor=scene.parent, now=NOW),
    )
    bid.refresh_from_db()
    scene.vacancy.refresh_from_db()
    assert results.count(Refusal.BID_ENDED) == 1
    assert scene.vacancy.seats_taken == (1 if bid.state == BidState.ACTIVATED else 0)


@pytest.fixture
def deciders(scene):
    """An employee of the kindergarten, and an official who may decide in its place once its time is over."""
    set_up_roles()
    return worker_of(scene.group.kindergarten), employee(Role.OFFICIAL)


def test_control_without_the_locks_the_kindergarten_and_the_official_both_decide(bid, deciders, monkeypatch):
    both_have_read = Barrier(2)

    def read_only(bid):
        found = Bid.objects.select_related("vacancy__group__kindergarten__locality").get(pk=bid.pk)
        application = Application.objects.select_related("locality", "child").get(pk=bid.application_id)
        both_have_read.wait()
        return application, found

    monkeypatch.setattr(bid_ending, "_lock_pending", read_only)
    # Another family's, who loses it here.
    Vacancy.objects.update(seats_taken=2)

    def reject(who):
        return bid_ending.reject_bid(bid, actor=who, reason="Топ толық", now=bid.answer_due)

    together(*[partial(reject, who) for who in deciders])
    assert Event.objects.filter(move=Move.REJECT_BID).count() == 2


def test_an_officials_decision_against_the_kindergartens(scene, bid, deciders):
    worker, official = deciders
    results = together(
        lambda: issuing.activate_bid(bid, actor=worker, now=bid.answer_due),
        lambda: bid_ending.reject_bid(bid, actor=official, reason="Топ толық", now=bid.answer_due),
    )
    assert results.count(Refusal.BID_ENDED) == 1
    bid.refresh_from_db()
    scene.vacancy.refresh_from_db()
    (event,) = Event.objects.filter(move__in=[Move.ISSUE_REFERRAL, Move.REJECT_BID])
    is_activated = bid.state == BidState.ACTIVATED
    assert scene.vacancy.seats_taken == (1 if is_activated else 0)
    assert bid.stand_in == event.data.get("stand_in", "") == ("" if is_activated else "late")


def test_two_beats_at_once_tell_a_kindergarten_once(scene, bid, deciders):
    at = bid.placed_at + (bid.answer_due - bid.placed_at) / 2
    for _times in range(2):
        together(*[lambda: tell_employees(now=at)] * 4)
    assert Notice.objects.filter(kind="staff_half_time").count() == 1


def test_expiry_against_signing_at_the_border(scene, bid):
    referral = issuing.activate_bid(bid, actor=scene.staff, now=NOW)
    together(
        lambda: referral_ending.sign_contract(referral, actor=scene.staff, now=referral.last_moment),
        lambda: referral_ending.expire_referral(referral, now=referral.valid_until),
    )
    scene.application.refresh_from_db()
    scene.vacancy.refresh_from_db()
    enrolled = scene.application.state == ApplicationState.ENROLLED
    assert StopListEntry.objects.exists() is not enrolled
    assert scene.vacancy.seats_taken == (1 if enrolled else 0)


def test_two_guardians_file_one_application(scene):
    scene.application.delete()
    child, parent = scene.application.child, scene.parent
    results = together(
        *[
            lambda: filing.file_application(
                child=child, locality=scene.locality, languages=["kk"], actor=parent, now=NOW
            )
        ]
        * 4
    )
    assert results.count(Refusal.ALREADY_FILED) == 3
    assert Application.objects.filter(child=child).count() == 1


def test_a_lock_that_is_held_too_long_is_answered_in_words(scene, bid, monkeypatch):
    monkeypatch.setattr(locks, "LOCK_TIMEOUT_MS", 50)
    held, done = Barrier(2), Barrier(2)

    def hold():
        with moves.locking():
            moves.lock_application(scene.application.pk)
            held.wait()
            done.wait()

    def wait_in_vain():
        held.wait()
        try:
            return bid_ending.withdraw_bid(bid, actor=scene.parent, now=NOW)
        finally:
            done.wait()

    assert Refusal.BUSY in together(hold, wait_in_vain)
