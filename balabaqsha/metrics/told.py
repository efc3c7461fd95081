"""What `/metrics` says, as Prometheus reads it: names with labels that the code bounds, and nobody's data.

Everything is asked at once and within two seconds. Of a part that does not answer nothing is said but that it is down.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from balabaqsha import __version__
from balabaqsha.health.probes import (
    ANSWER_SECONDS,
    Probe,
    Surroundings,
    database_facts,
    report,
    start_surroundings,
)
from balabaqsha.health.report import Facts, Sign, is_alive
from balabaqsha.health.sweeps import CHECK, late_sweeps
from balabaqsha.metrics.database import Work, ask_database
from balabaqsha.metrics.requests import registry
from balabaqsha.metrics.tasks import Broker, ask_broker
from balabaqsha.queues import QUEUES
from balabaqsha.schedule import SCHEDULE
from notifications.clock import machine_clock

_PREFIX: Final = "balabaqsha_"
_NO_PARTS: Final = ("status", "version")

_work: Probe[Work] = Probe(lambda: ask_database(seconds=ANSWER_SECONDS))
_broker: Probe[Broker] = Probe(ask_broker)


def told() -> bytes:
    """The whole answer."""
    asked_work, asked_broker, asked_facts = _work.start(), _broker.start(), database_facts()
    around = start_surroundings()
    words, _serves = report()
    work, broker, facts = asked_work.result(), asked_broker.result(), asked_facts.result()
    known = CollectorRegistry()
    known.register(_Told(_families(words, around, facts if isinstance(facts, Facts) else None, work, broker)))
    return generate_latest(registry()) + generate_latest(known)


class _Told(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _families(
    words: Mapping[str, Any],
    around: Surroundings,
    facts: Facts | None,
    work: Work | None,
    broker: Broker | None,
) -> Iterator[Metric]:
    yield _gauge("version_info", "The version that answers.", ["version"], {(__version__,): 1})
    yield _gauge(
        "up",
        "Whether a part answers in time: 1 or 0.",
        ["part"],
        {(part,): words[part] == "ok" for part in ("database", "redis")},
    )
    yield _gauge(
        "health",
        "Whether /health/ says ok of a part: 1 or 0.",
        ["part"],
        {
            (part,): word == "ok"
            for part, word in words.items()
            if isinstance(word, str) and part not in _NO_PARTS
        },
    )
    yield from _of_the_machine(around, now=facts.now if facts else machine_clock())
    if facts:
        yield from _of_processes(facts)
        yield from _of_sweeps(facts)
        yield from _of_the_rest(facts)
    if work:
        yield from _of_the_outbox(work)
        yield from _of_the_database(work)
    if broker:
        yield from _of_the_broker(broker)


def _of_the_machine(around: Surroundings, *, now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "disk_free_bytes",
        "What is free where files are kept; several places may be one disk.",
        ["place"],
        {(place,): free for place, free in (around.disks.result() or {}).items()},
    )
    if around.certificate and (ends := around.certificate.result()):
        left = (ends - now).total_seconds()
        yield _gauge("certificate_seconds", "Until the certificate ends; negative after it.", [], {(): left})
    if around.backup and (backup := around.backup.result()):
        yield _gauge(
            "backup_age_seconds",
            "Since the last backup that was found whole was begun (made), and was found so (verified).",
            ["step"],
            {
                ("made",): _seconds(now, backup.made_at),
                ("verified",): _seconds(now, backup.verified_at),
            },
        )


def _of_processes(facts: Facts) -> Iterator[Metric]:
    by_role = {role: list(_signs_of(role, facts.signs)) for role in ("beat", *QUEUES)}
    yield _gauge(
        "heartbeat_age_seconds",
        "Since the youngest sign of life of a beat, or of a worker that takes from this queue.",
        ["process"],
        {
            (role,): _seconds(facts.now, max(sign.seen_at for sign in signs))
            for role, signs in by_role.items()
            if signs
        },
    )
    yield _gauge(
        "processes",
        "Beats and workers by queue, alive or silent for more than a minute.",
        ["process", "state"],
        {
            (role, state): sum(is_alive(sign, now=facts.now) == (state == "alive") for sign in signs)
            for role, signs in by_role.items()
            for state in ("alive", "late")
        },
    )
    alive = {
        role: [sign.clock_ahead for sign in signs if is_alive(sign, now=facts.now)]
        for role, signs in by_role.items()
    }
    ahead = {(role,): max(seconds, key=abs) for role, seconds in alive.items() if seconds}
    yield _gauge(
        "clock_ahead_seconds",
        "By how much the clock of a process is ahead of the database's, the one farthest off; web is who answers.",
        ["process"],
        ahead | {("web",): facts.clock_ahead.total_seconds()},
    )


def _signs_of(role: str, signs: Iterable[Sign]) -> Iterator[Sign]:
    return (sign for sign in signs if sign.role == role or role in sign.queues)


def _of_sweeps(facts: Facts) -> Iterator[Metric]:
    seen = {
        name: facts.sweeps[entry["task"]] for name, entry in SCHEDULE.items() if entry["task"] in facts.sweeps
    }
    late = late_sweeps(facts.sweeps, now=facts.now)
    yield _gauge(
        "sweep_age_seconds",
        "Since a sweep of the schedule last ran to its end, or became known.",
        ["sweep"],
        {(name,): _seconds(facts.now, at) for name, at in seen.items()},
    )
    yield _gauge(
        "sweep_overdue_seconds",
        "By how much a sweep is overdue; nought unless it is late.",
        ["sweep"],
        {(name,): late.get(name, timedelta(0)).total_seconds() for name in seen},
    )


def _of_the_rest(facts: Facts) -> Iterator[Metric]:
    yield _gauge(
        "outbox_late_seconds",
        "For how long the oldest SMS or e-mail has been due.",
        [],
        {(): _seconds(facts.now, facts.outbox_due_at)},
    )
    yield _gauge(
        "codes_oldest_seconds",
        "For how long the oldest code that has not gone out has waited.",
        [],
        {(): _seconds(facts.now, facts.code_made_at)},
    )
    yield _gauge(
        "sms_budget_percent", "How much of the day's budget of SMS is spent.", [], {(): facts.sms.percent}
    )
    if CHECK in facts.faults:
        found = facts.faults[CHECK]
        yield _gauge("check_faults", "Faults that the last nightly check of the data found.", [], {(): found})
    if facts.calendar_ends:
        left = facts.calendar_ends - timezone.localdate(facts.now)
        yield _gauge("calendar_days", "Days until the calendar of working days ends.", [], {(): left.days})


def _of_the_outbox(work: Work) -> Iterator[Metric]:
    yield _gauge(
        "outbox_waiting",
        "Messages that have not gone out, due or put off, by way and kind.",
        ["way", "kind"],
        {key: waiting.messages for key, waiting in work.outbox.items()},
    )
    yield _gauge(
        "outbox_oldest_seconds",
        "Since the oldest of them was written.",
        ["way", "kind"],
        {key: waiting.seconds for key, waiting in work.outbox.items()},
    )
    yield _gauge(
        "sms_tries", "What SMS gateways did in the last ten minutes.", ["gateway", "outcome"], work.sms
    )


def _of_the_database(work: Work) -> Iterator[Metric]:
    yield _gauge(
        "database_connections",
        "Connections to the portal's database, by state.",
        ["state"],
        {(state,): count for state, count in work.connections.items()},
    )
    yield _gauge(
        "database_connections_most",
        "How many connections the whole server allows.",
        [],
        {(): work.most_connections},
    )
    yield _gauge("lock_waits", "Statements that wait for a lock.", [], {(): work.lock_waits})
    yield _gauge(
        "lock_wait_longest_seconds",
        "For how long the longest of them waits.",
        [],
        {(): work.longest_lock_wait},
    )


def _of_the_broker(broker: Broker) -> Iterator[Metric]:
    yield _gauge(
        "queue_waiting",
        "Tasks that no worker has taken.",
        ["queue"],
        {(queue,): count for queue, count in broker.waiting.items()},
    )
    yield _gauge("tasks_taken", "Tasks that a worker has taken and not ended.", [], {(): broker.taken})
    yield _counter("task_runs", "Runs of a task that ended, by outcome.", ["task", "outcome"], broker.runs)
    yield _counter(
        "task_seconds",
        "How long they took together.",
        ["task"],
        {(task,): seconds for task, seconds in broker.seconds.items()},
    )


def _seconds(now: datetime, since: datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _gauge(name: str, text: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    return _filled(GaugeMetricFamily(_PREFIX + name, text, labels=labels), values)


def _counter(name: str, text: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    return _filled(CounterMetricFamily(_PREFIX + name, text, labels=labels), values)


def _filled(family: Any, values: Mapping[Any, float]) -> Metric:
    for key, value in sorted(values.items()):
        family.add_metric(list(key), value)
    return family  # type: ignore[no-any-return]
