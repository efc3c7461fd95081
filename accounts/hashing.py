"""How passwords are hashed: one at a time in each process.

A hash costs a core for thirty milliseconds and takes 19 MiB. If every thread hashed, no page would be answered while a
city signs in, so hashes wait in a short line of their own. A request that waits too long is told so (`HashingBusy`,
which no view has to handle); then nothing was decided and nothing is counted.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

T = TypeVar("T")

# How many request threads may wait in the line, and for how long.
WAITING: Final = 4
SECONDS: Final = 3.0
# Pages go first when both want the same core.
NICENESS: Final = 5


class HashingBusy(Exception):
    """Too many passwords are waiting to be hashed; this one was not checked."""


class Line:
    """One thread that hashes, and the threads that wait for it, in turn."""

    def __init__(self, *, waiting: int = WAITING, seconds: float = SECONDS) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="hashing", initializer=_stand_back)
        self._places = threading.BoundedSemaphore(waiting + 1)
        self._seconds = seconds

    def compute(self, work: Callable[[], T]) -> T:
        """The result of `work`, once its turn comes. Raises `HashingBusy` if the wait is too long."""
        if not self._places.acquire(blocking=False):
            raise HashingBusy
        try:
            future = self._executor.submit(work)
            with suppress(TimeoutError):
                return future.result(self._seconds)
            if future.cancel():
                raise HashingBusy
            # It has just begun and will be done soon.
            return future.result()
        finally:
            self._places.release()


def _stand_back() -> None:
    # On Linux this sets the priority of the thread; elsewhere it would slow the whole process down.
    if hasattr(os, "sched_getaffinity"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


_line: Final = Line()


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with the parameters that OWASP names for sign-in: 19 MiB, two passes, one lane.

    Hashes with other parameters still work and are renewed at the next sign-in (`must_update`).
    """

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """A new hash. Raises `HashingBusy`."""
        hashed: str = _line.compute(lambda: super(Argon2Hasher, self).encode(password, salt))
        return hashed

    def verify(self, password: str, encoded: str) -> bool:
        """Whether `encoded` is a hash of `password`. Raises `HashingBusy`."""
        return bool(_line.compute(lambda: super(Argon2Hasher, self).verify(password, encoded)))


class PBKDF2Hasher(PBKDF2PasswordHasher):
    """For hashes that came from another system; renewed at the next sign-in."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """A new hash. Raises `HashingBusy`."""
        hashed: str = _line.compute(lambda: super(PBKDF2Hasher, self).encode(password, salt, iterations))
        return hashed
