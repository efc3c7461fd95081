"""manage.py send_pending_messages: deliver the outbox now, without a worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications.clock import read_clock
from notifications.delivery import deliver_due, due


class Command(BaseCommand):
    help = "Sends the SMS that are due, as a worker would. Safe to run beside workers, and twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count what is due.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self.stdout.write(f"due: {due(now=read_clock()).count()}")
            return
        counts = deliver_due(now=read_clock())
        self.stdout.write(f"sent: {counts.sent}, put off: {counts.retried}, given up: {counts.failed}")
