"""What a family reads on the page of a place instead of the button: the reason, in words."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import translation

from applications.bidding.ending import reject_bid
from applications.bidding.publication import close_vacancy, recall_vacancy
from applications.models import Application
from applications.referrals.ending import expire_referral, sign_contract
from applications.referrals.issuing import activate_bid
from applications.refusals import Refusal
from applications.states import ApplicationState
from bulletin.models import Vacancy
from bulletin.services import pause_bidding
from tests.applications.bidding.reference import place_bid
from tests.factories import GroupFactory, LocalityFactory, VacancyFactory
from tests.thorough import pairs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def bid_elsewhere(scene, *, now=None):
    elsewhere = VacancyFactory(
        group=GroupFactory(kindergarten=scene.group.kindergarten), opens_at=scene.vacancy.opens_at
    )
    if now is not None:
        Vacancy.objects.update(published_at=now - timedelta(days=1), opens_at=now - timedelta(hours=1))
        elsewhere.refresh_from_db()
    return place_bid(scene.application, elsewhere, actor=scene.parent, now=now or scene.now)


def referred(scene, *, now=None):
    return activate_bid(bid_elsewhere(scene, now=now), actor=scene.staff, now=now or scene.now)


def refused_here(scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    reject_bid(bid, actor=scene.staff, reason="Құжаттар сәйкес емес", now=scene.now)


def stopped(scene):
    missed = referred(scene, now=scene.now - timedelta(days=12))
    expire_referral(missed, now=scene.now)


def application(**fields):
    return lambda scene: Application.objects.update(**fields)


def vacancy(**fields):
    return lambda scene: Vacancy.objects.update(**fields)


ARRANGED = {
    Refusal.BID_UNDER_WAY: bid_elsewhere,
    Refusal.REFERRAL_UNDER_WAY: referred,
    Refusal.ENROLLED: lambda scene: sign_contract(referred(scene), actor=scene.staff, now=scene.now),
    Refusal.STOP_LISTED: stopped,
    Refusal.LAPSED: application(state=ApplicationState.LAPSED),
    Refusal.REJECTED_HERE: refused_here,
    Refusal.OTHER_LOCALITY: lambda scene: Application.objects.update(locality=LocalityFactory(slug="kentau")),
    Refusal.OTHER_BIRTH_YEAR: vacancy(birth_years=[2016]),
    Refusal.OTHER_LANGUAGE: application(languages=["kk"]),
    Refusal.FULL: vacancy(seats_total=1, seats_taken=1),
    Refusal.PRIORITY: lambda scene: Vacancy.objects.update(priority_until=scene.now + timedelta(days=3)),
    Refusal.PAUSED: lambda scene: pause_bidding(
        locality=None, notice_kk="Техникалық үзіліс", notice_ru="Перерыв", actor=scene.staff, now=scene.now
    ),
    Refusal.CLOSED: lambda scene: close_vacancy(scene.vacancy, actor=scene.staff, now=scene.now),
    Refusal.RECALLED: lambda scene: recall_vacancy(
        scene.vacancy, actor=scene.staff, reason="Топ жабылды", now=scene.now
    ),
}


@pytest.mark.parametrize(("reason", "language"), list(pairs(list(ARRANGED), ["kk", "ru"])), ids=str)
def test_the_reason_stands_where_the_button_would(scene, client_of, reason, language):
    ARRANGED[reason](scene)
    with translation.override(language):
        page = unescape(client_of(scene.parent).get(scene.vacancy.get_absolute_url()).content.decode())
        assert str(reason.label) in page
    assert reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk]) not in page
    assert scene.application.get_absolute_url() in page
    assert reverse("applications:new") not in page


def test_the_end_of_the_priority_window_is_told_with_the_reason(scene, client_of):
    Vacancy.objects.update(priority_until=scene.now + timedelta(days=3))
    page = unescape(client_of(scene.parent).get(scene.vacancy.get_absolute_url()).content.decode())
    told = page[page.index(str(Refusal.PRIORITY.label)) :]
    assert "29.06.2019" in told[: told.index("</li>")]
