"""A connection to the database with one deadline over connecting, asking and answering, whatever hangs."""

import select
import time
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import psycopg2
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet
from psycopg2.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable
from psycopg2.extensions import POLL_OK, POLL_READ

from notifications.clock import note_reading, stopped_clock


class Silent(Exception):
    """The database did not answer in time, or could not; the message says how, and holds no address."""


class Unready(Silent):
    """The database answers, but lacks tables or rights of this version: `set_up` was not run."""


_UNREADY = (UndefinedTable, UndefinedColumn, InsufficientPrivilege)


def _silence(error: psycopg2.Error) -> Silent:
    kind = Unready if isinstance(error, _UNREADY) else Silent
    return kind(type(error).__name__)


class Line:
    """A separate connection, used as a context: everything asked on it is answered within `seconds` of its start.

    This holds even if the server accepts and says nothing, or stops in the middle of an answer: no thread is left
    behind, and nothing waits in a driver. Every statement is a transaction. Raises `Silent`.
    """

    def __init__(self, *, seconds: float, using: str = DEFAULT_DB_ALIAS) -> None:
        self._deadline = time.monotonic() + seconds
        self._using = using

    def __enter__(self) -> Self:
        try:
            self._connection = psycopg2.connect(
                **connections[self._using].get_connection_params(), async_=True
            )
        except psycopg2.Error as error:
            raise _silence(error) from None
        try:
            self._wait()
        except Silent:
            self._connection.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def rows(self, asked: "str | QuerySet[Any, Any]", parameters: Any = None) -> list[tuple[Any, ...]]:
        """The answer to a statement, or to a query of values."""
        if isinstance(asked, QuerySet):
            asked, parameters = asked.query.sql_with_params()
        try:
            cursor = self._connection.cursor()
            # The server too drops a statement that nobody is waiting for any more. For this one alone: a pool may give
            # the connection to somebody else after it.
            cursor.execute(
                f"SET LOCAL statement_timeout = {max(1, int(1000 * self._left()))}; {asked}", parameters
            )
            self._wait()
            return list(cursor.fetchall()) if cursor.description else []
        except psycopg2.Error as error:
            raise _silence(error) from None

    def count(self, asked: "QuerySet[Any]") -> int:
        """How many rows a query finds."""
        statement, parameters = asked.order_by().values("pk").query.sql_with_params()
        ((found,),) = self.rows(f"SELECT count(*) FROM ({statement}) AS found", parameters)  # noqa: S608
        return int(found)

    def read_clock(self) -> datetime:
        """What the database's clock says; the estimate of this process goes on from it."""
        asked = time.monotonic()
        now: datetime
        ((now,),) = self.rows("SELECT coalesce(%s, clock_timestamp())", [stopped_clock()])
        note_reading(now, asked=asked)
        return now

    def _wait(self) -> None:
        # Not select.select, which accepts no file number above a thousand: a web server holds ten thousand connections.
        poller = select.poll()
        while True:
            try:
                state = self._connection.poll()
            except psycopg2.Error as error:
                raise _silence(error) from None
            if state == POLL_OK:
                return
            left = self._left()
            file = self._connection.fileno()
            poller.register(file, select.POLLIN if state == POLL_READ else select.POLLOUT)
            if left <= 0 or not poller.poll(1000 * left):
                raise Silent("too late")
            poller.unregister(file)

    def _left(self) -> float:
        return self._deadline - time.monotonic()
