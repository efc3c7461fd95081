"""The Celery app: its schedule, its queues, and the signs of life of its processes."""

import os

from celery import Celery
from kombu.entity import Queue

from balabaqsha.health import worker
from balabaqsha.queues import ORDINARY, QUEUES, ROUTES
from balabaqsha.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balabaqsha.settings")

app = Celery("balabaqsha")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = SCHEDULE
app.conf.task_default_queue = ORDINARY
app.conf.task_queues = [Queue(name) for name in QUEUES]  # type: ignore[no-untyped-call]
app.conf.task_routes = ROUTES
app.steps["consumer"].add(worker.Heartbeats)
app.steps["worker"].add(worker.Farewell)
