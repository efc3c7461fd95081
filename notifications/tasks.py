"""A worker's tasks for the outbox; woken after each commit, and by the beat in case a wake-up was lost."""

from celery import shared_task

from notifications.clock import read_clock
from notifications.delivery import LEASE, deliver_due


@shared_task(name="notifications.tasks.deliver_due_messages", time_limit=LEASE.seconds - 10)
def deliver_due_messages() -> None:
    """Send what is due; killed before the lease of its last message could end."""
    deliver_due(now=read_clock())
