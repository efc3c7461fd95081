"""Many families press at once: exactly the seats are given, in every interleaving that real threads bring."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier

import pytest
from django.db import connection

from applications import moves
from applications.bidding import award, step_by_step
from applications.bidding import ending as bid_ending
from applications.bidding.step_by_step import place_bid
from applications.models import Application, Bid, StopListEntry
from applications.moves import Refused
from applications.referrals import ending as referral_ending
from applications.referrals import issuing
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState
from applications.waiting import filing
from bulletin.models import Vacancy
from tests.applications.conftest import NOW, ZONE
from tests.factories import ApplicationFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

SEATS, FAMILIES, THREADS = 5, 40, 10


def together(*calls):
    """Run the calls at the same time, each in a thread with a connection of its own; results or refusals."""
    barrier = Barrier(min(len(calls), THREADS))

    def run(position, call):
        try:
            if position < THREADS:
                barrier.wait()
            return call()
        except Refused as refused:
            return refused.reason
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(run, position, call) for position, call in enumerate(calls)]
        return [future.result() for future in futures]


def press(application, vacancy):
    return lambda: place_bid(application, vacancy, actor=application.filed_by, now=NOW)


@pytest.fixture
def rush(scene):
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(seats_total=SEATS)
    families = ApplicationFactory.create_batch(
        FAMILIES,
        locality=scene.locality,
        child__birth_date=date(2017, 1, 1),
        filed_at=datetime(2019, 1, 1, tzinfo=ZONE),
    )
    return scene.vacancy, families


def test_control_without_the_guards_the_places_are_oversold(rush, monkeypatch):
    """With the lock off and the seat counted by read and write the race is real: the tests below mean something."""
    vacancy, families = rush

    def careless_take(vacancy):
        if vacancy.seats_free == 0:
            return False
        Vacancy.objects.filter(pk=vacancy.pk).update(seats_taken=vacancy.seats_taken + 1)
        return True

    monkeypatch.setattr(award.seats, "take", careless_take)
    monkeypatch.setattr(
        step_by_step,
        "lock_vacancy",
        lambda pk: Vacancy.objects.select_related("group__kindergarten__locality").get(pk=pk),
    )
    together(*(press(application, Vacancy.objects.get(pk=vacancy.pk)) for application in families))
    assert Bid.objects.filter(vacancy=vacancy, holds_seat=True).count() > SEATS


def test_exactly_the_seats_are_given(rush):
    vacancy, families = rush
    vacancy.refresh_from_db()
    results = together(*(press(application, vacancy) for application in families))
    vacancy.refresh_from_db()
    assert sum(isinstance(result, Bid) for result in results) == SEATS
    assert results.count(Refusal.FULL) == FAMILIES - SEATS
    assert vacancy.seats_taken == Bid.objects.filter(holds_seat=True).count() == SEATS
    assert Application.objects.filter(state=ApplicationState.BID_PLACED).count() == SEATS


def test_a_double_click_is_one_bid(scene):
    results = together(*[press(scene.application, scene.vacancy)] * 8)
    assert len({result.pk for result in results}) == 1
    scene.vacancy.refresh_from_db()
    assert scene.vacancy.seats_taken == 1


def test_one_application_wins_one_of_two_places(scene):
    other = Vacancy.objects.get(pk=scene.vacancy.pk)
    other.pk = None
    other._state.adding = True
    other.save(force_insert=True)
    results = together(*[press(scene.application, scene.vacancy), press(scene.application, other)] * 4)
    assert Bid.objects.filter(application=scene.application).count() == 1
    assert Refusal.BID_UNDER_WAY in results


def test_activation_against_withdrawal(scene):
    bid = press(scene.application, scene.vacancy)()
    results = together(
        lambda: issuing.activate_bid(bid, actor=scene.staff, now=NOW),
        lambda: bid_ending.withdraw_bid(bid, actor=scene.parent, now=NOW),
    )
    bid.refresh_from_db()
    scene.vacancy.refresh_from_db()
    assert results.count(Refusal.BID_ENDED) == 1
    assert scene.vacancy.seats_taken == (1 if bid.state == BidState.ACTIVATED else 0)


def test_expiry_against_signing_at_the_border(scene):
    bid = press(scene.application, scene.vacancy)()
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


def test_a_lock_that_is_held_too_long_is_answered_in_words(scene, monkeypatch):
    monkeypatch.setattr(moves, "LOCK_TIMEOUT_MS", 50)
    held, done = Barrier(2), Barrier(2)

    def hold():
        with moves.locking():
            moves.lock_application(scene.application.pk)
            held.wait()
            done.wait()

    def wait_in_vain():
        held.wait()
        try:
            return press(scene.application, scene.vacancy)()
        finally:
            done.wait()

    assert Refusal.BUSY in together(hold, wait_in_vain)
