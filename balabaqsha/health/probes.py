"""Asking parts that may hang, without hanging too: the whole report takes at most two seconds."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final, Generic, NamedTuple, TypeVar

import redis
from django.conf import settings

from accounts.kept_files import Room, try_keeping
from balabaqsha import __version__
from balabaqsha.health import surroundings
from balabaqsha.health.line import Silent, Unready
from balabaqsha.health.redis_line import impatient_redis
from balabaqsha.health.report import Facts, is_well, judge, read_facts
from balabaqsha.health.surroundings import Backup
from notifications.clock import machine_clock

logger = logging.getLogger(__name__)

V = TypeVar("V")

# All probes begin together; the rest of the two seconds is for the way there and back.
ANSWER_SECONDS: Final = 1.5
# How long a part has that did not answer the last time.
AGAIN_SECONDS: Final = 0.3
# How long an answer holds: each part is asked once a second, however many requests there are.
HOLDS_SECONDS: Final = 1.0


class Asked(NamedTuple, Generic[V]):
    """A question that is under way, or was answered: None stands for no answer."""

    answer: "Future[V | None]"
    until: float

    def result(self) -> V | None:
        """The answer; None if there is none in time, counted from the beginning of the question.

        So a later caller, while it hangs, waits only for what is left of that time, and then not at all.
        """
        try:
            return self.answer.result(timeout=max(0, self.until - time.monotonic()))
        except TimeoutError:
            return None


class Probe(Generic[V]):
    """A question that may hang, asked by one thread at a time, however many want to know.

    A part that did not answer before gets no more time than a healthy one needs, so that requests made while it hangs
    don't hold the web server's threads.
    """

    def __init__(self, ask: Callable[[], V], *, holds: float = HOLDS_SECONDS) -> None:
        self._ask = ask
        self._holds = holds
        self._starting = Lock()
        self._asked: Asked[V] | None = None
        self._answered_at = 0.0

    def start(self) -> Asked[V]:
        """Ask, unless it is being asked, or was answered a moment ago."""
        with self._starting:
            asked, now = self._asked, time.monotonic()
            holds = self._holds if settings.REMEMBER_FOR_A_SECOND else 0
            if asked and not (asked.answer.done() and now >= self._answered_at + holds):
                return asked
            patience = AGAIN_SECONDS if asked and asked.answer.result() is None else ANSWER_SECONDS
            self._asked = asked = Asked(Future(), now + patience)
            Thread(target=self._run, args=[asked.answer], daemon=True).start()
            return asked

    def _run(self, answer: "Future[V | None]") -> None:
        found = None
        try:
            found = self._ask()
        except (Silent, redis.RedisError, OSError):
            pass
        except Exception:
            logger.exception("A part of the health report could not be made")
        self._answered_at = time.monotonic()
        answer.set_result(found)


def ping_redis() -> bool:
    """Whether Redis answers, asked once. Raises `redis.RedisError` if it does not."""
    client = impatient_redis()
    try:
        return bool(client.ping())
    finally:
        client.close()


def ask_database() -> Facts | Unready:
    """What the database knows, or that it was not made ready. Raises `Silent` where it does not answer in time."""
    try:
        return read_facts(seconds=ANSWER_SECONDS)
    except Unready as reason:
        return reason


_database: Probe[Facts | Unready] = Probe(ask_database)
_redis: Probe[bool] = Probe(ping_redis)
_files: Probe[Room] = Probe(lambda: try_keeping(Path(settings.MEDIA_ROOT))[0])
_disks: Probe[dict[str, int]] = Probe(surroundings.free_bytes)
# Nobody shakes hands with the proxy every second for a day that is weeks away.
_certificate: Probe[datetime | None] = Probe(surroundings.certificate_ends, holds=60.0)
_backup: Probe[Backup | None] = Probe(surroundings.last_backup)


def database_facts() -> Asked[Facts | Unready]:
    """Begin to ask what the database knows: one question for all who want to know in the same second."""
    return _database.start()


class Surroundings(NamedTuple):
    """What the machine is asked: its disks and, where they are named, the certificate and the last backup."""

    disks: Asked[dict[str, int]]
    certificate: Asked[datetime | None] | None
    backup: Asked[Backup | None] | None


def start_surroundings() -> Surroundings:
    """Begin to ask."""
    return Surroundings(
        _disks.start(),
        _certificate.start() if settings.CERTIFICATE else None,
        _backup.start() if settings.BACKUP_STATE else None,
    )


def report() -> tuple[dict[str, Any], bool]:
    """What `/health/` answers, and whether the portal can serve: whether the database and Redis answer."""
    database, cache, files = _database.start(), _redis.start(), _files.start()
    around = start_surroundings()
    facts, pong, room = database.result(), cache.result(), files.result()
    words = {
        "database": _database_word(facts),
        "redis": "ok" if pong else "failing",
        "files": (room or Room.FAILING).value,
    }
    words |= _judge_surroundings(around, now=facts.now if isinstance(facts, Facts) else machine_clock())
    serves = isinstance(facts, Facts) and bool(pong)
    told = words | judge(facts) if isinstance(facts, Facts) else words
    return {"status": _status(told, serves=serves), "version": __version__} | told, serves


def readiness() -> tuple[dict[str, str], bool]:
    """What `/readyz` answers, and whether pages can be served: database, tables of this version, Redis."""
    told, serves = report()
    words = {name: told.get(name, "unknown") for name in ("database", "redis", "migrations")}
    return words, serves and words["migrations"] == "ok"


def _database_word(facts: Facts | Unready | None) -> str:
    if facts is None:
        return "failing"
    return "ok" if isinstance(facts, Facts) else "not set up"


def _status(told: dict[str, Any], *, serves: bool) -> str:
    if not serves:
        return "failing"
    return "ok" if is_well(told) else "warning"


def _judge_surroundings(around: Surroundings, *, now: datetime) -> dict[str, Any]:
    words = surroundings.judge_disks(around.disks.result())
    if around.certificate:
        words |= surroundings.judge_certificate(around.certificate.result(), now=now)
    if around.backup:
        words |= surroundings.judge_backup(around.backup.result(), now=now)
    return words
