"""`manage.py lift_stops`: return the applications whose stop is over."""

from typing import Any

from django.core.management.base import BaseCommand

from applications.jobs import deadlines
from notifications.clock import read_clock


class Command(BaseCommand):
    help = "Return the applications whose stop is over. Runs every minute by itself; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{deadlines.lift_stops(now=read_clock())} done")
