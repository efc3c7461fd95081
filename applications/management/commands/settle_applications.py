"""`manage.py settle_applications`: end whatever of an application ran out."""

from typing import Any

from django.core.management.base import BaseCommand

from applications.jobs import deadlines
from notifications.clock import read_clock


class Command(BaseCommand):
    help = (
        "End the referrals, stops, benefits and unconfirmed applications whose last day is over, and those of children "
        "of school age. Runs every minute by itself; safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{deadlines.settle_what_ran_out(now=read_clock())} done")
