"""Periodic work for all apps; the schedule is in `balabaqsha.schedule`."""

from celery import shared_task

from balabaqsha import retention
from notifications.clock import read_clock


@shared_task
def purge_personal_data() -> None:
    retention.purge_personal_data(now=read_clock())
