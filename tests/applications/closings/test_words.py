"""What a closing ended is told as such: neither as a decision of the kindergarten, nor as the family's."""

import pytest
from django.urls import reverse
from django.utils import translation

from applications.closings import deciding
from applications.closings.finishing import finish
from applications.families.situation import situation_of
from applications.models import Application, Event
from applications.referrals import ending, issuing
from applications.states import Move
from bulletin.models import Closing
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.staff import inside, official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.mark.parametrize("is_referred", [False, True])
def test_no_word_of_the_kindergarten_having_decided_it(scene, client, is_referred):
    official, worker = official_of(scene.locality), worker_of(scene.group.kindergarten)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    if is_referred:
        issuing.activate_bid(bid, actor=worker, now=NOW)
    closing = Closing(
        kindergarten=scene.group.kindergarten,
        group=scene.group,
        cause="repair",
        reason="Су құбыры жарылды",
        starts_on=NOW.date(),
    )
    finish(deciding.close(closing, actor=official, now=NOW), now=NOW)
    application = Application.objects.get(pk=scene.application.pk)
    with translation.override("en"):
        situation = situation_of(application, now=NOW)
        assert "closes" in situation.setback_title
        assert "Су құбыры жарылды" in situation.setback_text
        event = Event.objects.get(move=Move.REVOKE_REFERRAL if is_referred else Move.VOID_BID)
        assert "closes" in event.told_move
        assert event.told_move in str(event)
    client.force_login(scene.parent)
    for desk, address in (
        (client, application.get_absolute_url()),
        (inside(official), reverse("admin:applications_application_change", args=[application.pk])),
        (inside(official), reverse("admin:applications_event_changelist")),
    ):
        page = desk.get(f"/ru{address}").content.decode()
        assert "закрывается" in page, address
        for blame in ("Детский сад отозвал", "Место отозвано детским садом", "Направление отозвано"):
            assert blame not in page.split("changelist-filter")[0], (address, blame)


def test_a_recall_is_still_told_as_one(scene):
    worker = worker_of(scene.group.kindergarten)
    issuing.activate_bid(
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW), actor=worker, now=NOW
    )
    application = Application.objects.get(pk=scene.application.pk)
    ending.revoke_referral(application.referrals.get(), actor=worker, reason="Топ біріктірілді", now=NOW)
    application = Application.objects.get(pk=scene.application.pk)
    with translation.override("en"):
        assert situation_of(application, now=NOW).setback_title == "The kindergarten revoked the referral"
