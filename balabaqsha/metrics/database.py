"""What the database knows of its own work and of what waits in it, asked only when somebody reads the metrics."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from balabaqsha.health.line import Line
from notifications.models import Mail, Message, Outgoing, PushMessage, TelegramMessage
from notifications.outbox import waiting_by_kind
from notifications.sms.health import WINDOW
from notifications.ways import Way

_BY_WAY: Final[Mapping[str, type[Outgoing]]] = {
    Way.SMS: Message,
    Way.EMAIL: Mail,
    Way.TELEGRAM: TelegramMessage,
    Way.PUSH: PushMessage,
}
# Of a process of another role the portal's own may not read the state.
_CONNECTIONS: Final = """
SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1
"""
_MOST_CONNECTIONS: Final = "SELECT current_setting('max_connections')::int"
_LOCKS: Final = """
SELECT count(*), coalesce(extract(epoch FROM max(clock_timestamp() - waitstart)), 0) FROM pg_locks WHERE NOT granted
"""
_TRIES: Final = """
SELECT gateway, sum(taken), sum(refused), sum(failed) FROM notifications_gatewayminute
WHERE minute > %s GROUP BY gateway
"""


class Waiting(NamedTuple):
    """How many messages of a kind have not gone out, and the age of the oldest in seconds."""

    messages: int
    seconds: float


class Work(NamedTuple):
    """What the database is busy with, and what waits in it."""

    # By way and kind.
    outbox: Mapping[tuple[str, str], Waiting]
    # Of the last ten minutes, by gateway and outcome.
    sms: Mapping[tuple[str, str], int]
    # By state.
    connections: Mapping[str, int]
    most_connections: int
    lock_waits: int
    longest_lock_wait: float


def ask_database(*, seconds: float) -> Work:
    """All of it on a separate connection. Raises `Silent` if it is not answered in `seconds`."""
    with Line(seconds=seconds) as line:
        now = line.read_clock()
        outbox = {
            (str(way), kind): Waiting(count, max(0.0, (now - oldest).total_seconds()))
            for way, model in _BY_WAY.items()
            for kind, count, oldest in line.rows(waiting_by_kind(model))
        }
        sms = {
            (gateway, outcome): int(count)
            for gateway, *counts in line.rows(_TRIES, [now - WINDOW])
            for outcome, count in zip(("taken", "refused", "failed"), counts, strict=True)
        }
        connections: dict[str, int] = dict(line.rows(_CONNECTIONS))
        ((most,),) = line.rows(_MOST_CONNECTIONS)
        ((waits, longest),) = line.rows(_LOCKS)
    return Work(outbox, sms, connections, most, waits, float(longest))
