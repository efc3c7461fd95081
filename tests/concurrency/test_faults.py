"""Broker, worker and gateway are killed at random moments while messages are written: none is lost, few come twice."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection, transaction

from notifications.broker import DELIVERY_TASK
from notifications.clock import read_clock
from notifications.models import Message
from notifications.services import enqueue_to_phone
from tests.redis_server import OwnRedis, short_folder
from tests.thorough import THOROUGH

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

# In each round messages are written, and something is killed while they go out.
ROUNDS, WRITTEN = (25, 40) if THOROUGH else (3, 30)
PATIENCE = 240
KINDS = {"sign_in_code": {"code": "483920", "minutes": 10}, "number_news": {}}


class Process:
    """A program with all its children, to be killed and begun again."""

    def __init__(self, *arguments):
        self.command = [sys.executable, "-m", *arguments]
        self.start()

    def start(self):
        self.running = subprocess.Popen(self.command, cwd=settings.BASE_DIR, start_new_session=True)

    def stop(self):
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait(20)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "taken"


@pytest.fixture
def victims(log):
    """What may be killed, by name; and a way to wake whoever works, as the beat does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with short_folder() as folder:
        redis = OwnRedis(Path(folder))
        redis.start()
        broker = redis.url.replace("unix://", "redis+socket://", 1)
        found = {
            "redis": redis,
            "gateway": Process("tests.concurrency.faulty_gateway", str(port), str(log)),
            "worker": Process(
                "tests.concurrency.faulty_worker",
                connection.settings_dict["NAME"],
                broker,
                f"http://127.0.0.1:{port}/send",
            ),
        }
        beat = Celery(broker=broker)
        beat.conf.update(broker_transport_options={"max_retries": 0, "socket_timeout": 1})

        def wake():
            # A broker that is dead takes nothing; the next one does.
            with suppress(Exception):
                beat.send_task(DELIVERY_TASK, queue="deliveries", retry=False)

        try:
            yield found, wake
        finally:
            for one in found.values():
                one.stop()
            beat.close()


def write(number):
    kind = list(KINDS)[number % len(KINDS)]
    with transaction.atomic():
        enqueue_to_phone(
            f"+7701{number:07}",
            kind,
            context=KINDS[kind],
            language="kk",
            dedupe_key=str(number),
            now=read_clock(),
        )


def taken_by(log):
    """The keys of the messages that the gateway has taken, as often as it has."""
    return log.read_text().split() if log.exists() else []


def until(condition, wake, seed):
    """Wait for what other processes do, and wake them now and then, as the beat does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"seed {seed}"
        wake()
        time.sleep(0.1)


def test_every_message_arrives_whatever_is_killed(victims, log, settings, capsys):
    settings.DATABASE_CLOCK = True
    settings.SMS_BUDGET_PER_DAY = 1_000_000
    found, wake = victims
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    # Each of them in turn, so that the order alone is left to chance.
    names = [name for _ in range(ROUNDS // 3 + 1) for name in chance.sample(sorted(found), 3)][:ROUNDS]
    for turn, name in enumerate(names):
        before = len(taken_by(log))
        for number in range(turn * WRITTEN, (turn + 1) * WRITTEN):
            write(number)
        until(lambda: len(taken_by(log)) > before, wake, seed)  # noqa: B023
        # No wait for anything: at any of these moments something else is under way.
        time.sleep(chance.uniform(0, 0.3))
        found[name].stop()
        found[name].start()
    until(lambda: not Message.objects.exclude(state=Message.State.SENT).exists(), wake, seed)
    killed = Counter(names)
    kinds = {str(pk): kind for pk, kind in Message.objects.values_list("pk", "kind")}
    taken = Counter(taken_by(log))
    assert set(taken) == set(kinds), seed
    again = {key: times - 1 for key, times in taken.items() if times > 1}
    twice = Counter(kinds[key] for key in again)
    with capsys.disabled():
        print(f"\nseed {seed}: {len(kinds)} messages, killed {dict(killed)}, more than once {dict(twice)}")
    # Once more for each death of who took it, or of who would have written it down.
    deaths = killed["worker"] + killed["gateway"]
    assert max(again.values(), default=0) <= deaths, (seed, again)
    # A worker begins anew what its lanes can hold before it writes what came of the last: both are under way.
    under_way = (2 * killed["worker"] + killed["gateway"]) * settings.SMS_AT_ONCE
    assert sum(again.values()) <= under_way, (seed, again)
