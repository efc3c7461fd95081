"""The pages of one's own number: changed with both codes, or after a wait that whoever has the number can stop."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts import stops
from accounts.models import NumberMove, SmsCode, User
from accounts.numbers import moves, rules
from accounts.numbers.moves import Kind, Proof
from notifications.models import Message, Notice
from tests.accounts.walk import PHONE, newest_code
from tests.factories import DisputeFactory, GuardianshipFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NEW = "+77017770001"
PASSWORD = "parent-pass-1"
BASE = "/cabinet/profile/number/"


@pytest.fixture
def owner(clock):
    clock.move_to(NOW)
    return UserFactory(phone=PHONE, date_joined=NOW)


@pytest.fixture
def browser(owner):
    return signed_in()


def signed_in(phone=PHONE):
    browser = Client()
    assert browser.post("/login/", {"phone": phone, "password": PASSWORD}).status_code == 302
    return browser


def is_signed_in(browser):
    return browser.get("/cabinet/profile/").status_code == 200


def begin(browser, phone=NEW, password=PASSWORD):
    return browser.post(BASE, {"phone": phone, "password": password})


def prove_the_new(browser, phone=NEW):
    assert begin(browser, phone).url == f"{BASE}new/"
    return browser.post(f"{BASE}new/", {"code": newest_code(phone)})


def ask_without_the_former(browser):
    assert prove_the_new(browser).url == f"{BASE}former/"
    page = browser.get(f"{BASE}wait/").content.decode()
    assert "72" in page
    return browser.post(f"{BASE}wait/")


class TestBothCodes:
    def test_at_once_only_this_device_stays_and_knows_the_account(self, browser, owner):
        elsewhere = signed_in()
        assert prove_the_new(browser).url == f"{BASE}former/"
        assert "Код жіберу" in browser.get(f"{BASE}former/").content.decode()
        browser.post(f"{BASE}former/", {"resend": "1"})
        answer = browser.post(f"{BASE}former/", {"code": newest_code()}, follow=True)
        assert "Нөмір ауыстырылды" in answer.content.decode()
        assert is_signed_in(browser)
        assert not is_signed_in(elsewhere)
        assert signed_in(NEW)
        former = Client().post("/login/", {"phone": PHONE, "password": PASSWORD})
        assert former.status_code == 200
        # The code was used: the same form sent again begins nothing.
        assert browser.post(f"{BASE}former/", {"code": newest_code()}).url == BASE
        assert NumberMove.objects.count() == 1

    def test_ones_own_number_is_a_mistake_and_no_limit(self, browser, owner):
        answer = begin(browser, str(owner.phone))
        assert answer.status_code == 200
        assert answer.context["form"].has_error("phone")

    def test_no_code_without_the_password(self, browser):
        assert begin(browser, password="wrong").status_code == 200
        assert not SmsCode.objects.exists()

    def test_wrong_codes_move_nothing(self, browser, owner):
        prove_the_new(browser)
        browser.post(f"{BASE}former/", {"resend": "1"})
        for guess in ("000000", newest_code(NEW)):
            assert browser.post(f"{BASE}former/", {"code": guess}).status_code == 200
        assert not NumberMove.objects.exists()

    def test_the_way_is_kept(self, browser):
        """No step without the one before it, and not after ten minutes."""
        for step in ("new/", "former/", "wait/"):
            assert browser.post(BASE + step, {"code": "123456"}).url == BASE
        begin(browser)
        assert browser.post(f"{BASE}wait/").url == f"{BASE}new/"

    def test_ten_minutes_after_the_code_to_the_new_one(self, browser, clock):
        prove_the_new(browser)
        clock.move_to(NOW + timedelta(minutes=10))
        assert browser.post(f"{BASE}wait/").url == BASE
        assert not NumberMove.objects.exists()

    def test_codes_to_others_are_counted_for_the_account(self, browser, clock):
        for number in range(10):
            clock.move_to(NOW + timedelta(minutes=number))
            assert begin(browser, f"+770177{number}1000").status_code == 302
        assert begin(browser, "+77017810000").status_code == 429


class TestWithoutTheFormer:
    def test_waits_and_the_holder_of_the_number_stops_it(self, browser, owner, clock):
        ask_without_the_former(browser)
        page = browser.get(BASE).content.decode()
        assert "Нөмірді ауыстыруды тоқтату" in page
        assert NEW[-7:] not in page.replace(" ", "")
        clock.move_to(NOW + timedelta(minutes=1))
        other = Client()
        other.post("/stop/", {"phone": PHONE})
        answer = other.post("/stop/code/", {"code": newest_code()}, follow=True)
        move = NumberMove.objects.get()
        assert "Телефон нөміріңізді ауыстыру" in answer.content.decode()
        chosen = {"kind": "number", "key": str(move.pk)}
        assert "confirm" in other.post("/stop/choose/", chosen).content.decode()
        other.post("/stop/choose/", chosen | {"confirm": "1"})
        assert NumberMove.objects.get().stopped_by == owner
        assert not moves.complete_due(now=NOW + rules.WAIT)

    def test_stopped_in_the_profile(self, browser, owner):
        ask_without_the_former(browser)
        browser.post(f"{BASE}stop/", {"move": "0"})
        assert NumberMove.objects.get().is_live
        browser.post(f"{BASE}stop/", {"move": NumberMove.objects.get().pk})
        assert not NumberMove.objects.get().is_live
        assert reverse("accounts:number") in Notice.objects.filter(kind="number_move_asked").get().link

    def test_due_and_not_swept_the_new_number_signs_in_and_the_former_does_not(self, browser, clock):
        ask_without_the_former(browser)
        due = NumberMove.objects.get().due_at
        clock.move_to(due - timedelta(microseconds=1))
        assert signed_in(PHONE)
        clock.move_to(due)
        former = Client().post("/login/", {"phone": PHONE, "password": PASSWORD})
        assert former.status_code == 200
        assert signed_in(NEW)
        # Nor is a code sent that would open the account by its former number.
        Message.objects.all().delete()
        Client().post("/password/reset/", {"phone": PHONE})
        assert not Message.objects.exists()

    def test_a_new_password_by_the_former_number_stops_it(self, browser, owner, clock):
        ask_without_the_former(browser)
        clock.move_to(NOW + timedelta(minutes=1))
        other = Client()
        other.post("/password/reset/", {"phone": PHONE})
        other.post("/password/reset/code/", {"code": newest_code(), "proof": owner.profile.iin})
        other.post("/password/reset/new/", {"password": "жаңа құпия 7", "repeated": "жаңа құпия 7"})
        assert NumberMove.objects.get().stopped_because == NumberMove.Stopped.PROVEN
        assert User.objects.get().phone_proven_at == NOW + timedelta(minutes=1)

    def test_a_password_changed_by_its_owner_goes_along(self, browser, owner):
        ask_without_the_former(browser)
        fields = {"old_password": PASSWORD, "password": "жаңа құпия 7", "repeated": "жаңа құпия 7"}
        assert browser.post("/cabinet/profile/password/", fields).status_code == 302
        moves.complete_due(now=NOW + rules.WAIT)
        after = User.objects.get()
        assert after.check_password("жаңа құпия 7")
        assert not is_signed_in(browser)


class TestSilentNumber:
    def test_is_asked_after_a_year_and_holds_nobody_up(self, owner, clock):
        clock.move_to(NOW + rules.SILENT_FROM - timedelta(microseconds=1))
        answer = Client().post("/login/", {"phone": PHONE, "password": PASSWORD})
        assert "confirm" not in answer.url
        clock.move_to(NOW + rules.SILENT_FROM)
        browser = Client()
        answer = browser.post("/login/", {"phone": PHONE, "password": PASSWORD, "next": "/cabinet/profile/"})
        assert answer.url == f"{BASE}confirm/?next=%2Fcabinet%2Fprofile%2F"
        assert 'href="/cabinet/profile/"' in browser.get(answer.url).content.decode()
        assert is_signed_in(browser)
        browser.post(answer.url, {"resend": "1"})
        done = browser.post(answer.url, {"code": newest_code(), "next": "/cabinet/profile/"})
        assert done.url == "/cabinet/profile/"
        again = Client().post("/login/", {"phone": PHONE, "password": PASSWORD})
        assert "confirm" not in again.url


def test_who_signs_in_with_a_login_number_adds_a_phone(owner):
    """Nothing on the way speaks of a present number, or of SMS to it."""
    User.objects.update(phone=None, username="912345678")
    browser = signed_in("912345678")
    page = browser.get(BASE).content.decode()
    assert "912345678" in page
    assert "бұрынғысы" not in page
    begin(browser)
    assert browser.post(f"{BASE}new/", {"code": newest_code(NEW)}).url == f"{BASE}former/"
    assert browser.get(f"{BASE}former/").url == f"{BASE}wait/"
    assert not re.search("қазіргі нөмір|SMS", main_of(browser.get(f"{BASE}wait/")))
    browser.post(f"{BASE}wait/")
    assert "қазіргі нөмір" not in main_of(browser.get(BASE))
    moves.complete_due(now=NOW + rules.WAIT)
    assert User.objects.get().username == NEW
    assert signed_in(NEW)


def test_who_has_lost_the_number_and_comes_in_by_an_identity_is_led_to_another(owner, client_of):
    """The password went with the number: no form asks for what can't be typed, and the way by a contact opens."""
    lost = moves.ask(
        owner, kind=Kind.RECYCLING, proof=Proof.CLAIM, new_phone=None, asked_by=None, address=None, now=NOW
    )
    moves.perform(lost, by=None, address=None, now=NOW)
    owner.refresh_from_db()
    browser = client_of(owner)
    page = main_of(browser.get(BASE))
    assert "бұрынғысы" in page
    assert 'name="password"' not in page
    assert 'href="/number/lost/"' in page
    assert browser.get("/number/lost/").status_code == 200
    said = browser.post(reverse("accounts:export"), {"password": PASSWORD}).context["form"].errors["password"]
    assert "«Телефон нөмірі»" in said[0]
    # Whoever has a number is not led there.
    assert client_of(UserFactory()).get("/number/lost/").status_code == 302


