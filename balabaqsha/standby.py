"""Whether a commit waits until the standby has it, too: as long as there is one (docs/adr/0032-failover.md).

A loop of its own on a connection that never commits anything: while the standby is away, everything that does waits.
"""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

import psycopg2

# What the standby calls itself in `primary_conninfo`, and what `synchronous_standby_names` says while it is there.
NAME: Final = "standby"
WAITED_FOR: Final = f"ANY 1 ({NAME})"
EVERY_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 10.0

_LOOK: Final = """
SELECT current_setting('synchronous_standby_names') <> '',
    EXISTS (SELECT FROM pg_stat_replication WHERE application_name = %s AND state = 'streaming')
"""


def shall_wait(*, waits: bool, is_there: bool, away_seconds: float) -> bool:
    """Whether commits are to wait for the standby from now on. One that follows again is waited for at once.

    Pure.
    """
    return is_there or (waits and away_seconds <= AWAY_SECONDS)


class Guard:
    """Looks after one database at a time: the one that takes writes at `address`."""

    def __init__(self, address: str, *, say: Callable[[str], None]) -> None:
        self._address, self._say = address, say
        self._seen_at = time.monotonic()
        self._said = ""

    def run(self, *, until: Callable[[float], bool]) -> None:
        """Look once a second, until `until` has waited for as long and says that it is over."""
        while not until(EVERY_SECONDS):
            try:
                with closing(self._connect()) as connection, connection.cursor() as cursor:
                    # A new database is not blamed for what the one before lacked.
                    self._seen_at = time.monotonic()
                    while not until(EVERY_SECONDS):
                        self._look(cursor)
            except psycopg2.Error as error:
                self._tell(f"The database is not to be reached: {type(error).__name__}")

    def _connect(self) -> psycopg2.extensions.connection:
        connection = psycopg2.connect(self._address, connect_timeout=3, tcp_user_timeout=5_000)
        # ALTER SYSTEM is no part of a transaction.
        connection.autocommit = True
        return connection

    def _look(self, cursor: psycopg2.extensions.cursor) -> None:
        cursor.execute(_LOOK, [NAME])
        waits, is_there = cursor.fetchone() or (False, False)
        now = time.monotonic()
        if is_there:
            self._seen_at = now
        wanted = shall_wait(waits=waits, is_there=is_there, away_seconds=now - self._seen_at)
        if wanted == waits:
            return
        cursor.execute("ALTER SYSTEM SET synchronous_standby_names = %s", [WAITED_FOR if wanted else ""])
        cursor.execute("SELECT pg_reload_conf()")
        self._tell(
            "Commits wait for the standby." if wanted else "The standby is away: commits wait no more."
        )

    def _tell(self, words: str) -> None:
        """Say it once, and not again until there is something else to say."""
        if words != self._said:
            self._said = words
            self._say(words)
