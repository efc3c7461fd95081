"""Signing in and out, and a forgotten password."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.audit_actions import Action
from accounts.models import AuditEntry, SmsCode
from notifications.models import Message, Notice
from tests.accounts.walk import PHONE, newest_code
from tests.factories import StaffFactory, UserFactory

RIGHT = "parent-pass-1"

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


class TestReset:
    new = "жаңа құпия сөз"

    def to_new(self, client, phone="8 701 777 98 76"):
        assert client.post("/password/reset/", {"phone": phone}).url == "/password/reset/code/"
        answer = client.post("/password/reset/code/", {"code": newest_code()})
        assert answer.url == "/password/reset/new/"

    def test_the_whole_way(self, client, parent):
        self.to_new(client)
        answer = client.post("/password/reset/new/", {"password": self.new, "repeated": self.new})
        assert answer.url == "/login/"
        assert sign_in(client, password=RIGHT).status_code == 200
        assert sign_in(client, password=self.new).status_code == 302

    def test_it_ends_other_sessions_and_tells_the_owner(self, client, parent, parent_client):
        assert parent_client.get("/cabinet/profile/").status_code == 200
        self.to_new(client)
        client.post("/password/reset/new/", {"password": self.new, "repeated": self.new})
        assert parent_client.get("/cabinet/profile/").status_code == 302
        assert Notice.objects.get().kind == "password_changed"
        assert Message.objects.filter(kind="password_changed").count() == 1
        assert AuditEntry.objects.filter(action=Action.PASSWORD_RESET, subject=parent).count() == 1

    def test_it_opens_a_locked_door(self, client, parent):
        for _ in range(5):
            sign_in(client, password="wrong")
        self.to_new(client)
        client.post("/password/reset/new/", {"password": self.new, "repeated": self.new})
        assert sign_in(client, password=self.new).status_code == 302

    def test_an_unknown_number_sees_the_same_pages(self, client, parent):
        known, unknown = Client(), Client()
        pages = []
        for browser, phone in ((known, PHONE), (unknown, "+77017779877")):
            asked = browser.post("/password/reset/", {"phone": phone})
            wrong = browser.post("/password/reset/code/", {"code": "000000"})
            pages.append(
                (asked.status_code, asked.url, wrong.status_code, wrong.context["form"].errors["code"])
            )
        assert pages[0] == pages[1]
        assert not Message.objects.filter(phone="+77017779877").exists()

    def test_steps_cannot_be_skipped(self, client, parent):
        assert client.get("/password/reset/code/").url == "/password/reset/"
        assert client.get("/password/reset/new/").url == "/password/reset/"
        client.post("/password/reset/", {"phone": PHONE})
        fields = {"password": self.new, "repeated": self.new}
        assert client.post("/password/reset/new/", fields).url == "/password/reset/code/"
        parent.refresh_from_db()
        assert parent.check_password(RIGHT)

    def test_a_registration_code_resets_nothing(self, client, parent):
        client.post("/register/", {"phone": PHONE, "consent": "on"})
        assert client.get("/password/reset/new/").url == "/password/reset/"

    def test_once_only(self, client, parent):
        self.to_new(client)
        fields = {"password": self.new, "repeated": self.new}
        client.post("/password/reset/new/", fields)
        assert client.post("/password/reset/new/", fields).url == "/password/reset/"

    def test_the_rule_for_passwords_holds(self, client, parent):
        self.to_new(client)
        answer = client.post("/password/reset/new/", {"password": "short", "repeated": "short"})
        assert "password" in answer.context["form"].errors

    def test_blocked_meanwhile(self, client, parent):
        self.to_new(client)
        parent.is_active = False
        parent.save()
        fields = {"password": self.new, "repeated": self.new}
        assert client.post("/password/reset/new/", fields).url == "/password/reset/"

    def test_resend(self, client, parent, clock):
        client.post("/password/reset/", {"phone": PHONE})
        clock.shift(timedelta(seconds=60))
        client.post("/password/reset/code/", {"resend": "1"})
        assert SmsCode.objects.count() == 2
        assert client.post("/password/reset/code/", {"code": newest_code()}).url == "/password/reset/new/"

    def test_a_landline(self, client):
        answer = client.post("/password/reset/", {"phone": "8 7172 12-34-56"})
        assert "phone" in answer.context["form"].errors
