"""The tasks of all workers, counted in a hash of the broker, and what waits there.

A worker answers nobody, and its processes come and go on several machines; but each has the broker, or it would have no
task. A broker that was emptied counts from nought again, as a program does that was restarted.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import redis
from celery import signals
from kombu.transport.redis import Channel

from balabaqsha.health.redis_line import impatient_redis
from balabaqsha.queues import QUEUES

logger = logging.getLogger(__name__)

_KEY: Final = "balabaqsha:tasks"
_SECONDS: Final = "seconds"
# What Celery calls them, in our words.
OUTCOMES: Final[Mapping[str, str]] = {
    "SUCCESS": "done",
    "FAILURE": "failed",
    "RETRY": "retried",
    # The beat has sent a newer one, or another run of it goes on (`balabaqsha.periodic`).
    "IGNORED": "passed_over",
}

_began: dict[str, float] = {}


class Broker(NamedTuple):
    """What waits in each queue, what a worker has taken and not ended, and the tasks of all workers."""

    waiting: Mapping[str, int]
    taken: int
    runs: Mapping[tuple[str, str], float]
    seconds: Mapping[str, float]


@signals.task_prerun.connect
def _note_begin(task_id: str, **_kwargs: Any) -> None:
    _began[task_id] = time.monotonic()


@signals.task_postrun.connect
def _count(task_id: str, task: Any, state: str | None = None, **_kwargs: Any) -> None:
    """In a process of the pool, after each task, whatever became of it; one that is killed counts nowhere."""
    began = _began.pop(task_id, None)
    outcome = OUTCOMES.get(state or "")
    if began is None or outcome is None:
        return
    client = impatient_redis()
    try:
        with client.pipeline(transaction=False) as pipe:
            pipe.hincrby(_KEY, f"{task.name} {outcome}", 1)
            pipe.hincrbyfloat(_KEY, f"{task.name} {_SECONDS}", time.monotonic() - began)
            pipe.execute()
    except (redis.RedisError, OSError):
        logger.info("A run of %s is not counted: the broker does not answer", task.name)
    finally:
        client.close()


def ask_broker() -> Broker:
    """All of it in one question. Raises `redis.RedisError` or `OSError` if the broker does not answer in a second."""
    client = impatient_redis()
    try:
        with client.pipeline(transaction=False) as pipe:
            for queue in QUEUES:
                for name in _lists(queue):
                    pipe.llen(name)
            pipe.hlen(Channel.unacked_key)
            pipe.hgetall(_KEY)
            *lengths, taken, counted = pipe.execute()
    finally:
        client.close()
    found = iter(lengths)
    waiting = {queue: sum(next(found) for _list in _lists(queue)) for queue in QUEUES}
    told = {field.decode(): float(value) for field, value in counted.items()}
    return Broker(waiting, taken, *_apart(told))


def _lists(queue: str) -> Iterator[str]:
    """Celery keeps a list for each priority."""
    for step in Channel.priority_steps:
        yield f"{queue}{Channel.sep}{step}" if step else queue


def _apart(told: Mapping[str, float]) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    runs, seconds = {}, {}
    for field, value in told.items():
        task, _, what = field.partition(" ")
        if what == _SECONDS:
            seconds[task] = value
        else:
            runs[task, what] = value
    return runs, seconds
