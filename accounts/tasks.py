"""Sweeps of the accounts; each is idempotent."""

from celery import shared_task

from accounts import sms_codes, stored_files
from notifications.clock import read_clock


@shared_task
def prune_sms_codes() -> None:
    """Delete the hashes of SMS codes a day after they expired."""
    sms_codes.prune(now=read_clock())


@shared_task
def sweep_files() -> None:
    """Delete the stored files that no row names any more."""
    stored_files.sweep_orphans()
