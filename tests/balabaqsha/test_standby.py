"""Whether commits wait for the standby, and what the drills are made of."""

import subprocess
from threading import Event

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from balabaqsha import standby
from balabaqsha.standby import AWAY_SECONDS, Guard, shall_wait
from drills import pool, proxy
from drills.accounts import lowered
from tests.patience import PATIENCE


@pytest.mark.parametrize(
    ("waits", "is_there", "away", "then"),
    [
        (False, False, 0, False),
        (False, True, 0, True),
        (True, True, 0, True),
        (True, False, AWAY_SECONDS, True),
        (True, False, AWAY_SECONDS + 0.1, False),
        (False, False, 1000, False),
    ],
    ids=["none", "comes", "stays", "just gone", "gone", "long gone"],
)
def test_it_is_waited_for_while_it_is_there_and_ten_seconds_more(waits, is_there, away, then):
    assert shall_wait(waits=waits, is_there=is_there, away_seconds=away) is then


@pytest.fixture
def waits(transactional_db):
    """The server of the tests waits for no standby afterwards, whatever the test left."""

    def now() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_standby_names")
            return str(cursor.fetchone()[0])

    yield now
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM RESET synchronous_standby_names")
        cursor.execute("SELECT pg_reload_conf()")


def address() -> str:
    parameters = connection.get_connection_params()
    return psycopg2.extensions.make_dsn(
        **{name: parameters[name] for name in ("host", "user", "dbname") if name in parameters}
    )


def test_a_standby_that_is_away_is_waited_for_no_more(waits, monkeypatch):
    """Nothing on this server commits with a wait meanwhile: its tests do not wait for their own disk either."""
    monkeypatch.setattr(standby, "AWAY_SECONDS", -1.0)
    monkeypatch.setattr(standby, "EVERY_SECONDS", 0.01)
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (standby)'")
        cursor.execute("SELECT pg_reload_conf()")
    said, over = [], Event()

    def say(words: str) -> None:
        said.append(words)
        over.set()

    Guard(address(), say=say).run(until=over.wait)
    assert said == ["The standby is away: commits wait no more."]
    assert waits() == ""


def test_the_guard_must_be_told_where(settings):
    settings.GUARD_DATABASE_URL = ""
    with pytest.raises(CommandError, match="GUARD_DATABASE_URL"):
        call_command("guard_standby")


@pytest.mark.skipif(proxy.program() is None, reason="nginx is not installed")
def test_nginx_takes_the_configuration_that_is_shipped(tmp_path):
    tmp_path.chmod(0o755)
    place = tmp_path / "nginx"
    place.mkdir()
    written = proxy.configure(place, http=1, https=2, portals=[3, 4])
    command = [proxy.program() or "", "-t", "-e", str(place / "error.log"), "-c", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert (place / "balabaqsha.conf").read_text().count("max_fails") == 2


def test_the_pool_of_a_drill_is_the_shipped_one(tmp_path):
    text = pool.configure(tmp_path, database="balabaqsha = host=a", listen_port=7).read_text()
    assert "pool_mode = transaction" in text
    assert "listen_port = 7" in text
    assert (tmp_path / "primary.ini").read_text() == "balabaqsha = host=a\n"
    assert lowered(["true"])[-1] == "true"
