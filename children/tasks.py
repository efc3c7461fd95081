"""Sweeps of the children; each is idempotent."""

from celery import shared_task

from accounts.registry import get_registry
from children import rechecking
from notifications.clock import read_clock


@shared_task
def recheck_guardianships() -> None:
    """Ask the registry about the guardians whose month is over, as many as there is time for.

    A made-up registry knows only the people of the demo's desk: nobody loses a child by it.
    """
    if getattr(get_registry(), "simulated", False):
        return
    rechecking.recheck_portion(now=read_clock())
