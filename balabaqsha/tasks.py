"""Periodic work for all apps; the schedule is in `balabaqsha.schedule`."""

from celery import shared_task

from balabaqsha import retention
from balabaqsha.health import incidents
from notifications.clock import read_clock


@shared_task
def purge_personal_data() -> None:
    retention.purge_personal_data(now=read_clock())


@shared_task
def watch_itself() -> None:
    """Note what stands still, for the status page."""
    incidents.watch(now=read_clock())
