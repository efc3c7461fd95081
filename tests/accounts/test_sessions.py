"""Sessions are read by our own statement, and kept as Django keeps them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Session
from accounts.sessions import SessionStore
from balabaqsha.celery import app
from balabaqsha.retention import purge_personal_data
from tests.accounts.walk import PHONE

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
START = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def kept(clock):
    clock.move_to(START)
    session = SessionStore()
    session["step"] = "code"
    session.create()
    return session.session_key


def test_it_holds_what_was_kept_by_one_statement(kept, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert SessionStore(kept)["step"] == "code"
    assert Session.objects.get(pk=kept).get_decoded() == {"step": "code"}


def test_it_is_over_at_its_end(kept, clock):
    ends = Session.objects.get().expire_date
    clock.move_to(ends - MICROSECOND)
    assert SessionStore(kept).get("step") == "code"
    clock.move_to(ends)
    assert SessionStore(kept).get("step") is None


def test_a_new_key_is_written_once_and_ends_the_former_one(kept):
    session = SessionStore(kept)
    assert session["step"] == "code"
    with CaptureQueriesContext(connection) as queries:
        session.cycle_key()
        session["step"] = "signed in"
        session.save()
    statements = [query["sql"] for query in queries if "django_session" in query["sql"]]
    assert [sql.split()[0] for sql in statements if not sql.startswith("SELECT")] == ["DELETE", "INSERT"]
    assert session.session_key not in (None, kept)
    assert SessionStore(session.session_key)["step"] == "signed in"
    assert Session.objects.count() == 1


def test_a_row_that_was_deleted_meanwhile_is_not_written_anew(kept):
    """A user signed out elsewhere does not come back through a request that was under way."""
    session = SessionStore(kept)
    session["step"] = "changed"
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()


def test_a_new_key_of_a_visitor_without_a_session_is_one_row():
    session = SessionStore()
    session.cycle_key()
    assert not Session.objects.exists()
    session["step"] = "signed in"
    session.save()
    assert SessionStore(session.session_key)["step"] == "signed in"


def test_two_sessions_never_share_a_key(kept, monkeypatch):
    """A key that is taken already is not taken over: the next one is tried."""
    keys = iter([kept, "b" * 32])
    monkeypatch.setattr(SessionStore, "_get_new_session_key", lambda self: next(keys))
    session = SessionStore()
    session["step"] = "other"
    session.save()
    assert session.session_key == "b" * 32
    assert SessionStore(kept)["step"] == "code"


@pytest.mark.parametrize(
    "key", ["a" * 32, "' OR 1=1 --", "'; DROP TABLE django_session; --", "ә" * 200, "a" * 32 + "\0"]
)
def test_an_unknown_key_holds_nothing_and_is_not_taken_over(kept, key):
    session = SessionStore(key)
    assert session.get("step") is None
    session["step"] = "new"
    session.save()
    assert session.session_key not in (key, kept)


def test_a_cookie_that_no_database_can_look_up_is_a_visitor_s(client, kept):
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    client.cookies[settings.SESSION_COOKIE_NAME].set(settings.SESSION_COOKIE_NAME, "", '"aaaaaaaa\\000"')
    assert client.get("/").status_code == 200
    assert client.post(reverse("accounts:logout")).status_code == 302


def test_data_that_was_tampered_with_is_no_session(kept):
    Session.objects.update(session_data="e30:forged:signature")
    assert SessionStore(kept).get("step") is None


class TestRowsOfBots:
    """What is refused leaves no row behind."""

    GARBAGE: tuple[tuple[str, dict[str, str]], ...] = (
        ("/register/", {}),
        ("/register/", {"phone": "x", "consent": "on"}),
        ("/register/", {"phone": "8 7172 12-34-56", "consent": "on"}),
        ("/register/", {"phone": PHONE}),
        ("/register/", {"confirm": "1"}),
        ("/register/code/", {"code": "000000"}),
        ("/register/code/", {"resend": "1"}),
        ("/register/account/", {"identity": "940225300009"}),
        ("/password/reset/", {"phone": "x"}),
        ("/password/reset/code/", {"code": "000000", "proof": "940225300009"}),
        ("/password/reset/new/", {"password": "x", "repeated": "x"}),
        ("/login/", {"phone": PHONE, "password": "wrong"}),
        ("/login/code/", {"code": "000000"}),
        ("/admin/login/", {"username": "x", "password": "x", "otp_token": "000000"}),
        ("/queue/check/", {"number": "19-000001", "digits": "0000"}),
    )

    def test_garbage(self):
        for path, fields in self.GARBAGE:
            for prefix in ("", "/ru"):
                Client().post(prefix + path, fields)
                Client().get(prefix + path)
        assert not Session.objects.exists()

    @pytest.mark.parametrize("path", ["/register/", "/password/reset/"])
    def test_codes_that_a_limit_refuses(self, path):
        Client().post(path, {"phone": PHONE, "consent": "on"})
        assert Session.objects.count() == 1
        for _ in range(5):
            assert Client().post(path, {"phone": PHONE, "consent": "on"}).status_code == 429
        assert Session.objects.count() == 1

    @pytest.mark.parametrize("path", ["/register/", "/password/reset/"])
    def test_codes_without_redis(self, path, redis_away):
        assert Client().post(path, {"phone": PHONE, "consent": "on"}).status_code == 429
        assert not Session.objects.exists()

    def test_sign_ins_that_wait_for_a_code(self):
        for _ in range(9):
            Client().post("/login/", {"phone": PHONE, "password": "wrong"})
        assert not Session.objects.exists()


def test_those_that_are_over_are_deleted_and_no_other(kept, clock):
    ends = Session.objects.get().expire_date
    clock.move_to(ends - MICROSECOND)
    purge_personal_data(now=ends - MICROSECOND)
    assert Session.objects.count() == 1
    assert purge_personal_data(now=ends, dry_run=True)["sessions, once they are over"] == 1
    assert purge_personal_data(now=ends)["sessions, once they are over"] == 1
    assert not Session.objects.exists()


def test_they_are_deleted_every_night():
    scheduled = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}
    assert len(scheduled["balabaqsha.tasks.purge_personal_data"].hour) == 1
