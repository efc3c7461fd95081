"""Closing an account while its owner bids: real threads, real locks, and a control without them."""

from datetime import date
from functools import partial

import pytest
from django.db import transaction

from accounts.data import leaving
from accounts.models import User
from applications.bidding.rush import Outcome, press
from applications.models import Application, Bid
from applications.personal_data import leaving as applications_part
from applications.states import ApplicationState, BidState
from bulletin.models import Holiday, Vacancy
from children.access import guardians_of
from notifications.clock import read_clock
from tests.applications.conftest import NOW
from tests.concurrency.test_bids import together
from tests.factories import GuardianshipFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ROUNDS = 8


@pytest.fixture(autouse=True)
def _calendar(scene):
    """A press goes by the clock of the database, and its promise by this year's calendar."""
    years = range(2019, read_clock().year + 2)
    days = [Holiday(date=date(year, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год") for year in years]
    Holiday.objects.bulk_create(days, ignore_conflicts=True)
    Application.objects.update(runs_out_at=None)


def bid(scene):
    return lambda: press(
        user_id=str(scene.parent.pk),
        password_stamp=scene.parent.get_session_auth_hash(),
        application_id=scene.application.pk,
        vacancy_id=scene.vacancy.pk,
    )


def afresh(scene):
    Bid.objects.all().delete()
    Vacancy.objects.update(seats_taken=0)
    Application.objects.update(state=ApplicationState.WAITING, runs_out_at=None)
    User.objects.update(leaving_since=None)


def close(scene):
    user = User.objects.get(pk=scene.parent.pk)
    return lambda: leaving.leave(user, address=None, now=NOW)


def kept_places(scene, *, rounds=ROUNDS):
    """In how many rounds a bid outlived the account; in all of them the press or the closing came first."""
    found = 0
    for _round in range(rounds):
        afresh(scene)
        answers = together(bid(scene), close(scene))
        assert answers[0] in (Outcome.PLACED, Outcome.UNKNOWN)
        scene.vacancy.refresh_from_db()
        pending = Bid.objects.filter(state=BidState.PENDING).count()
        assert scene.vacancy.seats_taken == pending
        found += pending
    return found


def test_no_bid_outlives_the_account(scene):
    assert kept_places(scene) == 0


def test_control_without_the_lock_a_bid_outlives_the_account(scene, monkeypatch):
    """Between the look for bids and the commit a press comes in."""
    real = applications_part.Applications.close

    def unlocked(self, user, *, now):
        with monkeypatch.context() as patched:
            patched.setattr(applications_part, "lock_application", lambda pk: None)
            real(self, user, now=now)
        pressed.append(together(bid(scene))[0])

    pressed: list[object] = []
    monkeypatch.setattr(applications_part.Applications, "close", unlocked)
    close(scene)()
    assert pressed == [Outcome.PLACED]
    assert Bid.objects.filter(state=BidState.PENDING).exists()


def test_of_two_guardians_who_leave_at_once_the_second_ends_the_bid(scene):
    other = GuardianshipFactory(child=scene.application.child).user
    for _round in range(ROUNDS):
        afresh(scene)
        assert bid(scene)() == Outcome.PLACED
        first, second = (User.objects.get(pk=one.pk) for one in (scene.parent, other))
        together(
            partial(leaving.leave, first, address=None, now=NOW),
            partial(leaving.leave, second, address=None, now=NOW),
        )
        assert guardians_of(scene.application.child) == []
        assert not Bid.objects.filter(state=BidState.PENDING).exists()
    with transaction.atomic():
        assert User.objects.filter(leaving_since__isnull=False).count() == 2
