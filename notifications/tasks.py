"""A worker's tasks for the outbox; woken after each commit, and by the beat in case a wake-up was lost.

Every task of this module but the one that asks for reports is of the worker that only delivers (`balabaqsha.queues`).
"""

from celery import shared_task

from notifications import reports
from notifications.clock import read_clock
from notifications.delivery import LEASE, deliver_due, deliver_mails


@shared_task(name="notifications.tasks.deliver_due_messages", time_limit=LEASE.seconds - 10)
def deliver_due_messages() -> None:
    """Send what is due; killed before the lease of its last message could end."""
    deliver_due(now=read_clock())


@shared_task(name="notifications.tasks.deliver_due_mails", time_limit=LEASE.seconds - 10)
def deliver_due_mails() -> None:
    """The same for e-mails: a mail server that is slow delays no SMS."""
    deliver_mails(now=read_clock())


@shared_task(name=reports.REPORTS_TASK, time_limit=120)
def ask_for_reports() -> None:
    """Ask the gateways what became of the SMS that they took."""
    reports.ask_for_reports(now=read_clock())
