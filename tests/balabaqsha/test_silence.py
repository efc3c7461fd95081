"""A database that says nothing lets go of whoever waits, and is asked again by one at a time."""

import os
import signal
import time
from contextlib import contextmanager
from threading import Thread

import pytest
from django.db import OperationalError, connection

from balabaqsha.postgresql import silence
from balabaqsha.postgresql.silence import RESTS_SECONDS, Rest, Watch
from notifications import patience
from tests.balabaqsha.silent import silent_server
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 0.5


@pytest.fixture
def line(monkeypatch):
    """A connection of a process whose answers are due in half a second."""
    monkeypatch.setattr(patience, "_of_the_process", SECONDS)
    silence._rests.clear()
    line = connection.copy()
    yield line
    line.close()
    silence._rests.clear()


def ask(line, statement="SELECT 1"):
    with line.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


@contextmanager
def stopped(pid):
    """A process of the server that answers nothing, not even that a statement took too long."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_server_that_is_stopped_lets_go_and_a_new_connection_is_made_when_it_has_rested(line):
    with stopped(ask(line, "SELECT pg_backend_pid()")):
        began = time.monotonic()
        with pytest.raises(OperationalError):
            ask(line)
        assert SECONDS <= time.monotonic() - began < PATIENCE
        line.close()
        with pytest.raises(OperationalError, match="was silent a moment ago"):
            ask(line)
    time.sleep(RESTS_SECONDS)
    assert ask(line) == 1


def test_a_statement_that_takes_too_long_is_ended_at_the_server_too(line):
    pid = ask(line, "SELECT pg_backend_pid()")
    ask(line, "SELECT set_config('client_connection_check_interval', '100ms', false)")
    with pytest.raises(OperationalError):
        ask(line, "SELECT pg_sleep(600)")
    with patience.with_time():
        until(lambda: ask(connection, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}") == 0)


def test_what_has_time_is_waited_for(line):
    with patience.with_time():
        assert ask(line, f"SELECT 7 FROM pg_sleep({3 * SECONDS})") == 7
    assert ask(line) == 1


def test_by_itself_a_process_waits_as_long_as_it_takes(line, monkeypatch):
    monkeypatch.setattr(patience, "_of_the_process", None)
    assert ask(line, f"SELECT 7 FROM pg_sleep({3 * SECONDS})") == 7
    assert line._socket is None


def test_a_server_that_takes_nobody_in_is_asked_by_one_at_a_time(line):
    with silent_server() as server:
        line.settings_dict = line.settings_dict | {"HOST": "127.0.0.1", "PORT": str(server.port)}
        line.settings_dict["OPTIONS"] = {"connect_timeout": 2}
        for _ in range(3):
            with pytest.raises(OperationalError):
                line.ensure_connection()
        assert len(server.connections) == 1


def test_one_that_refuses_is_asked_again_at_once(line):
    line.settings_dict = line.settings_dict | {"HOST": "127.0.0.1", "PORT": "1"}
    for _ in range(2):
        with pytest.raises(OperationalError, match="refused"):
            line.ensure_connection()


def test_one_that_is_silent_keeps_nobody_from_another(line):
    ask(line)
    line.alias = "replica"
    line.cut()
    other = connection.copy()
    try:
        assert ask(other, "SELECT 2") == 2
    finally:
        other.close()


def test_after_a_silence_one_tries_and_the_others_go_on_without(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(silence.time, "monotonic", lambda: now[0])
    rest = Rest()
    assert rest.may_try()
    assert rest.may_try()
    rest.was_silent()
    assert not rest.may_try()
    now[0] += RESTS_SECONDS
    assert [rest.may_try() for _ in range(3)] == [True, False, False]
    rest.was_silent()
    assert not rest.may_try()
    now[0] += RESTS_SECONDS
    assert rest.may_try()
    rest.answered()
    assert rest.may_try()
    assert rest.may_try()


def test_a_connection_that_was_closed_meanwhile_is_cut_without_harm_to_another(line):
    ask(line)
    number = line.connection.fileno()
    handle = line._socket
    line.close()
    # Where the driver's number was, somebody else's connection is now.
    other = connection.copy()
    try:
        assert ask(other, "SELECT 1") == 1
        assert other.connection.fileno() == number
        line._socket = handle
        line.cut()
        assert ask(other, "SELECT 2") == 2
    finally:
        line._socket = None
        other.close()


class Slow:
    def __init__(self, due):
        self.due, self.cuts = due, 0

    def cut(self):
        self.cuts += 1


def test_only_what_is_overdue_is_cut_and_once(monkeypatch):
    monkeypatch.setattr(Thread, "start", lambda thread: None)
    watch, idle, in_time, late = Watch(), Slow(None), Slow(10.0), Slow(9.9)
    for one in (idle, in_time, late):
        watch.add(one)
    watch.look(now=10.0)
    watch.look(now=10.0)
    assert [one.cuts for one in (idle, in_time, late)] == [0, 0, 1]
