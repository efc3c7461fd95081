"""manage.py send_pending_messages: deliver the outbox now, without a worker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from notifications.clock import read_clock
from notifications.delivery import deliver_due, deliver_mails, deliver_pushes, deliver_telegrams
from notifications.outbox import due, mails_due, pushes_due, telegrams_due


class Command(BaseCommand):
    help = "Sends what the outbox holds and is due, as workers would. Safe to run beside workers, and twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count what is due.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            now = read_clock()
            waiting = (due(now=now), mails_due(now=now), telegrams_due(now=now), pushes_due(now=now))
            self.stdout.write(f"due: {sum(rows.count() for rows in waiting)}")
            return
        posts = (deliver_due, deliver_mails, deliver_telegrams, deliver_pushes)
        all_ways = [deliver(now=read_clock()) for deliver in posts]
        sent, put_off, given_up = (
            sum(getattr(counts, name) for counts in all_ways) for name in ("sent", "retried", "failed")
        )
        self.stdout.write(f"sent: {sent}, put off: {put_off}, given up: {given_up}")
