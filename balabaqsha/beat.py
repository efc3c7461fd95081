"""The beat: it uses the database's clock, remembers in the database what ran, and sends heartbeats."""

import logging
import time
from copy import copy
from datetime import datetime, timedelta
from typing import Any, Final

from celery import beat
from celery.schedules import maybe_schedule

from balabaqsha.health import heartbeats, sweeps
from balabaqsha.health.line import Line, Silent
from balabaqsha.periodic import SENT_AT
from notifications.clock import counted_clock, machine_clock

logger = logging.getLogger(__name__)

# How far a reading may be behind the one before it without the clock having been set back.
_JITTER: Final = timedelta(seconds=1)


def present() -> datetime:
    """The database's clock, counted on by the monotonic counter from its last reading; before that, the machine's."""
    return counted_clock() or machine_clock()


class Entry(beat.ScheduleEntry):
    """An entry of the schedule that is due by the database's clock."""

    def __init__(self, *args: Any, schedule: Any = None, app: Any = None, **kwargs: Any) -> None:
        timed = copy(maybe_schedule(schedule, app=app))
        timed.nowfun = present
        super().__init__(*args, schedule=timed, app=app, **kwargs)


class Scheduler(beat.Scheduler):
    """Celery's scheduler, which would stay silent for as long as a clock was set back, with a clock that it can trust.

    Setting the machine's clock has no effect. When the database's clock is set back, a task that ran in the future is
    taken to have run now. After a start, everything that was missed is sent at once, as the database remembers it.

    It sends heartbeats while it ticks and the broker accepts its tasks. While the database is silent it keeps sending.
    """

    Entry = Entry
    max_interval = 5.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._name = heartbeats.name_here("beat")
        self._latest: datetime | None = None
        self._beats_from = float("-inf")
        self._is_introduced = False
        self._broker_answers = True
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        self._read_clock()
        super().setup_schedule()
        self._introduce()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, then beat if it is time; returns for how long to sleep."""
        self._follow_the_clock()
        delay: float = super().tick(*args, **kwargs)
        if time.monotonic() >= self._beats_from:
            self._beats_from = time.monotonic() + heartbeats.EVERY.total_seconds()
            self._beat()
        return delay

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        """Send one task, with the time. Raises what Celery raises."""
        self._broker_answers = False
        entry.options["headers"] = {SENT_AT: present().isoformat()}
        sent = super().apply_async(entry, *args, **kwargs)
        self._broker_answers = True
        return sent

    def close(self) -> None:
        heartbeats.end(self._name)
        super().close()

    def _beat(self) -> None:
        if not self._is_introduced:
            self._introduce()
        if self._broker_answers:
            heartbeats.send(self._name, role="beat")
        else:
            self._read_clock()

    def _read_clock(self) -> None:
        try:
            with Line(seconds=heartbeats.ANSWER_SECONDS) as line:
                line.read_clock()
        except Silent as reason:
            logger.warning("The database does not tell the time: %s", reason)

    def _introduce(self) -> None:
        try:
            seen = sweeps.introduce(seconds=heartbeats.ANSWER_SECONDS)
        except Silent as reason:
            logger.warning("The database does not tell which sweep ran when: %s", reason)
            return
        for entry in self.schedule.values():
            entry.last_run_at = min(seen.get(entry.task, entry.last_run_at), present())
        self._is_introduced, self._heap = True, None

    def _follow_the_clock(self) -> None:
        now = present()
        if self._latest is not None and now < self._latest - _JITTER:
            logger.warning("The clock was set back by %s", self._latest - now)
            for entry in self.schedule.values():
                entry.last_run_at = min(entry.last_run_at, now)
            self._heap = None
        self._latest = now
