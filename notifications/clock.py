"""The clock of the portal: the database's, one for all servers, however their own clocks are set.

`read_clock` asks it, by one statement. Whatever decides, ends, awards, expires or schedules begins with a reading.
`estimate_clock` tells it without asking: pages that only show go by it. The estimate is never ahead of the clock, so
what a page finds over is over.
"""

import time
from datetime import datetime, timedelta
from threading import Lock

from django.conf import settings
from django.db import Error, connection
from django.db.models import DateTimeField, Func, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

# How long a process goes by a reading before it asks anew.
ASKED_EVERY_SECONDS = 1.0
# By so much the counters of two machines may part. NTP slews by half of it at most, and a quartz is better than that.
_DRIFT = 1 / 1000


class Estimate:
    """What a clock shows at least, worked out from its last reading and the process's monotonic counter.

    Instants are the clock's; moments are seconds of the counter, which nobody sets. Safe to share among threads.
    """

    def __init__(self) -> None:
        self._noting = Lock()
        self._reading: tuple[datetime, float] | None = None

    def note(self, instant: datetime, *, asked: float, answered: float) -> None:
        """Remember that the clock, asked at one moment, had said `instant` when the answer came at another."""
        with self._noting:
            known = self.at(answered)
            # The clock was read at some moment between the two: what fits in and is later is the better estimate.
            if known is not None and timedelta(0) <= known - instant <= timedelta(seconds=answered - asked):
                instant = known
            self._reading = instant, answered

    def at(self, moment: float) -> datetime | None:
        """What the clock shows at least; None before the first reading."""
        if self._reading is None:
            return None
        instant, answered = self._reading
        return instant + timedelta(seconds=(moment - answered) * (1 - _DRIFT))

    def is_fresh(self, moment: float) -> bool:
        """Whether the clock was read less than a second before."""
        return self._reading is not None and moment - self._reading[1] < ASKED_EVERY_SECONDS


_estimate = Estimate()


def read_clock() -> datetime:
    """What the clock says, by one statement.

    Whoever decides under a lock may have read it before: an instant that was over then is over, so a deadline is
    found passed later rather than earlier.
    """
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(%s, clock_timestamp())", [stopped_clock()])
        now: datetime = cursor.fetchone()[0]
    note_reading(now, asked=asked)
    return now


def estimate_clock() -> datetime:
    """What the clock says, without a statement where this process has read it within the second.

    Never ahead of the clock; behind it by no more than a statement takes, and some milliseconds. While the database
    does not answer, the process counts on from the last reading, or, before the first, shows its own clock: nothing can
    be decided then.
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
    """What the clock says at least, counted on from the last reading, however long ago; None before the first."""
    return stopped_clock() or _estimate.at(time.monotonic())


def note_reading(now: datetime, *, asked: float) -> None:
    """Let the estimate go on from a reading that another statement brought along.

    `asked` is the moment of `time.monotonic` before that statement.
    """
    if stopped_clock() is None:
        _estimate.note(now, asked=asked, answered=time.monotonic())


def clock_column() -> Coalesce:
    """What the clock says, as a column of a query that is asked anyway."""
    return Coalesce(
        Value(stopped_clock(), output_field=DateTimeField()),
        Func(function="clock_timestamp", output_field=DateTimeField()),
    )


def machine_clock() -> datetime:
    """What the clock of this machine says, for comparing it; nothing is decided by it."""
    return timezone.now()


def stopped_clock() -> datetime | None:
    """The instant for a statement that would read the clock itself: None, so that it does.

    Tests stop the clock of their process; the database's can't be stopped.
    """
    return None if settings.DATABASE_CLOCK else timezone.now()
