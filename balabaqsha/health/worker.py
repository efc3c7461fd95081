"""How a worker shows that it is alive, and which sweep it has run."""

from typing import Any

from celery import bootsteps, signals

from balabaqsha.health import heartbeats, sweeps


class Heartbeats(bootsteps.StartStopStep):
    """Heartbeats from the worker's own loop: they stop when the loop does, and while the broker is down.

    The worker itself watches the processes of its pool; a sweep that none of them runs is late.
    """

    requires = {"celery.worker.consumer.tasks:Tasks"}

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._entry: Any = None

    def start(self, consumer: Any) -> None:
        """Begin as soon as tasks are taken; again after each loss of the broker."""
        self.stop(consumer)
        _send(consumer)
        self._entry = consumer.timer.call_repeatedly(heartbeats.EVERY.total_seconds(), _send, (consumer,))

    def stop(self, consumer: Any) -> None:
        if self._entry is not None:
            consumer.timer.cancel(self._entry)
            self._entry = None

    shutdown = stop


def _send(consumer: Any) -> None:
    # A worker may be told by remote control to take from others.
    heartbeats.send(consumer.hostname, role="worker", queues=list(consumer.app.amqp.queues.consume_from))


class Farewell(bootsteps.StartStopStep):
    """Deletes the heartbeat when the worker stops in order, before it waits for its last tasks."""

    requires = {"celery.worker.components:Pool"}

    def start(self, worker: Any) -> None:
        """Nothing to begin."""

    def stop(self, worker: Any) -> None:
        if not worker.exitcode:
            heartbeats.end(worker.hostname)

    terminate = stop


@signals.task_success.connect
def note_sweep(sender: Any, result: Any = None, **_kwargs: Any) -> None:
    """In a process of the pool, after each task that did not fail; the check says how many faults it found."""
    sweeps.note_finished(sender.name, faults=result if sender.name == sweeps.CHECK else None)