def main_of(answer):
    return answer.content.decode().partition("<main")[2].partition("</main>")[0]


class TestWhileSomethingHoldsIt:
    """An open dispute about a guardian: nothing is promised that will not happen, and both numbers are told."""

    @pytest.fixture(autouse=True)
    def _disputed(self, owner):
        guardianship = GuardianshipFactory(user=owner)
        other = GuardianshipFactory(child=guardianship.child)
        DisputeFactory(guardianship=other, raised_by=owner)

    def test_it_is_said_before_a_code_is_asked_for(self, browser):
        assert "Маман" in browser.get(BASE).context["held"]
        prove_the_new(browser)
        for step in ("former/", "wait/"):
            page = browser.get(BASE + step)
            assert page.context["held"] in page.content.decode()
            assert "бірден ауысады" not in page.content.decode()

    def test_with_both_codes_both_numbers_hear_that_it_waits_and_no_passed_time_is_promised(self, browser):
        prove_the_new(browser)
        browser.post(f"{BASE}former/", {"resend": "1"})
        page = browser.post(f"{BASE}former/", {"code": newest_code()}, follow=True)
        move = NumberMove.objects.get()
        assert move.is_live
        assert [row for row in page.context["rows"] if row.get("at") == move.due_at != move.asked_at] == []
        assert "Нөмір ауысатын уақыт" not in page.content.decode()
        sent = {one.phone.as_e164: one.kind for one in Message.objects.filter(kind__startswith="number_")}
        assert sent == {PHONE: "number_held", NEW: "number_waits"}
        assert Notice.objects.filter(kind="number_held").exists()


