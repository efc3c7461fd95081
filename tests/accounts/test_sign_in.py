"""Signing in and out, and a forgotten password."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from accounts.journal_actions import Action
from accounts.models import AuditEntry, SmsCode
from accounts.roles import Role
from notifications.models import Message, Notice
from tests.accounts.walk import PHONE, newest_code
from tests.factories import ProfileFactory, StaffFactory, UserFactory, nth_iin
from tests.staff import employee, inside
from tests.unseen import pages_unseen

RIGHT = "parent-pass-1"
MICROSECOND = timedelta(microseconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def parent():
    return UserFactory.create(phone=PHONE)


def sign_in(client, phone=PHONE, password=RIGHT, **options):
    return client.post("/login/", {"phone": phone, "password": password}, **options)


def sentence(answer) -> str:
    return str(answer.context["form"].non_field_errors()[0])


class TestSignIn:
    @pytest.mark.parametrize("text", [PHONE, "8 701 777 98 76", "+7 (701) 777-98-76", "７０１７７７９８７６"])
    def test_any_spelling(self, client, parent, text):
        assert sign_in(client, text).url == "/cabinet/"
        assert client.session["_auth_user_id"] == str(parent.pk)

    def test_it_is_in_the_journal(self, client, parent):
        sign_in(client)
        assert AuditEntry.objects.get().action == Action.SIGNED_IN

    def test_every_failure_says_the_same(self, client, parent):
        UserFactory.create(phone="+77017779870", is_active=False)
        said = {
            sentence(sign_in(client, phone, password))
            for phone, password in [
                (PHONE, "wrong"), ("+77017779879", RIGHT), ("+77017779870", RIGHT), ("+79161234567", RIGHT),
                ("abc", RIGHT), (PHONE, RIGHT + " "), (PHONE, "x" * 100_000), (PHONE, RIGHT.upper()),
            ]
        }  # fmt: skip
        assert len(said) == 1
        assert "_auth_user_id" not in client.session

    @pytest.mark.parametrize("target", ["/cabinet/children/", "/ru/cabinet/", "/bulletin/?page=2"])
    def test_next_inside(self, client, parent, target):
        assert client.get("/login/", {"next": target}).context["next"] == target
        answer = client.post("/login/", {"phone": PHONE, "password": RIGHT, "next": target})
        assert answer.url == target

    @pytest.mark.parametrize(
        "target",
        ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", "http:///x"],
    )
    def test_next_outside(self, client, parent, target):
        answer = client.post("/login/", {"phone": PHONE, "password": RIGHT, "next": target})
        assert answer.url == "/cabinet/"

    def test_the_session_changes(self, client, parent):
        client.get("/login/")
        session = client.session
        session["x"] = 1
        session.save()
        before = session.session_key
        sign_in(client)
        assert client.session.session_key != before

    def test_signed_in_already(self, parent, parent_client):
        assert parent_client.get("/login/").url == "/cabinet/"
        assert parent_client.get("/ru/login/").url == "/ru/cabinet/"

    def test_an_employee_sees_what_all_see_and_is_shown_the_other_door(self, client, parent):
        StaffFactory.create(username="amina")
        for password in ("staff-pass-1", "wrong"):
            answer = sign_in(client, "amina", password)
            assert sentence(answer) == sentence(sign_in(client, PHONE, "wrong"))
            assert 'href="/admin/login/"' in answer.content.decode()
        assert "_auth_user_id" not in client.session


class TestSignOut:
    def test_by_post(self, parent, parent_client):
        assert parent_client.post("/logout/").url == "/"
        assert "_auth_user_id" not in parent_client.session
        assert AuditEntry.objects.get().action == Action.SIGNED_OUT

    def test_the_browser_forgets_what_it_kept_but_the_device_stays_known(self, parent_client):
        parent_client.cookies[settings.DEVICE_COOKIE_NAME] = "known"
        answer = parent_client.post("/logout/")
        assert answer["Clear-Site-Data"] == '"cache", "storage"'
        assert settings.DEVICE_COOKIE_NAME not in answer.cookies
        for other in (parent_client.get("/"), parent_client.get("/logout/"), parent_client.post("/logout/")):
            assert "Clear-Site-Data" not in other

    def test_an_employee_s_too(self):
        client = inside(employee(Role.OFFICIAL))
        assert "Clear-Site-Data" not in client.get("/admin/")
        assert client.post("/admin/logout/")["Clear-Site-Data"] == '"cache", "storage"'

    def test_a_link_signs_nobody_out(self, parent, parent_client):
        assert parent_client.get("/logout/").url == "/"
        assert "_auth_user_id" in parent_client.session

    def test_twice(self, parent, parent_client):
        parent_client.post("/logout/")
        assert parent_client.post("/logout/").url == "/"

    def test_pages_behind_it_are_not_cached(self, parent, parent_client):
        cache_control = parent_client.get("/cabinet/profile/")["Cache-Control"]
        assert "no-store" in cache_control
        assert "private" in cache_control


class _Way:
    new = "жаңа құпия сөз"

    def ask(self, client, phone="8 701 777 98 76"):
        assert client.post("/password/reset/", {"phone": phone}).url == "/password/reset/code/"

    def prove(self, client, code, proof):
        return client.post("/password/reset/code/", {"code": code, "proof": proof})

    def to_new(self, client, parent):
        self.ask(client)
        answer = self.prove(client, newest_code(), parent.profile.iin)
        assert answer.url == "/password/reset/new/"

    def set_new(self, client, password=None):
        password = password or self.new
        return client.post("/password/reset/new/", {"password": password, "repeated": password})


class TestReset(_Way):
    def test_the_whole_way(self, client, parent):
        self.to_new(client, parent)
        assert self.set_new(client).url == "/login/"
        assert sign_in(client, password=RIGHT).status_code == 200
        assert sign_in(client, password=self.new).status_code == 302

    def test_it_ends_other_sessions_and_tells_the_owner(self, client, parent, parent_client):
        assert parent_client.get("/cabinet/profile/").status_code == 200
        self.to_new(client, parent)
        self.set_new(client)
        assert parent_client.get("/cabinet/profile/").status_code == 302
        assert Notice.objects.get().kind == "password_changed"
        assert Message.objects.filter(kind="password_changed").count() == 1
        assert AuditEntry.objects.filter(action=Action.PASSWORD_RESET, subject=parent).count() == 1

    def test_it_opens_a_locked_door(self, client, parent):
        for _ in range(6):
            sign_in(client, password="wrong")
        self.to_new(client, parent)
        self.set_new(client)
        assert sign_in(client, password=self.new).url == "/cabinet/"

    def test_the_device_is_known_from_then_on(self, client, parent):
        self.to_new(client, parent)
        self.set_new(client)
        for _ in range(6):
            sign_in(Client(), password="wrong")
        assert sign_in(client, password=self.new).url == "/cabinet/"

    def test_an_unknown_number_sees_the_same_pages(self, client, parent, clock):
        pages = []
        for phone in (PHONE, "+77017779877"):
            browser = Client()
            self.ask(browser, phone)
            seen = [self.prove(browser, "000000", parent.profile.iin) for _ in range(12)]
            shown = [re.sub(r'value="[^"]*"', "", answer.content.decode()) for answer in seen]
            pages.append([page.replace("•• 98 77", "•• 98 76") for page in shown])
        assert pages[0] == pages[1]
        assert len(set(pages[0])) > 3
        assert not Message.objects.filter(phone="+77017779877").exists()

    def test_steps_cannot_be_skipped(self, client, parent):
        assert client.get("/password/reset/code/").url == "/password/reset/"
        assert client.get("/password/reset/new/").url == "/password/reset/"
        client.post("/password/reset/", {"phone": PHONE})
        assert self.set_new(client).url == "/password/reset/code/"
        parent.refresh_from_db()
        assert parent.check_password(RIGHT)

    def test_a_registration_code_resets_nothing(self, client, parent):
        client.post("/register/", {"phone": PHONE, "consent": "on"})
        assert client.get("/password/reset/new/").url == "/password/reset/"

    def test_once_only(self, client, parent):
        self.to_new(client, parent)
        self.set_new(client)
        assert self.set_new(client).url == "/password/reset/"

    def test_the_rule_for_passwords_holds(self, client, parent):
        self.to_new(client, parent)
        assert "password" in self.set_new(client, "short").context["form"].errors

    def test_the_present_password_is_none_and_nothing_is_sent(self, client, parent):
        self.to_new(client, parent)
        answer = self.set_new(client, RIGHT)
        assert "қазіргі құпия сөзіңіз" in answer.context["form"].errors["password"][0]
        assert not Message.objects.filter(kind="password_changed").exists()
        assert self.set_new(client).status_code == 302

    def test_blocked_meanwhile(self, client, parent):
        self.to_new(client, parent)
        parent.is_active = False
        parent.save()
        assert self.set_new(client).url == "/password/reset/"

    def test_resend(self, client, parent, clock):
        client.post("/password/reset/", {"phone": PHONE})
        clock.shift(timedelta(seconds=60))
        client.post("/password/reset/code/", {"resend": "1"})
        assert SmsCode.objects.count() == 2
        assert self.prove(client, newest_code(), parent.profile.iin).url == "/password/reset/new/"

    def test_a_landline(self, client):
        answer = client.post("/password/reset/", {"phone": "8 7172 12-34-56"})
        assert "phone" in answer.context["form"].errors


class TestWhoseAccountItIs(_Way):
    """A found or handed-on phone with its codes is not enough."""

    OTHER = nth_iin(4711)

    def wrong(self, client, code=None):
        return self.prove(client, code or newest_code(), self.OTHER)

    def test_the_code_alone_opens_nothing(self, client, parent):
        self.ask(client)
        answer = self.wrong(client)
        assert sentence(answer) == "Код немесе ЖСН қате, не кодтың мерзімі өткен"
        assert self.set_new(client).url == "/password/reset/code/"

    def test_what_is_wrong_is_not_told(self, client, parent):
        self.ask(client)
        wrong_code = f"{(int(newest_code()) + 1) % 1_000_000:06d}"
        said = {
            sentence(answer).partition(". ")[0]
            for answer in (self.wrong(client), self.prove(client, wrong_code, parent.profile.iin))
        }
        assert len(said) == 1

    def test_a_wrong_iin_is_a_try_and_burns_no_code_before_the_fifth(self, client, parent):
        self.ask(client)
        code = newest_code()
        for _ in range(4):
            self.wrong(client, code)
        assert self.prove(client, code, parent.profile.iin).url == "/password/reset/new/"

    def test_at_the_fifth_the_code_is_burnt(self, client, parent):
        self.ask(client)
        code = newest_code()
        for _ in range(5):
            answer = self.wrong(client, code)
        assert "жаңасын сұратыңыз" in sentence(answer)
        assert self.prove(client, code, parent.profile.iin).status_code == 200

    @pytest.mark.parametrize(
        "proof", ["940225300000", "12345", "123456789012345", "ab", "🙂🙂🙂🙂", "\0", "", "x" * 61]
    )
    def test_a_slip_of_the_pen_is_no_try(self, client, parent, proof):
        self.ask(client)
        with pages_unseen():
            for _ in range(6):
                errors = self.prove(client, newest_code(), proof).context["form"].errors
                assert list(errors) == ["proof"]
        assert self.prove(client, newest_code(), parent.profile.iin).status_code == 302

    def test_five_wrong_ones_a_day_for_one_account_in_however_many_browsers(self, parent, clock):
        for number in range(5):
            browser = Client(REMOTE_ADDR=f"10.0.{number}.1")
            self.ask(browser)
            self.wrong(browser)
            clock.shift(timedelta(seconds=1))
        browser = Client(REMOTE_ADDR="10.0.9.1")
        self.ask(browser)
        answer = self.prove(browser, newest_code(), parent.profile.iin)
        assert "Қайталау уақыты" in sentence(answer)
        clock.shift(timedelta(days=1) - timedelta(seconds=5) - timedelta(microseconds=1))
        assert self.again(browser, parent).status_code == 200
        clock.shift(timedelta(microseconds=1))
        assert self.again(browser, parent).status_code == 302

    def again(self, browser, parent):
        browser.post("/password/reset/", {"phone": PHONE})
        return self.prove(browser, newest_code(), parent.profile.iin)

    def test_without_the_code_nobody_uses_them_up(self, client, parent):
        for number in range(10):
            stranger = Client(REMOTE_ADDR=f"10.6.{number}.1")
            self.ask(stranger)
            self.wrong(stranger, "000000")
        self.ask(client)
        assert self.prove(client, newest_code(), parent.profile.iin).status_code == 302

    def test_ten_wrong_ones_an_hour_in_one_browser(self, client, parent, clock):
        for _ in range(2):
            client.post("/password/reset/", {"phone": PHONE})
            for _try in range(5):
                self.wrong(client, "000000")
            clock.shift(timedelta(minutes=1))
        client.post("/password/reset/", {"phone": PHONE})
        assert "Қайталау уақыты" in sentence(self.prove(client, newest_code(), parent.profile.iin))

    def test_who_has_no_iin_names_the_end_of_the_document(self, client, parent):
        ProfileFactory.create(
            user=UserFactory.create(phone="+77017779870", profile=None),
            iin="",
            document_number="AC2147093",
            document_hash="x",
        )
        self.ask(client, "+77017779870")
        code = newest_code("+77017779870")
        for proof in ("7094", "2147093", parent.profile.iin):
            assert self.prove(client, code, proof).status_code == 200
        assert self.prove(client, code, " 70-93 ").url == "/password/reset/new/"

    def test_who_has_an_iin_does_not(self, client):
        user = UserFactory.create(phone="+77017779870", profile__document_number="012345678")
        self.ask(client, str(user.phone))
        assert self.prove(client, newest_code("+77017779870"), "5678").status_code == 200


class TestTenMinutes(_Way):
    """Between the code and the new password."""

    def test_a_microsecond_before_the_end(self, client, parent, clock):
        self.to_new(client, parent)
        clock.shift(timedelta(minutes=10) - MICROSECOND)
        assert client.get("/password/reset/new/").status_code == 200
        assert self.set_new(client).url == "/login/"

    def test_at_the_end_also_for_a_page_that_was_open(self, client, parent, clock):
        self.to_new(client, parent)
        assert client.get("/password/reset/new/").status_code == 200
        clock.shift(timedelta(minutes=10))
        answer = self.set_new(client)
        assert answer.url == "/password/reset/"
        assert "он минут" in client.get(answer.url).content.decode()
        parent.refresh_from_db()
        assert parent.check_password(RIGHT)

    def test_then_the_way_begins_anew(self, client, parent, clock):
        self.to_new(client, parent)
        clock.shift(timedelta(minutes=10))
        self.to_new(client, parent)
        assert self.set_new(client).url == "/login/"

    def test_a_session_of_before_is_not_the_one_that_sets_it(self, client, parent):
        self.ask(client)
        before = client.session.session_key
        self.prove(client, newest_code(), parent.profile.iin)
        client.cookies["sessionid"] = before
        assert self.set_new(client).url == "/password/reset/"

    def test_a_session_of_an_older_version_is_understood(self, client, parent):
        self.ask(client)
        session = client.session
        session["password_reset"] = {
            "phone": PHONE,
            "sent_at": session["password_reset"]["sent_at"],
            "verified": True,
        }
        session.save()
        assert client.get("/password/reset/new/").url == "/password/reset/code/"
