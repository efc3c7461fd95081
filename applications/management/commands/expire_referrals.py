"""`manage.py expire_referrals`: end the referrals whose last day is over."""

from typing import Any

from django.core.management.base import BaseCommand

from applications.jobs import deadlines
from notifications.clock import read_clock


class Command(BaseCommand):
    help = "End the referrals whose last day is over. Runs every minute by itself; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{deadlines.expire_referrals(now=read_clock())} done")
