"""`manage.py rebuild_queue`: check the data behind the queue numbers against the events and a full count."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from applications.queue.buckets import bucket_differences, repair_buckets
from applications.queue.history import differences


class Command(BaseCommand):
    help = (
        "Replay all events and compare with every application, and count every bucket of the queue. "
        "Exit 1 and name each difference if there is any. Without --check, wrong buckets are counted anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        buckets = bucket_differences() if options["check"] else repair_buckets()
        found = [*differences(), *(f"bucket {bucket}" for bucket in buckets)]
        for difference in found:
            self.stdout.write(difference)
        if found:
            raise CommandError(f"{len(found)} differences", returncode=1)
        self.stdout.write("Events, queue and counts agree.")