def test_what_is_under_way_stands_first_where_its_owner_begins(browser, owner):
    for begin_at in ("/cabinet/", "/cabinet/profile/"):
        assert 'id="number-move"' not in browser.get(begin_at).content.decode()
    moves.ask(
        owner, kind=Kind.RECOVERY, proof=Proof.EMAIL, new_phone=NEW, asked_by=None, address=None, now=NOW
    )
    for begin_at in ("/cabinet/", "/cabinet/profile/"):
        page = browser.get(begin_at).content.decode()
        assert 'id="number-move"' in page
        assert "25.11.2026" in page
    moves.stop(NumberMove.objects.get(), by=owner, address=None, now=NOW)
    assert 'id="number-move"' not in browser.get("/cabinet/").content.decode()


def test_the_first_code_to_the_present_number_ends_no_other(browser):
    """Nothing is called a code from the present number before one was sent, and no button starts everything over."""
    prove_the_new(browser)
    assert "Қазіргі нөмірмен растау" in browser.get(f"{BASE}former/").content.decode()
    page = browser.post(f"{BASE}former/", {"resend": "1"}, follow=True).content.decode()
    assert "Код жіберілді" in page
    assert "енді жарамсыз" not in page
    assert "Нөмірді өзгерту" not in page


def test_stop_has_one_name_and_begins_with_what_can_be_stopped():
    """Who comes from an SMS about their number finds «Тоқтату», and that it is the right place for it."""
    page = Client().get("/stop/").content.decode()
    for kind in stops.kinds():
        assert kind.what in page
    assert "телефон нөмірін ауыстыру" in page
    assert "Тоқтату: бейтаныс өкіл" not in page
    assert Client().get("/login/").content.decode().count(">Тоқтату</a>") >= 2
