"""Looking once a second, beside the pages, whether the replica of the database may be read from.

It may where it has all that the database had written three seconds ago, by the database's own count of bytes: no
machine's clock is asked. With the two seconds for which a look holds, a page is five seconds behind at most.
"""

import logging
import time
from collections import deque
from threading import Thread
from typing import Any, Final

from balabaqsha.health.line import Line, Silent
from notifications.replica import ALIAS, LEFT_SECONDS, fitness

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0
BEHIND_SECONDS: Final = 3.0
HOLDS_SECONDS: Final = 2.0
# For connecting and the answer: a page would wait as long.
ANSWER_SECONDS: Final = 0.3
# The database itself may be busy; while it says nothing, nothing is known of the replica either.
PATIENCE_SECONDS: Final = 1.0

_WRITTEN: Final = "SELECT pg_current_wal_lsn() - '0/0'"
_REPLAYED: Final = "SELECT pg_last_wal_replay_lsn() - '0/0'"


class Look:
    """What is known of how far the database had written, and when."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, Any]] = deque()

    def is_fit(self) -> bool:
        """Whether the replica is close enough behind now. Raises `Silent` where it does not answer."""
        asked = time.monotonic()
        try:
            with Line(seconds=PATIENCE_SECONDS) as line:
                ((written,),) = line.rows(_WRITTEN)
        except Silent:
            return False
        self._marks.append((asked, written))
        with Line(seconds=ANSWER_SECONDS, using=ALIAS) as line:
            ((replayed,),) = line.rows(_REPLAYED)
        while self._marks[0][0] < time.monotonic() - BEHIND_SECONDS:
            self._marks.popleft()
            if not self._marks:
                return False
        # None of a server that is no replica.
        return replayed is not None and any(mark <= replayed for _at, mark in self._marks)


def watch() -> None:
    """Look for as long as this process lives, on a thread of its own: no page waits for it."""
    Thread(target=_watch, name="replica", daemon=True).start()


def _watch() -> None:
    look = Look()
    while True:
        began = time.monotonic()
        pause = EVERY_SECONDS
        try:
            if look.is_fit():
                fitness.allow(until=began + HOLDS_SECONDS)
        except Silent:
            fitness.lose()
            pause = LEFT_SECONDS
        except Exception:
            logger.exception("The replica could not be looked at")
        time.sleep(pause)
