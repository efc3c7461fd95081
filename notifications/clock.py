"""The clock of the portal: the database's, the same for all servers, however their own clocks are set.

`read_clock` reads it with one statement. Everything that decides, ends, awards, expires or schedules begins with a
reading. `estimate_clock` works it out without asking, for pages that only show. The estimate is never ahead of the
clock, so what a page shows as over is over.
"""

import time
from datetime import datetime, timedelta
from threading import Lock

from django.conf import settings
from django.db import Error, connection
from django.db.models import DateTimeField, Func, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

# How long a process uses a reading before it asks again.
ASKED_EVERY_SECONDS = 1.0
# How fast the counters of two machines may drift apart. NTP slews by half of it at most, and a quartz is better.
_DRIFT = 1 / 1000


class Estimate:
    """The earliest time that a clock can show, from its last reading and the process's monotonic counter.

    Instants belong to the clock; moments are seconds of the counter, which is never set. Safe to share among threads.
    """

    def __init__(self) -> None:
        self._noting = Lock()
        self._reading: tuple[datetime, float] | None = None

    def note(self, instant: datetime, *, asked: float, answered: float) -> None:
        """Remember that the clock, asked at one moment, had said `instant` when the answer came at another."""
        with self._noting:
            known = self.at(answered)
            # The clock was read at some moment between the two: of the estimates that fit, the later one is better.
            if known is not None and timedelta(0) <= known - instant <= timedelta(seconds=answered - asked):
                instant = known
            self._reading = instant, answered

    def at(self, moment: float) -> datetime | None:
        """The earliest time that the clock can show; None before the first reading."""
        if self._reading is None:
            return None
        instant, answered = self._reading
        return instant + timedelta(seconds=(moment - answered) * (1 - _DRIFT))

    def is_fresh(self, moment: float) -> bool:
        """Whether the clock was read less than a second earlier."""
        return self._reading is not None and moment - self._reading[1] < ASKED_EVERY_SECONDS


_estimate = Estimate()


def read_clock() -> datetime:
    """The clock's time, by one statement.

    A caller that decides under a lock may read it before taking the lock: an instant that was over then is still over,
    so a deadline is found passed later rather than earlier.
    """
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(%s, clock_timestamp())", [stopped_clock()])
        now: datetime = cursor.fetchone()[0]
    note_reading(now, asked=asked)
    return now


def estimate_clock() -> datetime:
    """The clock's time, without a statement if this process has read it within the last second.

    Never ahead of the clock; behind it by at most the time of a statement and some milliseconds. While the database
    does not answer, the process counts on from the last reading or, without one, uses its own clock: nothing can be
    decided then.
    """
    stopped = stopped_clock()
    if stopped is not None:
        return stopped
    if not _estimate.is_fresh(time.monotonic()):
        try:
            return read_clock()
        except Error:
            pass
    return counted_clock() or timezone.now()


def counted_clock() -> datetime | None:
    """The earliest time that the clock can show, counted from the last reading, however old; None before the first."""
    return stopped_clock() or _estimate.at(time.monotonic())


def note_reading(now: datetime, *, asked: float) -> None:
    """Continue the estimate from a reading that came with another statement.

    `asked` is the moment of `time.monotonic` before that statement.
    """
    if stopped_clock() is None:
        _estimate.note(now, asked=asked, answered=time.monotonic())


def clock_column() -> Coalesce:
    """The clock's time as a column of a query that is made anyway."""
    return Coalesce(
        Value(stopped_clock(), output_field=DateTimeField()),
        Func(function="clock_timestamp", output_field=DateTimeField()),
    )


def machine_clock() -> datetime:
    """The time on this machine's own clock, for comparison only; nothing is decided by it."""
    return timezone.now()


def stopped_clock() -> datetime | None:
    """The instant for a statement that would read the clock itself: None, so that it does.

    Tests stop the clock of their process; the database's can't be stopped.
    """
    return None if settings.DATABASE_CLOCK else timezone.now()
