"""Delete the hashes of SMS codes a day after they expired."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import sms_codes
from notifications.clock import read_clock


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Deleted: {sms_codes.prune(now=read_clock())}")
