from typing import Any

from django.core.management.base import BaseCommand, CommandError

from applications.jobs.invariants import differences


class Command(BaseCommand):
    help = "Compare places, bids, states, events and queue counts; names every difference and ends with 1 on any."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for difference in differences():
            self.stdout.write(difference)
            count += 1
        if count:
            raise CommandError(f"{count} differences")
        self.stdout.write("Everything agrees.")
