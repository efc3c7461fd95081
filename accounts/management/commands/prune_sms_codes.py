"""Delete the hashes of SMS codes a day after they expired."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import sms_codes


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Deleted: {sms_codes.prune(now=timezone.now())}")
