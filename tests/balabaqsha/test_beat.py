"""The beat: whichever clock is set, it goes on; what was missed is sent; and it tells that it lives."""

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery import beat as celery_beat
from celery.beat import SchedulingError
from celery.schedules import crontab

from balabaqsha import beat
from balabaqsha.celery import app
from balabaqsha.health import heartbeats
from balabaqsha.health import line as line_module
from balabaqsha.models import Heartbeat, Sweep
from balabaqsha.schedule import SCHEDULE
from notifications import clock
from tests.balabaqsha.silent import at_port, silent_server

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
DELIVER = "notifications.tasks.deliver_due_messages"
NIGHTLY = "applications.tasks.check_invariants"


class Broker:
    """Takes what is sent, unless it is away."""

    def __init__(self):
        self.sent, self.is_away = [], False

    def take(self, _scheduler, entry, **_options):
        if self.is_away:
            raise SchedulingError("away")
        self.sent.append(entry.task)


@pytest.fixture
def broker(monkeypatch):
    broker = Broker()
    monkeypatch.setattr(
        celery_beat.Scheduler, "apply_async", lambda *args, **kwargs: broker.take(*args, **kwargs)
    )
    monkeypatch.setattr(celery_beat.Scheduler, "_ensure_connected", lambda scheduler: None)
    return broker


@pytest.fixture(autouse=True)
def _by_the_database(settings, monkeypatch):
    settings.DATABASE_CLOCK = True
    monkeypatch.setattr(clock, "_estimate", clock.Estimate())


@contextmanager
def schedule_of(name, task, schedule):
    app.conf.beat_schedule = {name: {"task": task, "schedule": schedule}}
    yield
    app.conf.beat_schedule = SCHEDULE


@pytest.fixture
def often():
    """A schedule of one task, twenty times a second."""
    with schedule_of("often", DELIVER, 0.05):
        yield


def scheduler(kind=beat.Scheduler):
    return kind(app=app, Producer=lambda *_args, **_kwargs: None)


def tick_until(running, broker, count):
    """Let it tick, and sleep as it wishes, until so much has been sent; False where it wants to sleep for long."""
    while len(broker.sent) < count:
        delay = running.tick()
        if delay > 10:
            return False
        time.sleep(max(0, delay))
    return True


@pytest.mark.usefixtures("often")
class TestTheMachinesClock:
    def test_control_celery_s_own_is_silent_for_as_long_as_it_was_set_back(self, broker):
        with time_machine.travel(datetime.now(UTC)) as machine:
            running = scheduler(celery_beat.Scheduler)
            assert tick_until(running, broker, 2)
            machine.shift(-HOUR)
            assert not tick_until(running, broker, 4)

    @pytest.mark.parametrize("shift", [-HOUR, HOUR, timedelta(days=-400)])
    def test_it_may_be_set_as_one_likes(self, broker, shift):
        with time_machine.travel(datetime.now(UTC)) as machine:
            running = scheduler()
            assert tick_until(running, broker, 2)
            machine.shift(shift)
            assert tick_until(running, broker, 4)
            assert Heartbeat.objects.get().role == "beat"

    def test_a_clock_that_is_wrong_from_the_beginning_is_reported(self, broker):
        with time_machine.travel(datetime.now(UTC) - HOUR):
            assert tick_until(scheduler(), broker, 2)
        assert Heartbeat.objects.get().clock_ahead == pytest.approx(-3600, abs=30)


