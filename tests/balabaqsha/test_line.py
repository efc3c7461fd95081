"""A line to the database: one deadline over all, whatever hangs."""

import os
import resource
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import connection

from balabaqsha.health import line as line_module
from balabaqsha.health.line import Line, Silent
from notifications.models import Message
from tests.balabaqsha.silent import at_port, silent_server
from tests.patience import PATIENCE

# What PostgreSQL sends when somebody may come in, so slowly that it never ends: no encryption, then a long message.
NO_SSL, ENDLESS = b"N", b"R\x00\x00\x01\x00"


def ask_for_ever(line):
    while True:
        line.rows("SELECT pg_sleep(0.05)")


@pytest.mark.django_db
class TestAsking:
    def test_a_statement_and_a_query_are_answered(self):
        with Line(seconds=10) as line:
            assert line.rows("SELECT %s + 1", [41]) == [(42,)]
            assert line.rows("SELECT 1 WHERE false") == []
            assert line.rows(Message.objects.values_list("phone")) == []

    def test_what_is_no_question_is_done(self):
        with Line(seconds=10) as line:
            assert line.rows("CREATE TEMPORARY TABLE once (one int)") == []
            assert line.rows("INSERT INTO once VALUES (1) RETURNING one") == [(1,)]

    def test_the_clock_is_the_database_s(self, settings):
        settings.DATABASE_CLOCK = True
        with Line(seconds=10) as line:
            before, after = line.read_clock(), line.read_clock()
        assert before < after
        assert before.tzinfo is not None

    def test_tests_stop_the_clock(self, clock):
        with Line(seconds=10) as line:
            assert line.read_clock() == datetime(2019, 6, 26, 10, 20, tzinfo=UTC)

    def test_a_statement_that_takes_too_long_is_given_up_by_both_ends(self):
        # Whoever is slow to answer the first is still in time.
        with Line(seconds=3) as line:
            ((abandoned,),) = line.rows("SELECT pg_backend_pid()")
            with pytest.raises(Silent):
                line.rows("SELECT pg_sleep(600)")
        with Line(seconds=PATIENCE) as line:
            while line.rows("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [abandoned]):
                pass

    def test_many_short_statements_have_one_deadline(self):
        with pytest.raises(Silent), Line(seconds=0.3) as line:
            ask_for_ever(line)

    def test_a_refusal_names_its_kind_only(self):
        with pytest.raises(Silent) as refusal, Line(seconds=10) as line:
            line.rows("SELECT * FROM no_such_table")
        assert str(refusal.value) == "UndefinedTable"

    def test_it_is_a_connection_of_its_own_and_is_closed(self):
        with Line(seconds=10) as line:
            ((own,),) = line.rows("SELECT pg_backend_pid()")
            raw = line._connection
        assert raw.closed
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            assert cursor.fetchone() != (own,)

    def test_a_server_with_thousands_of_connections_can_use_it(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
        files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
        try:
            with Line(seconds=10) as line:
                assert line._connection.fileno() > 1024
                assert line.rows("SELECT 1") == [(1,)]
        finally:
            for file in files:
                os.close(file)


@pytest.mark.parametrize("drips", [b"", NO_SSL + ENDLESS + 200 * b"\x00"])
def test_a_server_that_says_nothing_or_never_ends_is_given_up(monkeypatch, drips):
    with silent_server(drips=drips) as server:
        monkeypatch.setattr(line_module, "connections", {"default": at_port(server.port)})
        with pytest.raises(Silent) as silence, Line(seconds=0.5):
            pass
        assert str(silence.value) == "too late"
        assert len(server.connections) == 1


def test_a_server_that_is_not_there_is_told_without_its_address(monkeypatch):
    monkeypatch.setattr(line_module, "connections", {"default": at_port(1)})
    with pytest.raises(Silent) as silence, Line(seconds=10):
        pass
    assert str(silence.value) == "OperationalError"


def test_nothing_is_left_open(monkeypatch):
    with silent_server() as server:
        monkeypatch.setattr(line_module, "connections", {"default": at_port(server.port)})
        for _ in range(3):
            with suppress(Silent), Line(seconds=0.1):
                pass
        server.connections[0].settimeout(10)
        # The other end has gone: what it had said comes, then the end.
        while server.connections[0].recv(1000):
            pass
