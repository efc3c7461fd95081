"""Which queue a task waits in, and which worker takes from it: the project's one routing.

A code that a parent waits for must not wait behind housekeeping, so what is delivered has a queue and a worker of its
own (docs/adr/0024-queues.md).
"""

from typing import Any, Final, NamedTuple

# The name that Celery gives. What a version with this one queue left in it is done by the worker that takes from it.
ORDINARY: Final = "celery"
DELIVERIES: Final = "deliveries"

# A task that is not named here is an ordinary one.
ROUTES: Final[dict[str, dict[str, Any]]] = {"notifications.tasks.*": {"queue": DELIVERIES}}
# A worker that is started without a queue takes from all of these.
QUEUES: Final = (ORDINARY, DELIVERIES)


class Worker(NamedTuple):
    """A worker as the portal starts it: what people call it, its queue, and how many processes run its tasks.

    Celery and the heartbeats call it by its queue and its machine: `celery@host`.
    """

    name: str
    queue: str
    processes: int

    def command(self) -> list[str]:
        """What `celery -A balabaqsha` is told."""
        place = ["--queues", self.queue, "--hostname", f"{self.queue}@%h"]
        return ["worker", *place, "--concurrency", str(self.processes), "--loglevel", "info"]


WORKERS: Final = (
    Worker("worker", ORDINARY, processes=2),
    # E-mails take one of them at most (`notifications.delivery.deliver_mails`), so one is there for SMS.
    Worker("deliveries", DELIVERIES, processes=2),
)
