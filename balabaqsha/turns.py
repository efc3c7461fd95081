"""One set-up at a time: the second one says so and waits."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from django.core.management.base import CommandError
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

WAIT_SECONDS: Final = 900
_PAUSE_SECONDS = 0.2
_LOCK = 0x73657475


@contextmanager
def alone_in(folder: Path, *, say: Callable[[str], None]) -> Iterator[None]:
    """Keep other processes of this machine from building in `folder`. Raises CommandError after `WAIT_SECONDS`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "set_up.lock").open("a") as file:

        def is_ours() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait(is_ours, say=say)
        yield


@contextmanager
def alone_on(connection: BaseDatabaseWrapper, *, say: Callable[[str], None]) -> Iterator[None]:
    """Keep others, on any machine, from changing the tables behind `connection`; may be nested.

    The database ends the turn when the connection ends. Raises CommandError after `WAIT_SECONDS`.
    """
    with connection.cursor() as cursor:

        def is_ours() -> bool:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            return bool(cursor.fetchone()[0])

        _wait(is_ours, say=say)
        try:
            yield
        finally:
            with suppress(DatabaseError):
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _wait(is_ours: Callable[[], bool], *, say: Callable[[str], None]) -> None:
    if is_ours():
        return
    say("    another set-up is at work: waiting for it ...")
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_ours():
        if time.monotonic() > deadline:
            raise CommandError(f"Another set-up is still at work after {WAIT_SECONDS // 60} minutes.")
        time.sleep(_PAUSE_SECONDS)
