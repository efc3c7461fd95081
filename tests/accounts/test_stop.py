"""«Stop»: by phone and code, without a password; an unknown number learns nothing; what is stopped is the apps' own."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import stops
from accounts.models import SmsCode
from accounts.stops import Choice, NotStopped
from applications.disputes.guardianships import decide_guardianship
from children.models import Dispute
from notifications.kinds import KINDS, Channel
from notifications.models import Message, Notice
from notifications.services import _without_language
from tests.accounts.walk import PHONE, newest_code
from tests.factories import ChildFactory, GuardianshipFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

UNKNOWN = "+77017779877"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def child():
    return ChildFactory()


@pytest.fixture
def mother(child, clock):
    clock.move_to(NOW)
    user = UserFactory(phone=PHONE, profile__phone_tie="yes")
    GuardianshipFactory(child=child, user=user, verified_at=NOW - timedelta(days=90))
    return user


@pytest.fixture
def stranger(child, mother):
    return GuardianshipFactory(
        child=child,
        verified_at=NOW - timedelta(hours=1),
        user__profile__last_name="ОМАРОВ",
        user__profile__first_name="ТІМУР",
    ).user


def ask(client, phone=PHONE, prefix=""):
    return client.post(f"{prefix}/stop/", {"phone": phone})


def enter(client, phone=PHONE, prefix=""):
    ask(client, phone, prefix)
    return client.post(f"{prefix}/stop/code/", {"code": newest_code(phone)})


def press(client, person, *, confirm=True, prefix=""):
    fields = {"kind": "guardian", "key": str(person.pk)} | ({"confirm": "1"} if confirm else {})
    return client.post(f"{prefix}/stop/choose/", fields, follow=True)


class TestTheWay:
    @pytest.mark.parametrize(("prefix", "words"), [("", "Бұл адамды танымаймын"), ("/ru", "Я не знаю этого")])
    def test_phone_code_person_stop(self, client, stranger, child, prefix, words):
        assert ask(client, prefix=prefix).url == f"{prefix}/stop/code/"
        answer = client.post(f"{prefix}/stop/code/", {"code": newest_code()})
        assert answer.url == f"{prefix}/stop/choose/"
        page = client.get(answer.url).content.decode()
        assert "О••••• Т." in page
        assert child.first_name in page
        assert words in page
        for hidden in ("ОМАРОВ", "ТІМУР", child.last_name, stranger.profile.iin):
            assert hidden not in page
        asked = press(client, stranger, confirm=False, prefix=prefix)
        assert "О••••• Т." in asked.content.decode()
        assert not Dispute.objects.exists()
        done = press(client, stranger, prefix=prefix)
        assert Dispute.objects.get().guardianship.user == stranger
        page = done.content.decode()
        assert "24.11.2026" in page
        assert words not in page

    def test_nobody_is_signed_in_by_it(self, client, stranger):
        enter(client)
        assert "_auth_user_id" not in client.session
        assert client.get(reverse("applications:cabinet")).url.startswith("/login/")

    def test_who_is_signed_in_needs_no_code(self, client_of, mother, stranger):
        browser = client_of(mother)
        assert browser.get("/stop/").url == "/stop/choose/"
        assert browser.get("/stop/code/").url == "/stop/choose/"
        press(browser, stranger)
        assert Dispute.objects.get().raised_by == mother
        assert not Message.objects.filter(kind="stop_code").exists()

    def test_the_notice_leads_there(self, client_of, mother, stranger):
        Notice.objects.create(
            recipient=mother, kind="guardian_added", text_kk="x", text_ru="x", created_at=NOW,
            link=_without_language(reverse("accounts:stop")), dedupe_key="1",
        )  # fmt: skip
        opened = client_of(mother).post(reverse("notifications:open", args=[Notice.objects.get().pk]))
        assert opened.url == "/stop/"

    @pytest.mark.parametrize("address", ["/", "/login/", "/ru/bulletin/"])
    def test_a_worried_parent_finds_it(self, client, address):
        prefix = "/ru" if address.startswith("/ru") else ""
        assert f'href="{prefix}/stop/"' in client.get(address).content.decode()

    def test_nothing_to_stop_is_said(self, client, mother):
        enter(client)
        assert "сізден кейін ешкім қосылған жоқ" in client.get("/stop/choose/").content.decode()

    def test_it_ends_with_a_button(self, client, stranger):
        enter(client)
        assert client.post("/stop/choose/", {"finish": "1"}).url == "/"
        assert client.get("/stop/choose/").url == "/stop/"

    def test_the_second_press_of_a_button_says_the_same(self, client, stranger):
        enter(client)
        first, second = press(client, stranger), press(client, stranger)
        assert "24.11.2026" in first.content.decode()
        assert "24.11.2026" in second.content.decode()
        assert Dispute.objects.count() == 1


class TestTheCode:
    @pytest.mark.parametrize(
        ("after", "is_open"),
        [(timedelta(minutes=10) - timedelta(microseconds=1), True), (timedelta(minutes=10), False)],
    )
    def test_it_opens_the_page_for_ten_minutes(self, client, stranger, clock, after, is_open):
        enter(client)
        clock.shift(after)
        assert client.get("/stop/choose/").status_code == (200 if is_open else 302)
        press(client, stranger)
        assert Dispute.objects.exists() == is_open

    @pytest.mark.parametrize("page", ["/stop/choose/", "/stop/code/"])
    def test_afterwards_it_begins_anew_with_a_sentence(self, client, mother, clock, page):
        enter(client)
        clock.shift(timedelta(minutes=10))
        answer = client.get(page, follow=True)
        assert answer.redirect_chain[-1][0] == "/stop/"
        assert "Тоқтатуға берілген уақыт өтті" in answer.content.decode()
        assert ask(client).url == "/stop/code/"

    @pytest.mark.parametrize("purpose", ["register", "reset"])
    def test_a_code_for_something_else_opens_nothing(self, client, mother, purpose):
        """A stranger who tricked somebody out of one code has no other."""
        ask(client)
        code = newest_code()
        SmsCode.objects.update(purpose=purpose)
        answer = client.post("/stop/code/", {"code": code})
        assert answer.status_code == 200
        assert client.get("/stop/choose/").status_code == 302

    def test_nor_in_another_session(self, client, mother):
        ask(client)
        other = Client()
        ask(other, UNKNOWN)
        session = other.session
        session["stop"] = {"phone": PHONE, "sent_at": NOW.isoformat()}
        session.save()
        assert other.post("/stop/code/", {"code": newest_code()}).status_code == 200
        assert other.get("/stop/choose/").status_code == 302

    def test_without_a_code_nothing_is_stopped(self, client, stranger):
        ask(client)
        press(client, stranger)
        assert not Dispute.objects.exists()

    def test_a_blocked_account_gets_none(self, client, mother):
        mother.is_active = False
        mother.save()
        assert ask(client).url == "/stop/code/"
        assert not Message.objects.exists()

    def test_who_was_blocked_since_the_code_sees_nothing(self, client, mother, stranger):
        enter(client)
        mother.is_active = False
        mother.save()
        assert client.get("/stop/choose/", follow=True).redirect_chain[-1][0] == "/stop/"

    def test_a_closed_account_stops_nobody_until_it_is_opened_again(
        self, client, client_of, mother, stranger
    ):
        enter(client)
        mother.leaving_since = NOW
        mother.save()
        press(client, stranger)
        assert client_of(mother).get("/stop/choose/").url == reverse("accounts:come_back")
        press(client_of(mother), stranger)
        assert not Dispute.objects.exists()
        mother.leaving_since = None
        mother.save()
        press(client, stranger)
        dispute = Dispute.objects.get()
        # A newcomer who has closed the account is told nothing more of it.
        stranger.leaving_since = NOW
        stranger.save()
        Message.objects.all().delete()
        decide_guardianship(
            dispute, outcome=Dispute.Outcome.ENDS, actor=StaffFactory.create(), reason="Бөтен адам", now=NOW
        )
        assert {message.recipient for message in Message.objects.all()} == {mother}

    def test_a_forged_post_is_refused(self, mother, stranger):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(mother, backend="django.contrib.auth.backends.ModelBackend")
        answer = strict.post("/stop/choose/", {"kind": "guardian", "key": str(stranger.pk), "confirm": "1"})
        assert answer.status_code == 403

    @pytest.mark.parametrize("page", ["/stop/", "/stop/code/", "/stop/choose/"])
    def test_no_page_is_cached(self, client, page):
        assert "no-store" in client.get(page)["Cache-Control"]


class TestEnumeration:
    def test_an_unknown_number_sees_what_a_known_one_sees_after_as_much_work(self, mother, stranger):
        """The same pages in the same words after the same statements; only the phone itself differs."""
        seen = []
        for phone in (PHONE, UNKNOWN):
            browser = Client()
            with CaptureQueriesContext(connection) as asked:
                sent = ask(browser, phone)
            page = browser.get("/stop/code/").content.decode()
            wrong = browser.post("/stop/code/", {"code": "000000"}).content.decode()
            text = (page + wrong).replace("98 77", "98 76")
            for cookie in browser.cookies.values():
                text = text.replace(cookie.value, "")
            text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
            statements = [query["sql"].split()[0] for query in asked.captured_queries]
            writes = [one for one in statements if one in ("INSERT", "UPDATE", "DELETE")]
            seen.append((sent.status_code, sent.url, text, writes))
        assert seen[0] == seen[1]
        assert Message.objects.filter(kind="stop_code").count() == 1
        assert Message.objects.get(kind="stop_code").phone == PHONE
        assert SmsCode.objects.filter(purpose="stop").count() == 2

    def test_a_registered_number_without_children_learns_no_more(self, client):
        UserFactory(phone=PHONE)
        enter(client)
        assert client.get("/stop/choose/").status_code == 200

    @pytest.mark.parametrize(
        "key", ["", "x", "0" * 32, "00000000-0000-0000-0000-000000000000", "\0", "x" * 5000]
    )
    @pytest.mark.parametrize("confirm", [True, False])
    def test_a_key_that_was_not_offered_stops_nothing(self, client, stranger, key, confirm):
        enter(client)
        fields = {"kind": "guardian", "key": key} | ({"confirm": "1"} if confirm else {})
        assert client.post("/stop/choose/", fields, follow=True).status_code == 200
        assert not Dispute.objects.exists()

    @pytest.mark.parametrize("kind", ["", "x", "phone", "\0"])
    def test_a_kind_that_nobody_registered(self, client, stranger, kind):
        enter(client)
        answer = client.post("/stop/choose/", {"kind": kind, "key": str(stranger.pk), "confirm": "1"})
        assert answer.status_code == 200
        assert not Dispute.objects.exists()

    def test_somebody_elses_child_is_not_for_them(self, client_of, stranger):
        press(client_of(UserFactory()), stranger)
        press(client_of(GuardianshipFactory().user), stranger)
        assert not Dispute.objects.exists()

    def test_an_employee_has_nothing_to_stop(self, client_of, stranger):
        press(client_of(StaffFactory()), stranger)
        assert not Dispute.objects.exists()


class Doors:
    """A kind of another app."""

    code = "door"
    heading, nothing, claim, consequences = "Есіктер", "Есік жоқ", "Бұл мен емес", ["Есік жабылады"]
    what = "Есік"
    stopped: list[str] = []

    def choices(self, user, *, now):
        return [Choice(key="1", title="Есік № 1"), Choice(key="2", title="Есік № 2", state="Жабық")]

    def advice(self, user, *, is_signed_in, now):
        return None

    def stop(self, user, key, *, address, now):
        if key != "1":
            raise NotStopped("Бұл есік жабық")
        self.stopped.append(key)
        return "Есік жабылды"


class TestWhatCanBeStopped:
    @pytest.fixture
    def doors(self, monkeypatch):
        monkeypatch.setattr(stops, "_kinds", dict(stops._kinds))
        stops.register(Doors())
        monkeypatch.setattr(Doors, "stopped", [])
        return Doors

    def test_apps_above_register_it(self, client_of, mother, stranger, doors):
        browser = client_of(mother)
        page = browser.get("/stop/choose/").content.decode()
        assert "О••••• Т." in page
        assert "Есік № 1" in page
        assert "Жабық" in page
        asked = browser.post("/stop/choose/", {"kind": "door", "key": "1"}).content.decode()
        assert "Есік жабылады" in asked
        assert doors.stopped == []
        done = browser.post("/stop/choose/", {"kind": "door", "key": "1", "confirm": "1"}, follow=True)
        assert "Есік жабылды" in done.content.decode()
        assert doors.stopped == ["1"]

    def test_what_can_not_be_stopped_is_answered_in_its_words(self, client_of, mother, doors):
        browser = client_of(mother)
        answer = browser.post("/stop/choose/", {"kind": "door", "key": "2", "confirm": "1"}, follow=True)
        assert "Бұл есік жабық" in answer.content.decode()

    def test_ten_presses_a_day(self, client_of, mother, doors):
        browser = client_of(mother)
        for _ in range(11):
            answer = browser.post("/stop/choose/", {"kind": "door", "key": "1", "confirm": "1"}, follow=True)
        assert len(doors.stopped) == 10
        assert answer.status_code == 200


def test_the_sms_is_a_secret_and_only_an_sms():
    kind = KINDS["stop_code"]
    assert (kind.secret, kind.channels) == (True, (Channel.SMS,))
