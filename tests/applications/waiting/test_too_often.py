"""What one guardian can do again and again while the others are told of it each time: only so often."""

from datetime import timedelta

import pytest
from django.urls import reverse

from applications.bidding import ending
from applications.moves import DoneTooOften
from applications.refusals import Refusal
from applications.states import MOST_A_DAY, Move
from applications.waiting import changes, filing
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.factories import GuardianshipFactory, LocalityFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.fixture
def other(scene):
    return GuardianshipFactory(child=scene.application.child).user


@pytest.fixture
def doing(scene):
    """The same again and again, by the move of which it is one."""
    kentau = LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")

    def change_languages(actor, now):
        scene.application.refresh_from_db()
        languages = ["ru"] if scene.application.languages == ["kk"] else ["kk"]
        changes.change_languages(scene.application, languages=languages, actor=actor, now=now)

    def change_locality(actor, now):
        scene.application.refresh_from_db()
        here = scene.application.locality_id == kentau.pk
        changes.change_locality(
            scene.application, locality=scene.locality if here else kentau, keeps=True, actor=actor, now=now
        )

    def archive(actor, now):
        filing.archive(scene.application, actor=actor, now=now)
        filing.restore(scene.application, actor=actor, now=now)

    def withdraw(actor, now):
        bid = place_bid(scene.application, scene.vacancy, actor=actor, now=now)
        ending.withdraw_bid(bid, actor=actor, now=now)

    return {
        Move.CHANGE_LANGUAGES: change_languages,
        Move.CHANGE_LOCALITY: change_locality,
        Move.ARCHIVE: archive,
        Move.WITHDRAW_BID: withdraw,
    }


@pytest.mark.parametrize("step", list(MOST_A_DAY), ids=str)
def test_so_often_in_a_day_and_then_again(scene, other, doing, step):
    act, most = doing[step], MOST_A_DAY[step]
    for nth in range(most):
        act(scene.parent, scene.now + nth * SECOND)
    with pytest.raises(DoneTooOften) as caught:
        act(scene.parent, scene.now + DAY - MICROSECOND)
    assert caught.value.reason == Refusal.TOO_OFTEN
    assert caught.value.again_at == scene.now + DAY
    # There the bid that was placed last still waits.
    if step is not Move.WITHDRAW_BID:
        act(other, scene.now + most * SECOND)
        act(scene.parent, scene.now + DAY)


def test_the_other_guardian_is_told_no_more_often(scene, other, doing):
    for nth in range(30):
        try:
            doing[Move.CHANGE_LANGUAGES](scene.parent, scene.now + nth * SECOND)
        except DoneTooOften:
            continue
    for told in (Notice, Message):
        assert told.objects.filter(recipient=other, kind="languages_by_other").count() == 5


def test_the_page_says_when_again(scene, other, doing, client_of, clock):
    for nth in range(5):
        doing[Move.CHANGE_LANGUAGES](scene.parent, scene.now + nth * SECOND)
    scene.application.refresh_from_db()
    languages = ["ru"] if scene.application.languages == ["kk"] else ["kk"]
    page = reverse("applications:languages", args=[scene.application.pk])
    answer = client_of(scene.parent).post(page, {"languages": languages, "confirm": "1"}, follow=True)
    again = (scene.now + DAY + timedelta(minutes=1)).astimezone(scene.locality.zone)
    assert f"ең көбі 5 рет жасауға болады. Қайтадан жасауға болатын уақыт: {again:%d.%m.%Y %H:%M}." in (
        answer.content.decode()
    )
