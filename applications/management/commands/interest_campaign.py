"""`manage.py interest_campaign`: remind, lapse and close, as the yearly confirmation of interest demands now."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from applications.jobs import deadlines, telling
from applications.models import Application
from applications.waiting.campaigns import (
    ended_campaign_for,
    lapsed_beyond_grace,
    running_campaign_for,
    unconfirmed,
)
from bulletin.models import Locality
from notifications.clock import read_clock


class Command(BaseCommand):
    help = "Do what the yearly confirmation of interest demands now. Runs by itself; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only print whom it would touch.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = read_clock()
        if options["dry_run"]:
            self._foretell(now=now)
            return
        self.stdout.write(f"{telling.remind_interest(now=now)} reminded")
        self.stdout.write(f"{deadlines.settle_what_ran_out(now=now)} brought up to date")

    def _foretell(self, *, now: datetime) -> None:
        for locality in Locality.objects.all():
            running = running_campaign_for(locality, now=now)
            if running is not None:
                reminder = running.reminder(now=now)
                self.stdout.write(
                    f"{locality.slug}: asked until {running.last_day}, reminder today: {reminder or 'none'}"
                )
                self._list("not confirmed", unconfirmed(running, locality=locality))
            ended = ended_campaign_for(locality, now=now)
            if ended is not None:
                self.stdout.write(f"{locality.slug}: last asked until {ended.last_day}")
                self._list("would lapse", unconfirmed(ended, locality=locality))
        self._list("would be closed for good", lapsed_beyond_grace(now=now))

    def _list(self, what: str, applications: Iterable[Application]) -> None:
        numbers = [application.number for application in applications]
        self.stdout.write(f"  {what}: {len(numbers)}")
        for number in numbers:
            self.stdout.write(f"    {number}")
