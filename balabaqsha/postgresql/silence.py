"""A database that says nothing: whoever waits for it is let go in time, and for a moment nobody else asks.

A server that is stopped, a machine that hangs or a way that is cut answers nothing at all, not even that a statement
took too long. The driver would wait for ever, or for as long as the kernel does.
"""

import os
import socket
import time
from collections import defaultdict
from threading import Lock, Thread
from typing import Final, Protocol
from weakref import WeakSet

LOOKS_EVERY: Final = 0.25
# So long nobody asks a database that was silent; then one thread tries, and the others go on without.
RESTS_SECONDS: Final = 1.0


class Waiting(Protocol):
    """A connection, and by when (monotonic) the answer is due that it waits for, if it waits."""

    due: float | None

    def cut(self) -> None:
        """End the wait, as if the server had gone. May be called by any thread."""


class Watch:
    """One thread of a process, which cuts the connections whose answers are overdue."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watched: WeakSet[Waiting] = WeakSet()
        self._process = 0

    def add(self, connection: Waiting) -> None:
        """Watch a connection for as long as it is there."""
        with self._lock:
            self._watched.add(connection)
            # Threads do not live on in a process that was forked.
            if self._process != os.getpid():
                self._process = os.getpid()
                Thread(target=self._run, name="watch", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(LOOKS_EVERY)
            self.look(now=time.monotonic())

    def look(self, *, now: float) -> None:
        """Cut what is overdue."""
        with self._lock:
            overdue = [one for one in self._watched if one.due is not None and one.due < now]
        for connection in overdue:
            connection.due = None
            connection.cut()


class Rest:
    """Whether the database may be asked for another connection: after a silence by one at a time, and not at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_silent = self._is_tried = False
        self._until = 0.0

    def may_try(self) -> bool:
        """Whether the caller may connect; it then says how that went, by `answered` or `was_silent`."""
        with self._lock:
            if not self._is_silent:
                return True
            if self._is_tried or time.monotonic() < self._until:
                return False
            self._is_tried = True
            return True

    def answered(self) -> None:
        """Somebody connected, or was refused in words: there is no need to rest."""
        with self._lock:
            self._is_silent = self._is_tried = False

    def was_silent(self) -> None:
        """An answer did not come in time."""
        with self._lock:
            self._is_silent, self._is_tried = True, False
            self._until = time.monotonic() + RESTS_SECONDS


watch: Final = Watch()
_rests: Final[defaultdict[str, Rest]] = defaultdict(Rest)


def rest_of(alias: str) -> Rest:
    """The rest of one database of the settings: a replica that is silent keeps nobody from the others."""
    return _rests[alias]


def handle_of(connection: object) -> socket.socket:
    """The socket of a driver's connection, as a handle of its own: it stays ours when the driver closes its own."""
    number: int = connection.fileno()  # type: ignore[attr-defined]
    return socket.socket(fileno=os.dup(number))
