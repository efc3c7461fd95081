"""What a closing ended is told as such: neither as a decision of the kindergarten, nor as the family's."""

from datetime import datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import translation

from accounts.models import AuditEntry
from applications.closings import deciding
from applications.closings.finishing import finish
from applications.families.situation import situation_of
from applications.journal_actions import Action
from applications.models import Application, Event
from applications.referrals import ending, issuing
from applications.rosters.held import lists_of
from applications.states import Move
from bulletin.models import Closing
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.staff import inside, official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]


def closing_of(scene, **fields):
    return Closing(
        kindergarten=scene.group.kindergarten,
        **{"group": scene.group, "cause": "repair", "reason": "Су құбыры жарылды", "starts_on": NOW.date()}
        | fields,
    )


@pytest.mark.parametrize("is_referred", [False, True])
def test_no_word_of_the_kindergarten_having_decided_it(scene, client, is_referred):
    official, worker = official_of(scene.locality), worker_of(scene.group.kindergarten)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    if is_referred:
        issuing.activate_bid(bid, actor=worker, now=NOW)
    finish(deciding.close(closing_of(scene), actor=official, now=NOW), now=NOW)
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


@pytest.mark.parametrize("group", [True, False])
def test_it_closes_until_its_first_day_and_is_closed_from_then_on(scene, client, clock, group):
    of = {} if group else {"group": None}
    first = NOW.date() + timedelta(days=60)
    deciding.close(closing_of(scene, starts_on=first, **of), actor=official_of(scene.locality), now=NOW)
    page = f"/ru{scene.group.kindergarten.get_absolute_url()}"
    to_come, there = (
        ("Группа закрывается", "Группа закрыта")
        if group
        else (
            "Детский сад закрывается",
            "Детский сад закрыт",
        )
    )
    for day, words in ((first - timedelta(days=1), to_come), (first, there)):
        clock.move_to(datetime.combine(day, time(12), tzinfo=NOW.tzinfo))
        html = client.get(page).content.decode()
        assert f">{words}" in html.replace("<strong>", ">"), day
        assert sum(html.count(one) for one in (to_come, there)) == 1


def test_a_year_too_far_is_said_at_the_day_that_has_it(scene):
    desk = inside(official_of(scene.locality))
    address = reverse("admin:bulletin_closing_of_group", args=[scene.group.pk])
    sent = {"cause": "repair", "reason_kk": "Су құбыры жарылды", "reason_ru": "Прорвало трубу"}
    for days in ({"starts_on": "9999-12-30"}, {"starts_on": "2019-07-01", "reopens_on": "9999-12-30"}):
        errors = desk.post(address, sent | days).context["errors"]
        assert [*errors] == [[*days][-1]]


def test_the_look_at_whom_it_touches_is_found_by_each_child(scene):
    """It names children, as the lists of them do."""
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    official = official_of(scene.locality)
    address = reverse("admin:bulletin_closing_of_group", args=[scene.group.pk])
    sent = {"cause": "repair", "reason_kk": "Су құбыры жарылды", "reason_ru": "Прорвало трубу"}
    sent |= {"starts_on": "2019-07-01"}
    page = inside(official).post(address, sent, REMOTE_ADDR="10.1.2.3")
    assert scene.application.number in page.content.decode()
    looks = AuditEntry.objects.filter(action=Action.ROSTER_TAKEN, actor=official)
    # Of a child with a bid, one with a referral, one with a contract.
    assert {one.about for one in looks} == {
        f"roster.bids:{bid.vacancy_id}",
        f"roster.awaited:{scene.group.kindergarten_id}",
        f"roster.enrolled_in:{scene.group.pk}",
    }
    assert {span.about for span in lists_of([scene.application.child])} & {one.about for one in looks}
    assert {one.address for one in looks} == {"10.1.2.3"}
