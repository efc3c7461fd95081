"""manage.py send_pending_messages: deliver the outbox now, without a worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications.clock import read_clock
from notifications.delivery import deliver_due, deliver_mails
from notifications.outbox import due, mails_due


class Command(BaseCommand):
    help = "Sends the SMS and e-mails that are due, as a worker would. Safe to run beside workers, and twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count what is due.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            now = read_clock()
            self.stdout.write(f"due: {due(now=now).count() + mails_due(now=now).count()}")
            return
        both = deliver_due(now=read_clock()), deliver_mails(now=read_clock())
        sent, put_off, given_up = (
            sum(getattr(counts, name) for counts in both) for name in ("sent", "retried", "failed")
        )
        self.stdout.write(f"sent: {sent}, put off: {put_off}, given up: {given_up}")
