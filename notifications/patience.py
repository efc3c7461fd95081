"""How long this process waits for one answer of the database, whatever hangs; past that the connection is cut.

`balabaqsha.postgresql` keeps to it. By itself a process waits for as long as it takes: commands do, and workers, whose
tasks have limits of their own. Web processes have somebody waiting.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

# Longer than a lock is waited for (`notifications.locks`), and shorter than a reader waits for a page.
WEB_SECONDS: Final = 4.0

_of_the_process: float | None = None
_has_time: ContextVar[bool] = ContextVar("has_time", default=False)


def wait_at_most(seconds: float | None) -> None:
    """From now on this process waits so long for one answer; None: for as long as it takes."""
    global _of_the_process
    _of_the_process = seconds


def limit() -> float | None:
    """How many seconds may be waited for one answer here and now; None: as many as it takes."""
    return None if _has_time.get() else _of_the_process


@contextmanager
def with_time() -> Iterator[None]:
    """Work whose statements may take minutes, such as a file of the city: here its answers are waited for."""
    token = _has_time.set(True)
    try:
        yield
    finally:
        _has_time.reset(token)
