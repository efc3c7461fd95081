"""How the SMS gateways do, for all workers together: counts by minute, and which of them are left for a while.

What becomes of the counts is decided by `sms.health`; here it is stored, told to this process, and logged once.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet, Sum
from django.utils.timezone import localtime

from notifications.models import Gateway, GatewayMinute, Message
from notifications.sms import health
from notifications.sms.base import Alarm, Outcome, Reporter, SendResult, Try, chosen, chosen_backends
from notifications.sweeps import renew_connection
from notifications.text import segments

logger = logging.getLogger(__name__)

# When a message may first have arrived.
FIRST_ASKED: Final = timedelta(seconds=30)
_MOST_UNWRITTEN: Final = 100
_LONGEST_UNWRITTEN: Final = timedelta(seconds=5)
_FAILED: Final = (Outcome.UNAVAILABLE, Outcome.UNCLEAR)
_COUNT: Final = """
INSERT INTO notifications_gatewayminute AS counted (gateway, kind, minute, taken, refused, failed, milliseconds)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (minute, gateway, kind) DO UPDATE SET
    taken = counted.taken + excluded.taken,
    refused = counted.refused + excluded.refused,
    failed = counted.failed + excluded.failed,
    milliseconds = counted.milliseconds + excluded.milliseconds
"""


class Standing(NamedTuple):
    """How a gateway does: what it did in the last ten minutes, and what is decided about it."""

    name: str
    record: health.Record
    left_until: datetime | None
    alarm: str

    @property
    def is_well(self) -> bool:
        return self.left_until is None and not self.alarm


class Tally:
    """Tries that are not counted yet: written some at a time, and at once when one failed, so that it is left soon."""

    def __init__(self) -> None:
        self._tries: list[tuple[str, Try]] = []
        self._since: datetime | None = None

    def add(self, kind: str, tries: Iterable[Try], *, now: datetime) -> None:
        """Count what gateways did with a message of `kind`. Call it once its outcome is recorded."""
        more = [(kind, one) for one in tries]
        self._tries += more
        self._since = self._since or now
        is_bad = any(one.outcome in _FAILED for _kind, one in more)
        if is_bad or len(self._tries) >= _MOST_UNWRITTEN or now - self._since >= _LONGEST_UNWRITTEN:
            self.write(now=now)

    def write(self, *, now: datetime) -> None:
        """Write what is left. A count that can't be written is given up: it must hold up no message."""
        tries, self._tries, self._since = self._tries, [], None
        try:
            note(tries, now=now)
        except Exception:
            logger.exception("could not count what the SMS gateways did")
            renew_connection()


def refresh(*, now: datetime) -> None:
    """Tell this process which gateways all workers leave for a while. Call it before messages are handed over."""
    health.tell_left(Gateway.objects.filter(left_until__gt=now).values_list("name", flat=True))


def note(tries: Iterable[tuple[str, Try]], *, now: datetime) -> None:
    """Count how gateways did with messages, each with its kind, and decide whether any is left or comes back.

    Call it outside any transaction, by the thread that records the outcomes.
    """
    counted: dict[tuple[str, str], list[int]] = {}
    alarms: dict[str, Alarm] = {}
    taken: set[str] = set()
    failed: set[str] = set()
    for kind, one in tries:
        if one.outcome is Outcome.NOT_ASKED:
            continue
        counts = counted.setdefault((one.gateway, kind), [0, 0, 0, 0])
        counts[0] += one.outcome is Outcome.ACCEPTED
        counts[1] += one.outcome is Outcome.REFUSED
        counts[2] += one.outcome in _FAILED
        counts[3] += round(one.seconds * 1000)
        if one.alarm:
            alarms[one.gateway] = one.alarm
        (failed if one.outcome in _FAILED else taken).add(one.gateway)
    if not counted:
        return
    minute = now.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        # In one order, so that two workers never wait for each other.
        rows: list[Any] = [
            (gateway, kind, minute, *counts) for (gateway, kind), counts in sorted(counted.items())
        ]
        cursor.executemany(_COUNT, rows)
    _decide(asked=taken | failed, failed=failed, taken=taken, alarms=alarms, now=now)


