"""A kept connection that died is replaced before anybody notices, and one that lives is not asked all the time."""

from itertools import count

import psycopg2
import pytest
from django.db import connection

from accounts.models import User
from balabaqsha.postgresql.base import CHECKED_FOR_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


def begin_request():
    connection.close_if_unusable_or_obsolete()


def end_the_backend():
    """As a restart of the server would: the process behind our connection is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = psycopg2.connect(**connection.get_connection_params())
    with other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


@pytest.fixture
def monotonic(monkeypatch):
    """A clock of the machine that the test moves."""
    now = [100.0]
    monkeypatch.setattr("balabaqsha.postgresql.base.time.monotonic", lambda: now[0])
    connection.close()
    connection.health_check_enabled = True
    yield now
    connection.health_check_enabled = False
    connection.close()


def test_a_dead_connection_is_replaced(monotonic):
    User.objects.count()
    end_the_backend()
    monotonic[0] += CHECKED_FOR_SECONDS
    begin_request()
    assert User.objects.count() == 0


def test_a_living_one_is_asked_once_in_a_second(monotonic, monkeypatch):
    asked = count()
    real = connection.is_usable
    monkeypatch.setattr(connection, "is_usable", lambda: next(asked) >= 0 and real())
    User.objects.count()
    for elapsed in (0, CHECKED_FOR_SECONDS / 2, CHECKED_FOR_SECONDS / 2, CHECKED_FOR_SECONDS / 2):
        monotonic[0] += elapsed
        begin_request()
        User.objects.count()
    assert next(asked) == 1
