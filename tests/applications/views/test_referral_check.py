"""«Жолдаманы тексеру»: anybody who holds the paper, with its code alone."""

from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from html import unescape

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.limits import REFERRAL_CHECK_PER_NETWORK
from accounts.roles import Role
from applications.models import Referral
from applications.referrals import ending, extending
from applications.referrals.check_codes import code_of, grouped
from applications.referrals.issuing import activate_bid
from applications.referrals.leaving import end_contract
from notifications.clock import read_clock
from tests.applications.bidding.reference import place_bid
from tests.factories import KindergartenFactory
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once", "clock")]


@pytest.fixture
def referral(scene) -> Referral:
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    return activate_bid(bid, actor=scene.staff, now=scene.now)


def address(code: str) -> str:
    return reverse("applications:checked_referral", args=[code])


def checked(referral: Referral, client: Client | None = None) -> str:
    answer = (client or Client()).get(address(grouped(code_of(referral))))
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return unescape(answer.content.decode())


def extend(scene, referral):
    extending.extend_referral(
        referral,
        actor=scene.parent,
        until=date(2019, 8, 2),
        reason="illness",
        documents=[("a.pdf", ContentFile(b"%PDF-", name="a.pdf"))],
        now=scene.now,
    )


def revoke(scene, referral):
    ending.revoke_referral(referral, actor=scene.staff, reason="Топ жабылды", now=scene.now)


def sign(scene, referral):
    return ending.sign_contract(referral, actor=scene.staff, now=scene.now)


def expire(scene, referral):
    ending.expire_referral(referral, now=referral.valid_until)


VERDICTS = {
    "Жолдама жарамды": (lambda scene, referral: None, "03.07.2019"),
    "Жолдама жарамды: мерзімі ұзартылды": (extend, "02.08.2019"),
    "Жолдама кері қайтарып алынды": (revoke, "26.06.2019"),
    "Жолдама пайдаланылды: шартқа қол қойылды": (sign, "26.06.2019"),
    "Жолдаманың мерзімі өтті": (expire, "03.07.2019"),
}


@pytest.mark.parametrize("said", VERDICTS)
def test_each_end_has_its_words_and_its_day(scene, referral, said):
    happen, day = VERDICTS[said]
    happen(scene, referral)
    page = checked(referral)
    assert f"<h1>{said}</h1>" in page
    assert day in page
    assert referral.number in page
    assert scene.group.kindergarten.name_kk in page


def test_a_contract_that_has_ended_used_the_paper_too(scene, referral):
    contract = sign(scene, referral)
    end_contract(contract, actor=scene.staff, left_on=date(2019, 6, 26), reason="moved", now=scene.now)
    assert "<h1>Жолдама пайдаланылды: шартқа қол қойылды</h1>" in checked(referral)


def test_a_late_sweep_makes_no_paper_valid(referral, clock):
    clock.move_to(referral.valid_until)
    assert "<h1>Жолдаманың мерзімі өтті</h1>" in checked(referral)
    clock.move_to(referral.valid_until - timedelta(microseconds=1))
    assert "<h1>Жолдама жарамды</h1>" in checked(referral)


def test_it_names_nobody(scene, referral):
    page = checked(referral)
    child, profile = scene.application.child, scene.parent.profile
    for name in (child.last_name, child.first_name, profile.last_name, profile.first_name):
        assert name.casefold() not in page.casefold()
    assert scene.application.number not in page
    assert 'content="noindex"' in page


@pytest.mark.parametrize("code", ["nonsense", "жоқ", "7K2M-9QXA-41TU", "7K2M-9QXA-41T"])
def test_what_can_be_no_code_is_asked_for_again_and_not_counted(client, code):
    for _time in range(REFERRAL_CHECK_PER_NETWORK.times + 1):
        answer = client.get(address(code))
    assert answer.status_code == 404
    page = unescape(answer.content.decode())
    assert "он екі" in page
    assert f'value="{code}"' in page


def test_a_code_that_nobody_has_is_looked_up_like_any_other(client, referral):
    looks = []
    for asked in (grouped(code_of(referral)), "0000-0000-0000"):
        with CaptureQueriesContext(connection) as asking:
            answer = client.get(address(asked))
        looks.append([query["sql"].partition(" IN (")[0] for query in asking if "check" in query["sql"]])
    assert answer.status_code == 200
    assert "<h1>Мұндай коды бар жолдама жоқ</h1>" in answer.content.decode()
    assert len(looks[0]) == 1
    assert looks[0] == looks[1]


def test_a_flood_of_made_up_codes_is_stopped_and_shuts_nobody_out(client, referral):
    for _time in range(REFERRAL_CHECK_PER_NETWORK.times):
        assert client.get(address("0000-0000-0000")).status_code == 200
    refused = client.get(address("0000-0000-0000"))
    assert refused.status_code == 429
    assert parsedate_to_datetime(refused.headers["Retry-After"]) > read_clock()
    assert "аккаунтыңыз" not in refused.content.decode()
    assert referral.number in checked(referral, client)


class TestTheForm:
    def test_it_leads_to_the_address_of_the_paper(self, client, referral):
        typed = f" {grouped(code_of(referral)).lower()} "
        answer = client.post(reverse("applications:check_referral"), {"code": typed})
        assert answer.status_code == 302
        assert answer.url == address(grouped(code_of(referral)))

    @pytest.mark.parametrize("typed", ["", "123", "7K2M-9QXA-41TU", "x" * 500])
    def test_what_can_be_no_code_stays_on_the_form(self, client, typed):
        answer = client.post(reverse("applications:check_referral"), {"code": typed})
        assert answer.status_code == 200
        assert answer.context["form"].errors["code"]


class TestTheWorkplace:
    def row(self, referral) -> str:
        return reverse("admin:applications_referral_change", args=[referral.pk])

    def test_who_has_the_row_is_led_to_it(self, scene, referral):
        for user in (worker_of(scene.group.kindergarten), employee(Role.OFFICIAL)):
            visitor = inside(user)
            assert self.row(referral) in checked(referral, visitor)
            assert visitor.get(self.row(referral)).status_code == 200

    def test_nobody_else_is(self, scene, referral, client_of):
        elsewhere = worker_of(KindergartenFactory(locality=scene.locality))
        without_second_factor = client_of(worker_of(scene.group.kindergarten))
        for visitor in (inside(elsewhere), without_second_factor, client_of(scene.parent), Client()):
            assert self.row(referral) not in checked(referral, visitor)

    @pytest.mark.parametrize("scanned", ["{}", "https://bala.example.kz/v/{}/"])
    def test_a_scanner_finds_the_row_in_the_list(self, scene, referral, scanned):
        found = reverse("admin:applications_referral_changelist")
        code = scanned.format(grouped(code_of(referral)))
        assert (
            self.row(referral)
            in inside(worker_of(scene.group.kindergarten)).get(found, {"q": code}).content.decode()
        )
        elsewhere = inside(worker_of(KindergartenFactory(locality=scene.locality)))
        assert self.row(referral) not in elsewhere.get(found, {"q": code}).content.decode()
