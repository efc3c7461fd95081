"""What changing locality would do to an application's date and number, shown beforehand."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime

from applications.models import Application
from applications.queue.position import position
from applications.rules.in_force import rules_at
from bulletin.models import Locality


@dataclass(frozen=True)
class Comparison:
    """An application's number here and, if it changed locality now, there."""

    locality: Locality
    keeps_date: bool
    filed_at: datetime
    number_here: int
    number_there: int


def keeps_date(locality: Locality, *, now: datetime) -> bool:
    """Whether a family that moves to `locality` keeps the date of filing, by the rules in force there."""
    return rules_at(locality, now).moving_keeps_date


def compare(application: Application, locality: Locality, *, now: datetime) -> Comparison:
    """The number of a waiting application now, and the one it would have in the queue of `locality`; saves nothing."""
    kept = keeps_date(locality, now=now)
    moved = copy(application)
    moved.locality = locality
    moved.filed_at = application.filed_at if kept else now
    here, there = position(application, now=now), position(moved, now=now)
    # Whoever waits holds a number.
    assert here is not None
    assert there is not None
    return Comparison(
        locality=locality,
        keeps_date=kept,
        filed_at=moved.filed_at,
        number_here=here.number,
        number_there=there.number,
    )
