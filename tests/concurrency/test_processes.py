"""Beat and workers as they are: what is known of them while they live, when they stop, and when they die."""

import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from accounts.models import SmsCode
from balabaqsha.celery import app
from balabaqsha.models import Heartbeat, Sweep
from balabaqsha.periodic import SENT_AT
from balabaqsha.queues import DELIVERIES, ORDINARY
from notifications.broker import DELIVERY_TASK, USUAL
from notifications.clock import read_clock
from notifications.models import Message
from notifications.services import enqueue_to_phone
from tests.patience import PATIENCE, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

HOUR = 3600


@pytest.fixture(autouse=True)
def _by_the_database(settings):
    settings.DATABASE_CLOCK = True


@pytest.fixture
def start():
    """Starts a beat or a worker of this process's own queues; all of them are gone when the test is over."""
    running = []
    # What earlier tests of this process asked for is not this one's.
    app.control.purge()

    def started(*arguments, ahead=0):
        database = connection.settings_dict["NAME"]
        prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
        command = [sys.executable, "-m", "tests.concurrency.celery_process", str(ahead), database, prefix]
        process = subprocess.Popen([*command, *arguments], cwd=settings.BASE_DIR)
        running.append(process)
        return process

    yield started
    for process in running:
        process.kill()
        process.wait(PATIENCE)


def worker(start, name, *, queue="celery,deliveries", **options):
    pool = ["--concurrency", "1", "--without-gossip", "--without-mingle"]
    return start("worker", "-n", name, "--queues", queue, *pool, **options)


def beat(start, **options):
    return start("beat", "--pidfile", "", **options)


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


def health():
    told = Client().get("/health/").json()
    return told["beat"], told["workers"], told["clocks"]


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
    # On a busy machine one may just be silent for longer than it says.
    until(lambda: health() == ("ok", "shared", "differ"), health)
    told = Client().get("/health/").json()
    ahead = {name.partition("@")[0]: seconds for name, seconds in told["clocks_differ"].items()}
    assert ahead == {"beat": pytest.approx(-HOUR, abs=60), "fast": pytest.approx(HOUR, abs=60)}
    sender.send_signal(signal.SIGTERM)
    sender.wait(PATIENCE)
    assert not heard_of("beat@")()


def test_what_the_beat_sent_long_ago_is_passed_over(start):
    """After a standstill thousands of them would stand before what is waited for."""
    old, new = "applications.tasks.tell_placed_bids", "applications.tasks.award_collected_bids"
    now = read_clock()
    for task, at in [(old, now - timedelta(minutes=2)), (new, now)]:
        Sweep.objects.create(task=task, known_at=now)
        app.send_task(task, headers={SENT_AT: at.isoformat()})
    worker(start, "celery@here", queue=ORDINARY)
    until(Sweep.objects.filter(task=new, finished_at__isnull=False).exists)
    assert Sweep.objects.get(task=old).finished_at is None


HOUSEKEEPING = "accounts.tasks.prune_sms_codes"


@contextmanager
def slow_housekeeping():
    """The ordinary queue is full of jobs, none of which comes to its end before the context does."""
    Sweep.objects.create(task=HOUSEKEEPING, known_at=read_clock())
    for _ in range(5):
        app.send_task(HOUSEKEEPING, priority=USUAL)
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {SmsCode._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        yield
        assert is_under_way()
        assert Sweep.objects.get(task=HOUSEKEEPING).finished_at is None
    finally:
        holder.rollback()
        holder.close()


def is_under_way():
    """Whether a worker waits for the table, in this database: other tests have others in the same server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND relation = %s::regclass AND NOT granted)",
            [SmsCode._meta.db_table],
        )
        return cursor.fetchone()[0]


def ask_for_a_code():
    with transaction.atomic():
        enqueue_to_phone(
            "+77017779876",
            "sign_in_code",
            context={"code": "483920", "minutes": 10},
            language="kk",
            dedupe_key="x",
            now=read_clock(),
        )


def is_sent():
    return Message.objects.filter(state=Message.State.SENT).exists()


def test_a_code_goes_out_while_the_ordinary_queue_is_full_of_slow_jobs(start):
    with slow_housekeeping():
        worker(start, "celery@here", queue=ORDINARY)
        worker(start, "deliveries@here", queue=DELIVERIES)
        until(is_under_way)
        ask_for_a_code()
        # As the beat does: the wake-up call of a busy machine may get lost.
        app.send_task(DELIVERY_TASK)
        until(is_sent)


def test_control_in_one_queue_it_waits_behind_them_all(start):
    """As it was; and what a version with the one queue left in it is still done."""
    with slow_housekeeping():
        worker(start, "celery@here", queue=ORDINARY)
        until(is_under_way)
        ask_for_a_code()
        app.send_task(DELIVERY_TASK, queue=ORDINARY)
        assert not is_sent()
    until(is_sent)
    assert Sweep.objects.get(task=HOUSEKEEPING).finished_at <= Message.objects.get().sent_at


def test_what_somebody_waits_for_goes_first_and_housekeeping_last(start):
    """The control above shows that what has the same place goes in the order of its coming."""
    last, usual, first = (
        "applications.tasks.fold_buckets",
        "applications.tasks.tell_placed_bids",
        "accounts.tasks.make_exports",
    )
    order = (
        Sweep.objects.filter(finished_at__isnull=False).order_by("finished_at").values_list("task", flat=True)
    )
    with slow_housekeeping():
        worker(start, "celery@here", queue=ORDINARY)
        until(is_under_way)
        for task in (last, usual, first):
            Sweep.objects.create(task=task, known_at=read_clock())
            app.send_task(task)
    until(lambda: len(order.all()) == 4)
    assert [*order] == [first, HOUSEKEEPING, usual, last]
