"""What `/health/` says: names and ages, and nothing more.

`read_facts` asks the database, and `judge` turns the facts into words without asking anything.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.utils import timezone

from balabaqsha.health import heartbeats
from balabaqsha.health.line import Line
from balabaqsha.health.sweeps import CHECK, late_sweeps, read_sweeps
from balabaqsha.health.versions import APPLIED, missing_migrations
from balabaqsha.queues import DELIVERIES, QUEUES
from bulletin.calendar import MUST_REACH, CalendarEmpty, calendar_of, calendar_rows
from children.disputes import undecided
from notifications import gateways
from notifications.budget import Usage, midnight, spent_since
from notifications.clock import machine_clock
from notifications.outbox import due, mails_due, waiting_codes

# An SMS that has been due for this long means that nothing is being delivered.
OUTBOX_LIMIT: Final = timedelta(minutes=10)
# A code is worthless after ten minutes, and a family is waiting for it.
CODES_LIMIT: Final = timedelta(minutes=1)
# Deadlines do not depend on it; but what goes by a machine's own clock does (docs/architecture.md).
CLOCK_LIMIT: Final = timedelta(seconds=2)

_HEARTBEATS = """
SELECT name, role, queues, seen_at, clock_ahead FROM balabaqsha_heartbeat WHERE seen_at > %s ORDER BY name
"""


class Sign(NamedTuple):
    """A heartbeat: its process, the queues it takes from, the time, and by how many seconds its clock was ahead."""

    name: str
    role: str
    queues: Collection[str]
    seen_at: datetime
    clock_ahead: float


@dataclass(frozen=True)
class Facts:
    """What the database knows at `now`, by its clock; `clock_ahead` is that of the asking machine."""

    now: datetime
    clock_ahead: timedelta
    signs: Collection[Sign]
    sweeps: dict[str, datetime]
    # What the sweeps that look for faults found the last time.
    faults: dict[str, int]
    outbox_due_at: datetime | None
    code_made_at: datetime | None
    sms: Usage
    # What keeps an SMS gateway from being asked in its turn: an alarm, or "left".
    gateways: dict[str, str]
    calendar_ends: date | None
    decision_due_at: datetime | None
    missing_migrations: Collection[str]
    # Whether a commit waits until a standby has it, too.
    waits_for_standby: bool = False


def read_facts(*, seconds: float) -> Facts:
    """Ask the database on a separate connection. Raises `Silent` if it does not answer everything in `seconds`."""
    with Line(seconds=seconds) as line:
        before = machine_clock()
        now = line.read_clock()
        middle = before + (machine_clock() - before) / 2
        signs = [Sign(*row) for row in line.rows(_HEARTBEATS, [now - heartbeats.KEPT_FOR])]
        sweeps, faults = read_sweeps(line)
        applied = [(app, name) for app, name in line.rows(APPLIED)]
        ((standbys,),) = line.rows("SELECT current_setting('synchronous_standby_names')")
        decisions = line.rows(undecided().values_list("due_at")[:1])
        oldest = line.rows(due(now=now).order_by("next_attempt_at").values_list("next_attempt_at")[:1])
        oldest += line.rows(mails_due(now=now).order_by("next_attempt_at").values_list("next_attempt_at")[:1])
        oldest_code = line.rows(waiting_codes().order_by("created_at").values_list("created_at")[:1])
        troubled = line.rows(gateways.troubled(now=now).values_list("name", "alarm"))
        spent = line.count(spent_since(midnight(now)))
        try:
            calendar_ends = calendar_of(line.rows(calendar_rows())).last
        except CalendarEmpty:
            calendar_ends = None
    return Facts(
        now=now,
        clock_ahead=middle - now,
        signs=signs,
        sweeps=sweeps,
        faults=faults,
        outbox_due_at=min(at for (at,) in oldest) if oldest else None,
        code_made_at=oldest_code[0][0] if oldest_code else None,
        gateways={name: alarm or "left" for name, alarm in troubled},
        sms=Usage(spent, settings.SMS_BUDGET_PER_DAY),
        calendar_ends=calendar_ends,
        decision_due_at=decisions[0][0] if decisions else None,
        missing_migrations=missing_migrations(applied),
        waits_for_standby=bool(standbys),
    )


def judge(facts: Facts) -> dict[str, Any]:
    """Each part with its word and the details behind the word: names, and ages in seconds."""
    outbox = facts.now - facts.outbox_due_at if facts.outbox_due_at else timedelta(0)
    codes = facts.now - facts.code_made_at if facts.code_made_at else timedelta(0)
    return {
        "migrations": "missing" if facts.missing_migrations else "ok",
        "migrations_missing": list(facts.missing_migrations),
        "outbox": "late" if outbox > OUTBOX_LIMIT or codes > CODES_LIMIT else "ok",
        "outbox_seconds": _seconds(outbox),
        "codes_seconds": _seconds(codes),
        "sms_budget": facts.sms.level.value,
        "sms_percent": facts.sms.percent,
        "sms_gateways": _gateways(facts),
        "sms_gateways_troubled": facts.gateways,
        "calendar": _calendar(facts),
        "disputes": _disputes(facts),
        "standby": "away" if settings.REPLICA_URL and not facts.waits_for_standby else "ok",
        **_beat(facts),
        **_workers(facts),
        **_sweeps(facts),
        **_check(facts),
        **_clocks(facts),
    }


def is_well(words: dict[str, Any]) -> bool:
    """Whether nothing of it needs a person."""
    return all(word == "ok" for word in words.values() if isinstance(word, str))


def is_alive(sign: Sign, *, now: datetime) -> bool:
    """Whether a heartbeat is no older than a minute."""
    return now - sign.seen_at <= heartbeats.LATE_AFTER


def _beat(facts: Facts) -> dict[str, Any]:
    ages = [facts.now - sign.seen_at for sign in facts.signs if sign.role == "beat"]
    if not ages:
        return {"beat": "missing", "beat_seconds": None}
    youngest = min(ages)
    return {
        "beat": "late" if youngest > heartbeats.LATE_AFTER else "ok",
        "beat_seconds": _seconds(youngest),
    }


def _workers(facts: Facts) -> dict[str, Any]:
    workers = [sign for sign in facts.signs if sign.role == "worker"]
    late = {
        sign.name: _seconds(facts.now - sign.seen_at) for sign in workers if not is_alive(sign, now=facts.now)
    }
    missing = [name for name in QUEUES if not any(name in sign.queues for sign in workers)]
    return {
        "workers": "missing" if missing else "late" if late else "ok" if _has_its_own(workers) else "shared",
        "workers_late": late,
        "workers_missing": missing,
    }


def _has_its_own(workers: Collection[Sign]) -> bool:
    """Whether a worker does nothing but deliver, so that no code waits behind housekeeping."""
    return any(set(sign.queues) == {DELIVERIES} for sign in workers)


def _sweeps(facts: Facts) -> dict[str, Any]:
    late = {name: _seconds(by) for name, by in late_sweeps(facts.sweeps, now=facts.now).items()}
    return {"sweeps": "late" if late else "ok", "sweeps_late": late}


def _check(facts: Facts) -> dict[str, Any]:
    """What the nightly check of the data found; that it did not run is said of sweeps."""
    faults = facts.faults.get(CHECK, 0)
    return {"check": "faults" if faults else "ok", "check_faults": faults}


def _clocks(facts: Facts) -> dict[str, Any]:
    ahead = {sign.name: sign.clock_ahead for sign in facts.signs if is_alive(sign, now=facts.now)}
    ahead["here"] = facts.clock_ahead.total_seconds()
    differ = {
        name: round(seconds, 1)
        for name, seconds in ahead.items()
        if abs(seconds) > CLOCK_LIMIT.total_seconds()
    }
    return {"clocks": "differ" if differ else "ok", "clocks_differ": differ}


def _gateways(facts: Facts) -> str:
    """An alarm calls a person at once; one that is left comes back by itself, or calls somebody by and by."""
    if not facts.gateways:
        return "ok"
    return "left" if set(facts.gateways.values()) == {"left"} else "alarm"


def _disputes(facts: Facts) -> str:
    """Whether a disputed guardianship has not been decided in time."""
    is_late = facts.decision_due_at is not None and facts.now >= facts.decision_due_at
    return "late" if is_late else "ok"


def _calendar(facts: Facts) -> str:
    if facts.calendar_ends is None:
        return "missing"
    left = facts.calendar_ends - timezone.localdate(facts.now)
    return "ending" if left < MUST_REACH else "ok"


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())
