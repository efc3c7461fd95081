"""Reading a public page from the replica of the database, some seconds behind at most, or from the database itself.

A view that writes and settles nothing and shows nobody their own is marked `@reads_replica`. Whoever has a session is
served by the database itself all the same. A replica that is late, away or silent is left alone, and nobody notices
(`balabaqsha.replica` looks once a second).
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import wraps
from threading import Lock
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger(__name__)

ALIAS: Final = "replica"
# For so long one that failed is left alone.
LEFT_SECONDS: Final = 10.0

View = Callable[..., HttpResponseBase]

_reading: ContextVar[bool] = ContextVar("reading_from_replica", default=False)


class Writes(Exception):
    """A page that reads from the replica was about to write by what it had read there."""


class Fitness:
    """Whether the replica may be read from at this moment, and who is doing so. Safe to share among threads."""

    def __init__(self) -> None:
        self._changing = Lock()
        self._until = self._left_until = float("-inf")
        self._in_use: set[Any] = set()

    def holds(self) -> bool:
        """Whether it was found fit a moment ago."""
        return time.monotonic() < self._until

    def allow(self, *, until: float) -> None:
        """It was found fit, and may be read from until that moment of the counter."""
        with self._changing:
            if until > self._left_until:
                self._until = until

    def lose(self) -> None:
        """It failed: leave it alone, and end whatever still waits for an answer of it."""
        with self._changing:
            now = time.monotonic()
            self._until, self._left_until = float("-inf"), now + LEFT_SECONDS
            waiting = [one.connection for one in self._in_use]
        logger.warning("The replica is left alone for %d seconds", LEFT_SECONDS)
        for raw in waiting:
            # A server that is frozen takes requests and answers none: only its socket's end wakes who waits.
            with suppress(Exception), socket.socket(fileno=os.dup(raw.fileno())) as other:
                other.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within it, what this thread reads by queries comes from the replica."""
        connection = connections[ALIAS]
        token = _reading.set(True)
        with self._changing:
            self._in_use.add(connection)
        try:
            yield
        finally:
            with self._changing:
                self._in_use.discard(connection)
            _reading.reset(token)


fitness = Fitness()


def is_reading() -> bool:
    """Whether queries of this thread go to the replica."""
    return _reading.get()


def reads_replica(view: View) -> View:
    """Let a page read from the replica for whoever has no session. It is made anew where the replica fails."""

    @wraps(view)
    def read(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_visitor = settings.SESSION_COOKIE_NAME not in request.COOKIES
        if request.method in ("GET", "HEAD") and is_visitor and fitness.holds():
            try:
                with fitness.reading():
                    return view(request, *args, **kwargs)
            except (OperationalError, InterfaceError):
                fitness.lose()
                connections[ALIAS].close()
            except Writes:
                logger.exception("%s is no page for the replica", view.__name__)
        return view(request, *args, **kwargs)

    read.reads_replica = True  # type: ignore[attr-defined]
    return read


class Router:
    """Queries go to the replica within `Fitness.reading`; what outlives it belongs to the database."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return ALIAS if is_reading() else _home(**hints)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """Raises `Writes` on a page that reads from the replica."""
        if is_reading():
            raise Writes(model.__name__)
        return _home(**hints)

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        return True if ALIAS in (one._state.db, other._state.db) else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == ALIAS else None


def _home(instance: Any = None, **hints: Any) -> str | None:
    return DEFAULT_DB_ALIAS if instance is not None and instance._state.db == ALIAS else None
