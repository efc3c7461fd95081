"""The Celery app: its schedule, its queues, and the signs of life of its processes."""

import gc
import os
from importlib import import_module
from typing import Any

from celery import Celery, signals
from django.conf import settings
from kombu.entity import Queue

from balabaqsha.health import worker
from balabaqsha.metrics import tasks as _counted  # noqa: F401 - it counts by signals
from balabaqsha.queues import ORDINARY, QUEUES, ROUTES
from balabaqsha.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balabaqsha.settings")

app = Celery("balabaqsha", task_cls="balabaqsha.periodic:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = SCHEDULE
app.conf.task_default_queue = ORDINARY
app.conf.task_queues = [Queue(name) for name in QUEUES]  # type: ignore[no-untyped-call]
# One router, which knows an order.
app.conf.task_routes = (ROUTES,)
app.steps["consumer"].add(worker.Heartbeats)
app.steps["worker"].add(worker.Farewell)


@signals.celeryd_init.connect
def refuse_a_pool(**_kwargs: Any) -> None:
    """A worker holds locks for longer than a transaction (`notifications.alone`), which a pool would lose."""
    if settings.DATABASE_POOLED:
        raise SystemExit(
            "A worker needs connections of its own: unset DATABASE_POOLED, name the database in DATABASE_URL."
        )


@signals.worker_before_create_process.connect
def share_memory(**_kwargs: Any) -> None:
    """Let a worker's processes share the memory of the one that forks them: the collector walks none of it any more."""
    if ORDINARY in app.amqp.queues.consume_from:
        # It makes papers. WeasyPrint takes most of a second and 30 MB, of which who only delivers is spared.
        import_module("applications.referrals.paper")
    gc.collect()
    gc.freeze()
