"""What the person registry says otherwise than an application."""

from datetime import datetime
from functools import partial

from applications.queue.birth_years import propose_registry_year, to_propose
from notifications.sweeps import sweep


def propose_registry_years(*, now: datetime) -> int:
    """Propose a correction for each application whose birth year is not the registry's. Returns how many."""
    return sweep(to_propose(), partial(propose_registry_year, now=now))