def _decide(
    *, asked: set[str], failed: set[str], taken: set[str], alarms: Mapping[str, Alarm], now: datetime
) -> None:
    known = {row.name: row for row in Gateway.objects.filter(name__in=asked)}
    for name in sorted(asked):
        if name not in known and name not in failed:
            continue
        row = known.get(name) or Gateway.objects.get_or_create(name=name)[0]
        _note_alarm(row, alarms.get(name), has_taken=name in taken, now=now)
        before = health.State(row.times_left, row.left_until)
        record = _record(name, since=before.counts_from(now))
        after = before.after(record, has_alarm=name in alarms, now=now)
        if after != before and len(chosen_backends()) > 1:
            _move(name, before, after, record)
    refresh(now=now)


def _note_alarm(row: Gateway, alarm: Alarm | None, *, has_taken: bool, now: datetime) -> None:
    mine = Gateway.objects.filter(pk=row.pk)
    if alarm and mine.exclude(alarm=alarm.value).update(alarm=alarm.value, alarm_at=now):
        logger.error("SMS gateway %s takes nothing until somebody acts: %s", row.name, alarm.value)
    elif not alarm and has_taken and row.alarm and mine.exclude(alarm="").update(alarm="", alarm_at=None):
        logger.warning("SMS gateway %s takes messages again", row.name)


def _move(name: str, before: health.State, after: health.State, record: health.Record) -> None:
    """Write what was decided, unless another worker did; who wrote it tells the log."""
    mine = Gateway.objects.filter(pk=name, times_left=before.times_left, left_until=before.left_until)
    if not mine.update(times_left=after.times_left, left_until=after.left_until):
        return
    if after.times_left:
        logger.error(
            "SMS gateway %s is left until %s: %d of %d failed, %.1f s each",
            name,
            after.left_until and f"{localtime(after.left_until):%Y-%m-%d %H:%M:%S}",
            record.failed,
            record.tries,
            record.latency,
        )
    else:
        logger.warning("SMS gateway %s does well again and is asked in its turn", name)


def standings(*, now: datetime) -> list[Standing]:
    """How each of the chosen gateways does, in the order in which they are named."""
    known = {row.name: row for row in Gateway.objects.all()}
    records = _records(since=now - health.WINDOW)
    return [
        Standing(
            name,
            records.get(name, health.Record()),
            _still(known[name].left_until, now) if name in known else None,
            known[name].alarm if name in known else "",
        )
        for name in chosen()
    ]


def in_trouble(*, now: datetime) -> list[Standing]:
    """Those of the chosen gateways that are left for a while, or take nothing until somebody acts. One short query."""
    return [
        Standing(row.name, health.Record(), _still(row.left_until, now), row.alarm)
        for row in troubled(now=now)
    ]


def troubled(*, now: datetime) -> QuerySet[Gateway]:
    """The rows of the chosen gateways that are left at `now`, or have an alarm."""
    rows = Gateway.objects.filter(name__in=list(chosen()))
    return rows.filter(Q(left_until__gt=now) | ~Q(alarm="")).order_by("name")


def as_taken(message: Message, result: SendResult, *, now: datetime) -> dict[str, Any]:
    """What is kept of a message that a gateway has taken at `now`."""
    name = result.provider_id.partition(":")[0]
    parts = segments(message.text or "")
    price = settings.SMS_PRICES.get(name)
    return {
        "provider_id": result.provider_id,
        "segments": parts,
        "cost": result.cost if result.cost is not None else price * parts if price is not None else None,
        "ask_at": now + FIRST_ASKED if name in reporters() else None,
    }


def reporters() -> dict[str, Reporter]:
    """The chosen gateways that can be asked what became of a message, by name."""
    return {name: backend for name, backend in chosen().items() if isinstance(backend, Reporter)}


def _record(name: str, *, since: datetime) -> health.Record:
    return _records(since=since).get(name, health.Record())


def _records(*, since: datetime) -> dict[str, health.Record]:
    rows = GatewayMinute.objects.filter(minute__gte=since.replace(second=0, microsecond=0))
    sums = rows.values("gateway").annotate(
        all_taken=Sum("taken"),
        all_refused=Sum("refused"),
        all_failed=Sum("failed"),
        all_milliseconds=Sum("milliseconds"),
    )
    return {
        one["gateway"]: health.Record(
            one["all_taken"], one["all_refused"], one["all_failed"], one["all_milliseconds"] / 1000
        )
        for one in sums
    }


def _still(left_until: datetime | None, now: datetime) -> datetime | None:
    return left_until if left_until is not None and left_until > now else None
