"""Sweeps of the accounts; each is idempotent."""

import logging

from celery import shared_task

from accounts import registry_data, sms_codes, stored_files, telegram
from accounts.data import exporting
from accounts.models import User
from accounts.numbers import moves
from notifications.clock import read_clock

logger = logging.getLogger(__name__)


@shared_task
def prune_sms_codes() -> None:
    """Delete the hashes of SMS codes, and of codes to other contacts, a day after they expired."""
    now = read_clock()
    sms_codes.prune(now=now)
    sms_codes.prune_contact_codes(now=now)


@shared_task
def move_numbers() -> None:
    """Complete the moves of numbers that are due."""
    moves.complete_due(now=read_clock())


@shared_task
def read_telegram() -> None:
    """Link the chats of those who have opened the bot by their link."""
    telegram.read_links(now=read_clock())


@shared_task
def make_exports() -> None:
    """Make the copies of their own data that people wait for, and delete those whose day is over."""
    exporting.make_due(now=read_clock())
    exporting.purge(now=read_clock())


@shared_task
def refresh_person(user_pk: str) -> None:
    """Bring a parent's data up to date with the registry, unless it was done meanwhile; its answer never fails it."""
    now, user = read_clock(), User.objects.filter(pk=user_pk, profile__isnull=False).first()
    if user is not None and registry_data.is_due(user.profile, now=now):
        registry_data.refresh_person(user, now=now)


@shared_task
def sweep_files() -> None:
    """Delete the stored files that no row names any more.

    Fails if these may be another database's files: the log says what to do, and the sweep is late.
    """
    try:
        stored_files.sweep_orphans()
    except stored_files.SweepRefused as refused:
        logger.error("%s", refused)
        raise