@pytest.mark.usefixtures("often")
class TestTheDatabasesClock:
    @pytest.mark.parametrize("shift", [-HOUR, timedelta(days=-400), HOUR])
    def test_it_goes_on_when_it_is_set(self, broker, monkeypatch, shift):
        ahead = [timedelta(0)]
        monkeypatch.setattr(beat, "counted_clock", lambda: datetime.now(UTC) + ahead[0])
        running = scheduler()
        assert tick_until(running, broker, 2)
        ahead[0] = shift
        assert tick_until(running, broker, 4)

    def test_while_the_database_is_silent_it_goes_on_and_does_not_beat(self, broker, monkeypatch):
        monkeypatch.setattr(heartbeats, "ANSWER_SECONDS", 0.1)
        with silent_server() as server:
            monkeypatch.setattr(line_module, "connections", {"default": at_port(server.port)})
            assert tick_until(scheduler(), broker, 3)
        assert not Heartbeat.objects.exists()

    def test_when_the_database_is_back_it_takes_up_its_memory(self, broker, monkeypatch):
        monkeypatch.setattr(heartbeats, "ANSWER_SECONDS", 0.1)
        monkeypatch.setattr(heartbeats, "EVERY", timedelta(0))
        with silent_server() as server, monkeypatch.context() as patch:
            patch.setattr(line_module, "connections", {"default": at_port(server.port)})
            running = scheduler()
            assert tick_until(running, broker, 1)
        monkeypatch.setattr(heartbeats, "ANSWER_SECONDS", 30)
        assert tick_until(running, broker, 2)
        assert Sweep.objects.count() == len(SCHEDULE)
        assert Heartbeat.objects.exists()


class TestItsMemory:
    @pytest.fixture(autouse=True)
    def _nightly(self):
        with schedule_of("nightly", NIGHTLY, crontab(minute=10, hour=3)):
            yield

    def ran(self, age):
        now = clock.read_clock()
        Sweep.objects.create(task=NIGHTLY, known_at=now - 99 * HOUR, finished_at=now - age)

    def test_what_was_missed_while_there_was_no_beat_is_sent_at_once_and_once(self, broker):
        self.ran(25 * HOUR)
        running = scheduler()
        for _ in range(5):
            running.tick()
        assert broker.sent == [NIGHTLY]

    def test_what_has_never_run_is_missed_since_it_became_known(self, broker):
        Sweep.objects.create(task=NIGHTLY, known_at=clock.read_clock() - 25 * HOUR)
        running = scheduler()
        for _ in range(5):
            running.tick()
        assert broker.sent == [NIGHTLY]

    def test_what_has_run_waits_for_its_time(self, broker):
        self.ran(timedelta(seconds=1))
        running = scheduler()
        for _ in range(5):
            running.tick()
        assert broker.sent == []

    def test_what_ran_in_the_future_has_run_now(self, broker):
        self.ran(-99 * HOUR)
        running = scheduler()
        assert running.schedule["nightly"].last_run_at <= clock.read_clock()

    def test_a_new_schedule_begins_now(self, broker):
        scheduler().tick()
        assert broker.sent == []
        assert Sweep.objects.filter(finished_at=None).count() == len(SCHEDULE)


@pytest.mark.usefixtures("often")
class TestItsLife:
    def test_it_beats_every_ten_seconds(self, broker, monkeypatch):
        moment = [1000.0]
        monkeypatch.setattr(beat.time, "monotonic", lambda: moment[0])
        beats = []
        monkeypatch.setattr(heartbeats, "send", lambda name, role: beats.append((moment[0], role)))
        running = scheduler()
        for seconds in (0, 9.9, 10, 19.9, 20):
            moment[0] = 1000 + seconds
            running.tick()
        assert beats == [(1000, "beat"), (1010, "beat"), (1020, "beat")]

    def test_while_the_broker_is_away_it_is_silent_but_keeps_the_time(self, broker, monkeypatch):
        monkeypatch.setattr(heartbeats, "EVERY", timedelta(0))
        running = scheduler()
        assert tick_until(running, broker, 2)
        broker.is_away = True
        read = []
        monkeypatch.setattr(running, "_read_clock", lambda: read.append(Heartbeat.objects.get().seen_at))
        while len(read) < 3:
            time.sleep(max(0, running.tick()))
        assert len(set(read)) == 1
        broker.is_away = False
        assert tick_until(running, broker, 4)
        assert Heartbeat.objects.get().seen_at > read[0]

    def test_it_takes_its_heartbeat_along(self, broker):
        running = scheduler()
        tick_until(running, broker, 1)
        assert Heartbeat.objects.exists()
        running.close()
        running.close()
        assert not Heartbeat.objects.exists()


def test_celery_starts_this_one():
    assert app.conf.beat_scheduler == "balabaqsha.beat:Scheduler"
