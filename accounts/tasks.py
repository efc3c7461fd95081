"""Sweeps of the accounts; each is idempotent."""

from celery import shared_task
from django.utils import timezone

from accounts import sms_codes


@shared_task
def prune_sms_codes() -> None:
    """Delete the hashes of SMS codes a day after they expired."""
    sms_codes.prune(now=timezone.now())
