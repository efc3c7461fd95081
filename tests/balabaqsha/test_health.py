"""What a load balancer and a monitor are told."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from notifications.models import Message

ADDRESS = "/health/"


def message(*, due, state=Message.State.QUEUED):
    return Message.objects.create(
        phone="+77017779876",
        kind="bid_placed",
        language="kk",
        text="…",
        dedupe_key=f"{due.isoformat()}{state}",
        state=state,
        next_attempt_at=due,
        give_up_at=due + timedelta(days=1),
        created_at=due,
    )


@pytest.mark.django_db
def test_all_well(client):
    call_command("load_holidays", verbosity=0, stdout=StringIO())
    response = client.get(ADDRESS)
    assert response.status_code == 200
    assert response.json() == {
        "database": "ok",
        "redis": "ok",
        "outbox": "ok",
        "outbox_seconds": 0,
        "calendar": "ok",
    }
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "outbox"), [(0, "ok"), (600, "ok"), (601, "late")])
def test_a_late_outbox_is_told_but_the_web_server_stays(client, seconds, outbox):
    now = timezone.now()
    message(due=now - timedelta(seconds=seconds))
    message(due=now - timedelta(days=1), state=Message.State.SENT)
    with time_machine.travel(now, tick=False):
        response = client.get(ADDRESS)
    assert response.status_code == 200
    assert (response.json()["outbox"], response.json()["outbox_seconds"]) == (outbox, seconds)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("today", "calendar"),
    [(date(2027, 11, 1), "ok"), (date(2027, 11, 2), "ending"), (date(2028, 1, 1), "ending")],
)
def test_a_calendar_that_ends_soon_is_told(client, today, calendar):
    call_command("load_holidays", first_year=2026, last_year=2027, verbosity=0, stdout=StringIO())
    with time_machine.travel(datetime(today.year, today.month, today.day, 12, tzinfo=UTC), tick=False):
        response = client.get(ADDRESS)
    assert response.status_code == 200
    assert response.json()["calendar"] == calendar


@pytest.mark.django_db
def test_a_calendar_that_was_never_loaded_is_told(client):
    assert client.get(ADDRESS).json()["calendar"] == "missing"


@pytest.mark.django_db
def test_without_redis_it_says_so(client, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    response = client.get(ADDRESS)
    assert response.status_code == 503
    assert (response.json()["database"], response.json()["redis"]) == ("ok", "failing")


@pytest.mark.django_db
def test_without_the_database_it_says_so_and_nothing_more(client):
    def refuse(execute, sql, params, many, context):
        raise OperationalError("could not connect to server at 10.1.2.3 as user balabaqsha")

    with connection.execute_wrapper(refuse):
        response = client.get(ADDRESS)
    assert response.status_code == 503
    assert response.json() == {"database": "failing", "redis": "ok"}


def test_the_clock_is_the_one_that_decides_about_bids(client, db, settings, clock):
    settings.DATABASE_CLOCK = True
    assert datetime.fromisoformat(client.get("/clock.json").json()["now"]).year > 2019


def test_the_clock_is_the_server_s(client, db):
    with time_machine.travel(datetime(2026, 6, 26, 10, 20, 0, 5, tzinfo=UTC), tick=False):
        response = client.get("/clock.json")
    assert response.json() == {"now": "2026-06-26T10:20:00.000005+00:00"}
    assert "no-store" in response.headers["Cache-Control"]
