"""A family's session: when it ends, what keeps it, what it costs, and the list in which its owner ends it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import browsers
from accounts.journal_actions import Action
from accounts.masks import mask_address
from accounts.models import AuditEntry, Session
from accounts.sessions import IDLE, LONGEST, NOTED_EVERY, SessionStore
from accounts.visits import visits_of
from notifications.models import Message, Notice
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
START = datetime(2019, 6, 26, 10, 20, tzinfo=UTC)
CABINET = "/cabinet/profile/"
PHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"
)
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0"


def signed_in(user, agent=PHONE, client=None) -> Client:
    client = client or Client(headers={"user-agent": agent}, REMOTE_ADDR="82.200.15.7")
    answer = client.post("/login/", {"phone": str(user.phone), "password": "parent-pass-1"})
    assert answer.status_code == 302
    return client


def is_open(client) -> bool:
    return bool(client.get(CABINET).status_code == 200)


def session_updates(queries) -> int:
    return sum("UPDATE django_session" in query["sql"] for query in queries)


class TestItsEnd:
    def test_twenty_minutes_without_a_page(self, parent, clock):
        client = signed_in(parent)
        clock.move_to(START + IDLE - MICROSECOND)
        # A look that is not noted: the session itself says whether it lives.
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        assert SessionStore(key).is_familys
        clock.move_to(START + IDLE)
        assert not SessionStore(key).is_familys
        assert client.get(CABINET).url == f"/login/?next={CABINET}"

    def test_use_is_noted_once_in_two_minutes_and_carries_it_on(self, parent, clock):
        client = signed_in(parent)
        for after, noted in ((NOTED_EVERY - MICROSECOND, 0), (NOTED_EVERY, 1), (NOTED_EVERY + MINUTE, 0)):
            clock.move_to(START + after)
            with CaptureQueriesContext(connection) as queries:
                assert is_open(client)
            assert session_updates(queries) == noted, after
        assert Session.objects.get().expire_date == START + NOTED_EVERY + IDLE
        clock.move_to(START + NOTED_EVERY + IDLE)
        assert not is_open(client)

    def test_twelve_hours_however_busy_and_a_step_of_a_form_gains_nothing(self, parent, clock):
        client = signed_in(parent)
        at = START
        while at + 15 * MINUTE < START + LONGEST:
            at += 15 * MINUTE
            clock.move_to(at)
            assert is_open(client)
            kept = client.session
            kept["step"] = str(at)
            kept.save()
        clock.move_to(START + LONGEST - MICROSECOND)
        assert is_open(client)
        clock.move_to(START + LONGEST)
        assert not is_open(client)

    def test_the_browser_is_told_the_end_and_the_button_renews_it(self, parent, clock):
        client, name = signed_in(parent), settings.SESSION_ENDS_COOKIE_NAME
        assert client.cookies[name].value == str(int((START + IDLE).timestamp()))
        clock.move_to(START + MINUTE)
        assert client.get(reverse("accounts:go_on")).json() == {"lives": True}
        assert client.cookies[name].value == str(int((START + MINUTE + IDLE).timestamp()))
        clock.move_to(START + MINUTE + IDLE)
        assert client.get(reverse("accounts:go_on")).json() == {"lives": False}
        assert client.cookies[name].value == ""

    def test_a_visitor_and_an_employee_are_told_nothing(self, client, client_of):
        assert client.get(reverse("accounts:go_on")).json() == {"lives": False}
        assert not client.cookies
        assert not Session.objects.exists()

    def test_there_is_one_way_in(self):
        """A sign-in beside it would make a session that never ends by itself."""
        ours = [
            path
            for app in ("accounts", "children", "bulletin", "applications")
            for path in Path(app).rglob("*.py")
        ]
        inside = [
            str(path)
            for path in ours
            if "contrib.auth import" in (text := path.read_text()) and " login(" in text
        ]
        assert inside == ["accounts/visits.py"]


class TestTheList:
    def test_device_place_and_use(self, parent, clock):
        signed_in(parent, DESK)
        signed_in(UserFactory.create())
        clock.move_to(START + MINUTE)
        client = signed_in(parent)
        visits = client.get(reverse("accounts:sessions")).context["visits"]
        assert [(one.device, one.address, one.is_this) for one in visits] == [
            ("Chrome, Android", "82.200.•.•", True),
            ("Firefox, Windows", "82.200.•.•", False),
        ]
        assert [one.seen_at for one in visits] == [START + MINUTE, START]
        assert not any(one.key in client.cookies[settings.SESSION_COOKIE_NAME].value for one in visits)

    def test_one_is_ended_and_nobody_elses(self, parent, clock):
        desk, client, stranger = signed_in(parent, DESK), signed_in(parent), signed_in(UserFactory.create())
        theirs = stranger.get(reverse("accounts:sessions")).context["visits"][0].key
        other = client.get(reverse("accounts:sessions")).context["visits"][1].key
        for key in (theirs, other, "", "ә"):
            assert client.post(reverse("accounts:end_session"), {"session": key}).url == "/cabinet/sessions/"
        assert (is_open(client), is_open(desk), is_open(stranger)) == (True, False, True)
        assert AuditEntry.objects.filter(action=Action.SESSIONS_ENDED, subject=parent).count() == 1

    def test_what_another_password_has_ended_is_not_in_it(self, parent):
        """A reset, a new password and a move of the number leave the rows: they end with the stamp that they hold."""
        desk, client = signed_in(parent, DESK), signed_in(parent)
        page, new = reverse("accounts:sessions"), "another-pass-1"
        assert len(client.get(page).context["visits"]) == 2
        client.post(
            reverse("accounts:password"),
            {"old_password": "parent-pass-1", "password": new, "repeated": new},
        )
        assert Session.objects.count() == 2
        with CaptureQueriesContext(connection) as queries:
            (only,) = client.get(page).context["visits"]
        assert only.is_this
        assert sum('FROM "django_session"' in query["sql"] for query in queries) == 1
        client.post(reverse("accounts:end_session"))
        assert not AuditEntry.objects.filter(action=Action.SESSIONS_ENDED).exists()
        parent.refresh_from_db()
        parent.set_unusable_password()
        parent.save()
        assert not is_open(client)
        assert not is_open(desk)
        assert visits_of(parent, this=None, now=START) == []

    def test_all_others_and_then_all(self, parent):
        desk, client = signed_in(parent, DESK), signed_in(parent)
        client.post(reverse("accounts:end_session"))
        assert (is_open(client), is_open(desk)) == (True, False)
        desk = signed_in(parent, DESK)
        assert client.post(reverse("accounts:end_session"), {"all": "1"}).url == "/login/"
        assert (is_open(client), is_open(desk)) == (False, False)

    def test_a_request_under_way_does_not_bring_an_ended_session_back(self, parent, clock):
        client = signed_in(parent)
        session = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
        assert session.is_familys
        Session.objects.all().delete()
        clock.move_to(START + NOTED_EVERY)
        assert session.is_due(now=START + NOTED_EVERY)
        assert not session.note_use(now=START + NOTED_EVERY)
        assert not Session.objects.exists()


class TestANewDevice:
    def test_its_owner_is_told_once(self, parent):
        client = signed_in(parent)
        assert Notice.objects.get(recipient=parent).kind == "new_device"
        assert Message.objects.get().kind == "new_device"
        client.post("/logout/")
        signed_in(parent, client=client)
        assert Notice.objects.count() == 1


def test_a_browser_is_named_by_our_words_alone():
    assert browsers.name_of(PHONE) == "Chrome, Android"
    assert (
        browsers.name_of("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1")
        == "Safari, iPhone"
    )
    assert browsers.name_of("<script>alert(1)</script>") == ""


def test_an_address_is_masked():
    assert [mask_address(one) for one in ("82.200.15.7", "2a00:1fa0:8:1::5", None)] == [
        "82.200.•.•",
        "2a00:1fa0:•:•",
        "",
    ]
