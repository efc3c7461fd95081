"""Which queue a task waits in, where in it, and which worker takes from it: the project's one routing.

A code that a parent waits for must not wait behind housekeeping, so what is delivered has a queue and a worker of its
own (docs/adr/0024-queues.md).
"""

from typing import Any, Final, NamedTuple

from notifications.broker import FIRST, LAST, USUAL

# The name that Celery gives. What a version with this one queue left in it is done by the worker that takes from it.
ORDINARY: Final = "celery"
DELIVERIES: Final = "deliveries"

# Who waits for it, before a page that says how far it is.
_WAITED_FOR: Final = ("accounts.tasks.make_exports", "applications.tasks.make_files")
# Nobody misses it for some minutes.
_HOUSEKEEPING: Final = (
    "accounts.tasks.prune_sms_codes",
    "accounts.tasks.refresh_person",
    "accounts.tasks.sweep_files",
    "applications.tasks.check_invariants",
    "applications.tasks.fold_buckets",
    "applications.tasks.propose_registry_years",
    "applications.tasks.remind_aging",
    "applications.tasks.remind_deadlines",
    "applications.tasks.remind_interest",
    "applications.tasks.repair_buckets",
    "applications.tasks.tell_employees",
    "applications.tasks.tell_of_late_complaints",
    "balabaqsha.tasks.purge_personal_data",
    "bulletin.tasks.extend_calendar",
    "children.tasks.recheck_guardianships",
)

# By the first pattern that fits; every task has a queue and a place in it.
ROUTES: Final[list[tuple[str, dict[str, Any]]]] = [
    # It asks slow gateways, and nobody waits for it.
    ("notifications.tasks.ask_for_reports", {"queue": ORDINARY, "priority": USUAL}),
    ("notifications.tasks.*", {"queue": DELIVERIES, "priority": USUAL}),
    *((task, {"queue": ORDINARY, "priority": FIRST}) for task in _WAITED_FOR),
    *((task, {"queue": ORDINARY, "priority": LAST}) for task in _HOUSEKEEPING),
    ("*", {"queue": ORDINARY, "priority": USUAL}),
]
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
    # SMS and e-mails take one each at most (`notifications.delivery`), so neither waits for the other.
    Worker("deliveries", DELIVERIES, processes=2),
)
