"""Sessions are read by our own statement, and kept as Django keeps them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DjangoStore
from django.contrib.sessions.models import Session
from django.urls import reverse

from accounts.sessions import SessionStore

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
    assert DjangoStore(kept)["step"] == "code"


def test_it_is_over_at_its_end(kept, clock):
    ends = Session.objects.get().expire_date
    clock.move_to(ends - MICROSECOND)
    assert SessionStore(kept).get("step") == "code"
    clock.move_to(ends)
    assert SessionStore(kept).get("step") is None


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
