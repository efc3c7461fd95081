"""manage.py purge_personal_data: forget what the data policy promises to forget."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from balabaqsha.retention import purge_personal_data
from notifications.clock import read_clock


class Command(BaseCommand):
    help = "Deletes personal data whose time is over (the beat does it every night). Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would be deleted")

    def handle(self, *args: Any, dry_run: bool = False, **options: Any) -> None:
        self.stdout.write("Would delete:" if dry_run else "Deleted:")
        for name, count in purge_personal_data(now=read_clock(), dry_run=dry_run).items():
            self.stdout.write(f"  {name}: {count}")
