"""`manage.py rebuild_queue --check`: do the events lead to the queue as it is?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from applications.history import differences


class Command(BaseCommand):
    help = "Replay all events and compare with every application; exit 1 and name each difference if there is any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", required=True, help="only compare; nothing is changed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for difference in differences():
            found += 1
            self.stdout.write(difference)
        if found:
            raise CommandError(f"{found} differences", returncode=1)
        self.stdout.write("The events and the queue agree.")
