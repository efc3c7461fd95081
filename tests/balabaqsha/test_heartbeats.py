"""Heartbeats: written by each process, deleted when it stops, forgotten a day after it died."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from kombu.asynchronous.timer import Timer

from balabaqsha.health import heartbeats, worker
from balabaqsha.health import line as line_module
from balabaqsha.models import Heartbeat
from tests.balabaqsha.silent import at_port, silent_server

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def stopped():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def names():
    return set(Heartbeat.objects.values_list("name", flat=True))


def test_the_newest_counts(stopped):
    assert heartbeats.send("celery@one", role="worker")
    stopped.shift(10)
    assert heartbeats.send("celery@one", role="worker")
    assert Heartbeat.objects.get().seen_at == NOW + timedelta(seconds=10)


def test_the_dead_are_forgotten_by_the_living_after_a_day(stopped):
    heartbeats.send("celery@dead", role="worker")
    stopped.move_to(NOW + heartbeats.KEPT_FOR)
    heartbeats.send("celery@alive", role="worker")
    assert names() == {"celery@dead", "celery@alive"}
    stopped.shift(MICROSECOND)
    heartbeats.send("celery@alive", role="worker")
    assert names() == {"celery@alive"}


def test_who_comes_back_after_a_day_is_alive(stopped):
    heartbeats.send("celery@one", role="worker")
    stopped.shift(timedelta(days=2))
    assert heartbeats.send("celery@one", role="worker")
    assert Heartbeat.objects.get().seen_at == NOW + timedelta(days=2)


def test_who_stops_takes_only_their_own_along(stopped):
    heartbeats.send("celery@one", role="worker")
    heartbeats.send("celery@two", role="worker")
    heartbeats.end("celery@one")
    heartbeats.end("celery@one")
    assert names() == {"celery@two"}


def test_a_silent_database_breaks_nobody_who_beats(monkeypatch, caplog):
    monkeypatch.setattr(heartbeats, "ANSWER_SECONDS", 0.2)
    with silent_server() as server:
        monkeypatch.setattr(line_module, "connections", {"default": at_port(server.port)})
        assert not heartbeats.send("celery@one", role="worker")
        heartbeats.end("celery@one")
    assert caplog.text.count("too late") == 2


class TestAWorker:
    @pytest.fixture
    def consumer(self):
        taken = SimpleNamespace(consume_from={"deliveries": None})
        app = SimpleNamespace(amqp=SimpleNamespace(queues=taken))
        return SimpleNamespace(hostname="celery@one", timer=Timer(), steps=[], app=app)

    def beats(self, consumer):
        """The heartbeats that wait in the worker's loop."""
        return [entry for entry in consumer.timer.queue if not entry.entry.canceled]

    def test_it_beats_when_it_takes_tasks_and_every_ten_seconds(self, consumer, stopped):
        step = worker.Heartbeats(consumer)
        step.start(consumer)
        assert Heartbeat.objects.get().seen_at == NOW
        stopped.shift(10)
        consumer.app.amqp.queues.consume_from["celery"] = None
        (waiting,) = self.beats(consumer)
        waiting.entry()
        sign = Heartbeat.objects.get()
        assert (sign.seen_at, sign.queues) == (NOW + timedelta(seconds=10), ["deliveries", "celery"])

    def test_without_its_broker_it_is_silent_until_it_takes_tasks_again(self, consumer, stopped):
        step = worker.Heartbeats(consumer)
        step.start(consumer)
        step.stop(consumer)
        assert self.beats(consumer) == []
        assert names() == {"celery@one"}
        stopped.shift(100)
        step.start(consumer)
        assert len(self.beats(consumer)) == 1
        assert Heartbeat.objects.get().seen_at == NOW + timedelta(seconds=100)

    def test_after_the_loss_of_a_connection_nobody_beats_twice(self, consumer, stopped):
        step = worker.Heartbeats(consumer)
        for _ in range(3):
            step.start(consumer)
        assert len(self.beats(consumer)) == 1

    @pytest.mark.parametrize(("exitcode", "left"), [(None, set()), (0, set()), (1, {"celery@one"})])
    def test_it_takes_its_heartbeat_along_unless_it_failed(self, consumer, stopped, exitcode, left):
        heartbeats.send("celery@one", role="worker")
        stopping = SimpleNamespace(hostname="celery@one", exitcode=exitcode, steps=[])
        worker.Farewell(stopping).stop(stopping)
        assert names() == left
