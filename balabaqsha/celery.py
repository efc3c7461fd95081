"""The Celery app: its schedule, and the signs of life of its processes."""

import os

from celery import Celery

from balabaqsha.health import worker
from balabaqsha.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balabaqsha.settings")

app = Celery("balabaqsha")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = SCHEDULE
app.steps["consumer"].add(worker.Heartbeats)
app.steps["worker"].add(worker.Farewell)
