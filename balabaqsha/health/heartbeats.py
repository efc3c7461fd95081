"""The heartbeats of beat and workers: each writes its own row, by the database's clock.

A process that is stopped in order deletes its row. A dead one's row stays for a day, and says so.
"""

import logging
import socket
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from balabaqsha.health.line import Line, Silent
from notifications.clock import machine_clock, note_reading, stopped_clock

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(seconds=10)
LATE_AFTER: Final = timedelta(seconds=60)
KEPT_FOR: Final = timedelta(days=1)
# A process that sends heartbeats has other things to do.
ANSWER_SECONDS: Final = 2.0

_SEND = """
WITH forgotten AS (
    DELETE FROM balabaqsha_heartbeat
    WHERE name <> %(name)s AND seen_at < coalesce(%(stopped)s, clock_timestamp()) - %(kept_for)s
)
INSERT INTO balabaqsha_heartbeat (name, role, queues, seen_at, clock_ahead)
SELECT %(name)s, %(role)s, %(queues)s::text[], present, extract(epoch FROM %(machine)s - present)
FROM coalesce(%(stopped)s, clock_timestamp()) AS present
ON CONFLICT (name) DO UPDATE
SET role = excluded.role, queues = excluded.queues, seen_at = excluded.seen_at, clock_ahead = excluded.clock_ahead
RETURNING seen_at
"""


def name_here(name: str) -> str:
    """The name for heartbeats of this machine's beat, or of its worker for the queue `name`."""
    return f"{name}@{socket.gethostname()}"


def send(name: str, *, role: str, queues: Sequence[str] = ()) -> bool:
    """Say that `name` is alive and takes tasks from `queues`.

    False, with a line in the log, if the database does not answer within two seconds. Deletes the heartbeats of
    processes that have been dead for a day.
    """
    asked = time.monotonic()
    values = {
        "name": name,
        "role": role,
        "queues": list(queues),
        "machine": machine_clock(),
        "stopped": stopped_clock(),
        "kept_for": KEPT_FOR,
    }
    try:
        with Line(seconds=ANSWER_SECONDS) as line:
            ((present,),) = line.rows(_SEND, values)
    except Silent as reason:
        logger.warning("The database did not take the heartbeat of %s: %s", name, reason)
        return False
    note_reading(present, asked=asked)
    return True


def forget(name: str) -> bool:
    """Delete the heartbeat of `name`; False if there is none. Raises `Silent`."""
    with Line(seconds=ANSWER_SECONDS) as line:
        return bool(line.rows("DELETE FROM balabaqsha_heartbeat WHERE name = %s RETURNING name", [name]))


def end(name: str) -> None:
    """Say that `name` stops in order."""
    try:
        forget(name)
    except Silent as reason:
        logger.warning("The database was not told that %s stops: %s", name, reason)
