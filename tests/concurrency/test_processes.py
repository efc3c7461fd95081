"""Beat and workers as they are: what is known of them while they live, when they stop, and when they die."""

import signal
import subprocess
import sys
import time
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from balabaqsha.models import Heartbeat, Sweep
from notifications.clock import read_clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

PATIENCE = 120
HOUR = 3600


@pytest.fixture(autouse=True)
def _by_the_database(settings):
    settings.DATABASE_CLOCK = True


@pytest.fixture
def start():
    """Starts a beat or a worker of this test's own queue; all of them are gone when the test is over."""
    queue, running = f"test-{uuid.uuid4().hex}", []

    def started(*arguments, ahead=0):
        database = connection.settings_dict["NAME"]
        command = [sys.executable, "-m", "tests.concurrency.celery_process", str(ahead), database, queue]
        process = subprocess.Popen([*command, *arguments], cwd=settings.BASE_DIR)
        running.append(process)
        return process

    yield started
    for process in running:
        process.kill()
        process.wait(20)


def worker(start, name, **options):
    pool = ["--concurrency", "1", "--without-gossip", "--without-mingle"]
    return start("worker", "-n", name, *pool, **options)


def beat(start, **options):
    return start("beat", "--pidfile", "", **options)


def until(condition):
    """Wait for what other processes do; the test fails where they don't."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def heard_of(name):
    return lambda: Heartbeat.objects.filter(name__startswith=name).exists()


def test_a_worker_that_is_stopped_takes_its_heartbeat_along_and_a_dead_one_does_not(start):
    stopped, killed = worker(start, "stopped@here"), worker(start, "killed@here")
    until(heard_of("stopped@here"))
    until(heard_of("killed@here"))
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(PATIENCE) == 0
    killed.send_signal(signal.SIGKILL)
    killed.wait(PATIENCE)
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"killed@here"}


def test_sweeps_run_and_are_noted_however_wrong_the_clocks_are(start):
    """The beat an hour slow, the worker an hour fast: what was due long ago runs, and only its own time counts."""
    task = "notifications.tasks.deliver_due_messages"
    long_ago = read_clock() - timedelta(days=1)
    Sweep.objects.create(task=task, known_at=long_ago, finished_at=long_ago)
    beginning = read_clock()
    sender = beat(start, ahead=-HOUR)
    worker(start, "fast@here", ahead=HOUR)
    until(lambda: Sweep.objects.filter(task=task, finished_at__gt=beginning).exists())
    assert Sweep.objects.get(task=task).finished_at <= read_clock()
    until(heard_of("beat@"))
    told = Client().get("/health/").json()
    assert (told["beat"], told["workers"], told["clocks"]) == ("ok", "ok", "differ")
    ahead = {name.partition("@")[0]: seconds for name, seconds in told["clocks_differ"].items()}
    assert ahead == {"beat": pytest.approx(-HOUR, abs=60), "fast": pytest.approx(HOUR, abs=60)}
    sender.send_signal(signal.SIGTERM)
    sender.wait(PATIENCE)
    assert not heard_of("beat@")()
