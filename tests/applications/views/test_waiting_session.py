"""A page that waits for an opening keeps its session, and the press still costs two statements."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Session
from accounts.sessions import AFTER_OPENING, LONGEST, WAITS_AT_MOST, SessionStore
from applications.models import Bid
from bulletin.models import Vacancy
from tests.accounts.test_family_sessions import is_open, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

MICROSECOND, MINUTE, HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1)
START = datetime(2019, 6, 26, 10, 20, tzinfo=UTC)


class TestWaitingForAnOpening:
    def announce(self, scene, opens_at):
        Vacancy.objects.update(opens_at=opens_at, priority_until=None)
        return reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])

    def test_it_lives_past_both_limits_until_ten_minutes_after(self, scene, clock):
        client = signed_in(scene.parent)
        # Kept awake until shortly before its twelve hours are over.
        at = START
        while at + 19 * MINUTE < START + LONGEST:
            at += 19 * MINUTE
            clock.move_to(at)
            assert is_open(client)
        opens = at + WAITS_AT_MOST
        assert client.get(self.announce(scene, opens)).status_code == 200
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        clock.move_to(opens + AFTER_OPENING - MICROSECOND)
        assert SessionStore(key).is_familys
        clock.move_to(opens + AFTER_OPENING)
        assert not SessionStore(key).is_familys

    def test_the_press_at_the_opening_is_two_statements_and_notes_nothing(self, scene, clock):
        client = signed_in(scene.parent)
        opens = START + 3 * HOUR
        address = self.announce(scene, opens)
        assert client.get(address).status_code == 200
        clock.move_to(opens)
        with CaptureQueriesContext(connection) as queries:
            assert client.post(address, {"application": str(scene.application.pk)}).status_code == 302
        assert len(queries) == 2, [query["sql"] for query in queries]
        assert Bid.objects.count() == 1

    @pytest.mark.parametrize(("ahead", "kept"), [(timedelta(0), True), (MICROSECOND, False)])
    def test_only_for_an_opening_in_the_next_twelve_hours(self, scene, ahead, kept):
        client = signed_in(scene.parent)
        opens = START + WAITS_AT_MOST + ahead
        assert client.get(self.announce(scene, opens)).status_code == 200
        assert (Session.objects.get().kept_until == opens + AFTER_OPENING) is kept

    def test_a_page_that_is_opened_again_keeps_no_session_for_ever(self, scene, clock):
        client = signed_in(scene.parent)
        first = START + 12 * HOUR
        client.get(self.announce(scene, first))
        clock.move_to(first)
        assert client.get(self.announce(scene, first + 6 * HOUR)).status_code == 200
        assert Session.objects.get().expire_date == first + AFTER_OPENING
