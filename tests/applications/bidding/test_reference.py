"""Placing a bid: who may, who may not and why, and what a second press does."""

from datetime import date, datetime, timedelta

import pytest

from applications.bidding.eligibility import why_not
from applications.models import Bid
from applications.moves import Refused
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState
from bulletin.models import Vacancy
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, GroupFactory, LocalityFactory, VacancyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)


def bid(scene, application=None, vacancy=None, now=None):
    application = application or scene.application
    return place_bid(application, vacancy or scene.vacancy, actor=application.filed_by, now=now or scene.now)


def another_family(scene, **fields):
    return ApplicationFactory(**{"locality": scene.locality, "child__birth_date": date(2017, 1, 1)} | fields)


def test_a_bid_holds_a_seat_until_the_kindergarten_answers(scene):
    placed = bid(scene)
    scene.vacancy.refresh_from_db()
    assert placed.state == BidState.PENDING
    assert placed.holds_seat
    assert placed.answer_due == datetime(2019, 6, 29, tzinfo=ZONE)
    assert scene.vacancy.seats_taken == 1


def test_a_second_press_shows_the_first_bid(scene):
    first = bid(scene)
    assert bid(scene) == first
    scene.application.refresh_from_db()
    assert bid(scene) == first
    scene.vacancy.refresh_from_db()
    assert scene.vacancy.seats_taken == 1


def test_one_bid_at_a_time(scene):
    bid(scene)
    scene.application.refresh_from_db()
    other = VacancyFactory(group=scene.group, birth_years=[2017], opens_at=scene.now - timedelta(hours=1))
    assert why_not(scene.application, other, now=scene.now) == Refusal.BID_UNDER_WAY


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"languages": ["kk"]}, Refusal.OTHER_LANGUAGE),
        ({"birth_year": 2016}, Refusal.OTHER_BIRTH_YEAR),
        ({"state": ApplicationState.LAPSED}, Refusal.LAPSED),
        ({"state": ApplicationState.ENROLLED}, Refusal.ENROLLED),
    ],
)
def test_what_the_application_lacks(scene, fields, reason):
    assert why_not(another_family(scene, **fields), scene.vacancy, now=scene.now) == reason


def test_a_place_in_another_locality(scene):
    elsewhere = another_family(
        scene, locality=LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
    )
    assert why_not(elsewhere, scene.vacancy, now=scene.now) == Refusal.OTHER_LOCALITY


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": Vacancy.State.DRAFT}, Refusal.NOT_PUBLISHED),
        ({"state": Vacancy.State.RECALLED}, Refusal.RECALLED),
        ({"state": Vacancy.State.CLOSED}, Refusal.CLOSED),
        ({"seats_total": 1, "seats_taken": 1}, Refusal.FULL),
    ],
)
def test_what_the_place_lacks(scene, fields, reason):
    vacancy = VacancyFactory(
        **{"group": scene.group, "birth_years": [2017], "opens_at": scene.now - timedelta(hours=1)} | fields
    )
    with pytest.raises(Refused, check=lambda error: error.reason == reason):
        bid(scene, vacancy=vacancy)
    assert not Bid.objects.exists()


def test_from_the_opening_microsecond_on(scene):
    opens = scene.vacancy.opens_at
    assert why_not(scene.application, scene.vacancy, now=opens - MICROSECOND) == Refusal.NOT_OPEN_YET
    assert why_not(scene.application, scene.vacancy, now=opens) is None


def test_until_the_closing_microsecond(scene):
    vacancy = VacancyFactory(
        group=GroupFactory(kindergarten=scene.group.kindergarten, language="ru"),
        birth_years=[2017],
        opens_at=scene.now,
        closes_at=scene.now + timedelta(hours=1),
    )
    assert why_not(scene.application, vacancy, now=vacancy.closes_at - MICROSECOND) is None
    assert why_not(scene.application, vacancy, now=vacancy.closes_at) == Refusal.CLOSED


def test_the_last_seat_goes_once(scene):
    bid(scene)
    bid(scene, application=another_family(scene))
    with pytest.raises(Refused, check=lambda error: error.reason == Refusal.FULL):
        bid(scene, application=another_family(scene))
