"""A worker's tasks for the outbox; woken after each commit, and by the beat in case a wake-up was lost.

Every task of this module but the one that asks for reports is of the worker that only delivers (`balabaqsha.queues`).
"""

from celery import shared_task

from notifications import reports
from notifications.broker import DELIVERY_TASK, MAIL_TASK, PUSH_TASK, TELEGRAM_TASK
from notifications.clock import read_clock
from notifications.delivery import LONGEST, deliver_due, deliver_mails, deliver_pushes, deliver_telegrams


@shared_task(name=DELIVERY_TASK, time_limit=LONGEST.seconds)
def deliver_due_messages() -> None:
    """Send what is due; killed if a gateway's class holds it for longer than any may."""
    deliver_due(now=read_clock())


@shared_task(name=MAIL_TASK, time_limit=LONGEST.seconds)
def deliver_due_mails() -> None:
    """The same for e-mails: a mail server that is slow delays no SMS."""
    deliver_mails(now=read_clock())


@shared_task(name=TELEGRAM_TASK, time_limit=LONGEST.seconds)
def deliver_due_telegrams() -> None:
    """The same for messages to Telegram."""
    deliver_telegrams(now=read_clock())


@shared_task(name=PUSH_TASK, time_limit=LONGEST.seconds)
def deliver_due_pushes() -> None:
    """The same for notices on screens."""
    deliver_pushes(now=read_clock())


@shared_task(name=reports.REPORTS_TASK, time_limit=120)
def ask_for_reports() -> None:
    """Ask the gateways what became of the SMS that they took."""
    reports.ask_for_reports(now=read_clock())
