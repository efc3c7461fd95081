"""The module that Django looks for in a database engine."""

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import psycopg2
from django.core.exceptions import SuspiciousOperation
from django.db.backends.postgresql import base, operations
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property

from balabaqsha.postgresql.silence import handle_of, rest_of, watch
from notifications import patience

CHECKED_FOR_SECONDS = 1.0
# The tables with a trigger that refuses TRUNCATE, the bit 32 of its type.
_NEVER_EMPTIED: Final = """
    SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgtype & 32 <> 0 AND NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
"""


class UnfitText(SuspiciousOperation, ValueError):
    """A text that no column can hold (a NUL, half a surrogate): the sender's fault, answered 400, not our error.

    Forms refuse a NUL in words; this is for texts used in look-ups without a form.
    """


class DatabaseErrors(DatabaseErrorWrapper):
    """Django's translation of the driver's errors, and of texts that the driver does not send.

    It stands around everything that waits for the server, so it is where such a wait gets its end.
    """

    wrapper: "DatabaseWrapper"

    def __enter__(self) -> None:
        limit = patience.limit()
        self.wrapper.due = None if limit is None else time.monotonic() + limit

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.wrapper.due = None
        if isinstance(error, UnicodeEncodeError) or (type(error) is ValueError and "NUL" in str(error)):
            raise UnfitText("a text that the database can't hold") from error
        if type(error) is psycopg2.DatabaseError and error.pgcode is None:
            # The driver's word for a server that broke off in the middle of an answer.
            self.wrapper.errors_occurred = True
            raise OperationalError(str(error)) from error
        super().__exit__(kind, error, trace)


class DatabaseOperations(operations.DatabaseOperations):
    """Django's own, except for `flush`: emptying everything is the only way to empty a history."""

    def sql_flush(
        self, style: Any, tables: Sequence[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[str]:
        """The statements; the guards of the histories are off while they run, in one transaction. For the owner."""
        flush: list[str] = super().sql_flush(
            style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade
        )
        with self.connection.cursor() as cursor:
            cursor.execute(_NEVER_EMPTIED)
            guarded = [self.quote_name(name) for (name,) in cursor.fetchall() if name in set(tables)]
        off = [f"ALTER TABLE {name} DISABLE TRIGGER USER;" for name in guarded]
        on = [f"ALTER TABLE {name} ENABLE TRIGGER USER;" for name in guarded]
        return [*off, *flush, *on]


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection known to be alive is not checked again within a second.

    With `CONN_HEALTH_CHECKS` Django checks before every request; at an opening that is a third statement after the two
    of a bid, a quarter of their cost (docs/performance.md). Connections to a restarted database are still replaced
    silently, except for a request that comes within the second.

    Where `notifications.patience` has a limit, an answer that is overdue is an `OperationalError`, and the connection
    is cut; another one is not asked for at once (`silence.Rest`).
    """

    ops_class = DatabaseOperations

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrors:
        """The translation of each statement's errors."""
        return DatabaseErrors(self)

    # Django's, which has no type of its own.
    health_check_done: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._alive_at = float("-inf")
        # By when the answer is due that is waited for.
        self.due: float | None = None
        self._socket: socket.socket | None = None

    def close_if_health_check_failed(self) -> None:
        """As Django does, unless it was done a moment ago; never while a transaction is open or ends.

        The check is a statement. In a transaction that failed it would be refused, and the connection taken for dead;
        between a commit and the return to autocommit it would begin a transaction that the return can't leave. Django
        calls this in both places and relies on the check being done before the first statement of a request. So a check
        that is spared is done, too, however long the request takes.
        """
        if not self.autocommit or self.health_check_done:
            return
        if time.monotonic() - self._alive_at < CHECKED_FOR_SECONDS:
            self.health_check_done = True
            return
        super().close_if_health_check_failed()
        if self.health_check_done:
            self._alive_at = time.monotonic()

    def connect(self) -> None:
        """A new connection has just answered."""
        super().connect()
        self._alive_at = time.monotonic()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """As Django does, unless the database was silent a moment ago."""
        limit = patience.limit()
        if limit is None:
            return super().get_new_connection(conn_params)
        rest = rest_of(self.alias)
        if not rest.may_try():
            raise psycopg2.OperationalError("the database was silent a moment ago")
        asked = time.monotonic()
        try:
            connection = super().get_new_connection(conn_params)
        except BaseException:
            # Who refuses does it at once.
            is_silent = time.monotonic() - asked >= min(limit, conn_params.get("connect_timeout", limit)) / 2
            (rest.was_silent if is_silent else rest.answered)()
            raise
        rest.answered()
        self._socket = handle_of(connection)
        watch.add(self)
        return connection

    def cut(self) -> None:
        """End whatever is waited for, as if the server had gone. May be called by any thread."""
        rest_of(self.alias).was_silent()
        handle = self._socket
        if handle is not None:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

    def _close(self) -> Any:
        handle, self._socket = self._socket, None
        try:
            return super()._close()  # type: ignore[misc] # Django's, which has no type
        finally:
            if handle is not None:
                handle.close()
