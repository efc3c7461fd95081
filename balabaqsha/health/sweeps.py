"""Which sweep of the schedule ran when, and which is late.

Beat makes a row for each when it starts; a worker notes in it when the sweep ran to its end, however it was started. A
sweep that fails, or is not run, is late as soon as it is overdue for longer than a run may last.
"""

from collections.abc import Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Any, Final

from celery.schedules import BaseSchedule, maybe_schedule
from django.conf import settings
from django.db import connection

from balabaqsha.health.line import Line
from balabaqsha.schedule import SCHEDULE
from notifications.clock import stopped_clock

_FORGET = "DELETE FROM balabaqsha_sweep WHERE task <> ALL(%s)"
_INTRODUCE = """
INSERT INTO balabaqsha_sweep (task, known_at)
SELECT task, coalesce(%s, clock_timestamp()) FROM unnest(%s::text[]) AS task
ON CONFLICT (task) DO NOTHING
"""
SEEN: Final = "SELECT task, coalesce(finished_at, known_at) FROM balabaqsha_sweep"
_FOUND: Final = "SELECT task, coalesce(finished_at, known_at), faults FROM balabaqsha_sweep"
_FINISHED = """
UPDATE balabaqsha_sweep SET finished_at = coalesce(%s, clock_timestamp()), faults = %s WHERE task = %s
"""
# The sweep that compares the data with each other every night.
CHECK: Final = "applications.tasks.check_invariants"


def introduce(*, seconds: float) -> dict[str, datetime]:
    """Make a row for each task of the schedule, and for no other; returns when each last ran, or became known.

    Raises `Silent` where the database does not answer within `seconds`.
    """
    tasks = [entry["task"] for entry in SCHEDULE.values()]
    with Line(seconds=seconds) as line:
        line.rows(_FORGET, [tasks])
        line.rows(_INTRODUCE, [stopped_clock(), tasks])
        return dict(line.rows(SEEN))


def read_sweeps(line: Line) -> tuple[dict[str, datetime], dict[str, int]]:
    """When each last ran, or became known, and how many faults were found by those that look for some."""
    rows = line.rows(_FOUND)
    return (
        {task: seen_at for task, seen_at, _faults in rows},
        {task: faults for task, _seen_at, faults in rows if faults is not None},
    )


def note_finished(task: str, *, faults: int | None = None) -> None:
    """Note that a task ran to its end just now, and what it found; one that is not on the schedule is ignored."""
    if any(entry["task"] == task for entry in SCHEDULE.values()):
        with connection.cursor() as cursor:
            cursor.execute(_FINISHED, [stopped_clock(), faults, task])


def late_sweeps(seen: Mapping[str, datetime], *, now: datetime) -> dict[str, timedelta]:
    """By how much each late entry of the schedule is overdue; `seen` says when its task last ran, or became known.

    A sweep that beat has not introduced yet is not late.
    """
    late = {}
    for name, entry in SCHEDULE.items():
        since = seen.get(entry["task"])
        if since is None:
            continue
        overdue = now - next_due(entry["schedule"], since=since, now=now)
        if overdue > timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT):
            late[name] = overdue
    return late


def next_due(schedule: Any, *, since: datetime, now: datetime) -> datetime:
    """When a sweep that last ran at `since` is due by its schedule (seconds, or a crontab)."""
    timed: BaseSchedule = copy(maybe_schedule(schedule))
    timed.nowfun = lambda: now
    remaining: timedelta = timed.remaining_estimate(since)
    return now + remaining
