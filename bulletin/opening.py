"""What a vacancy is at one instant: not open yet, for the head of the queue, for all, paused, full, over. Pure."""

from datetime import datetime
from typing import Protocol

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Phase(TextChoices):
    """The phase of a vacancy; the labels are the statuses of the bulletin."""

    DRAFT = "draft", _("Draft")
    ANNOUNCED = "upcoming", _("Opens later")
    PRIORITY = "priority", _("Available to the head of the queue")
    OPEN = "open", _("Available to all")
    PAUSED = "paused", _("Bidding is paused")
    FULL = "full", _("No places left")
    CLOSED = "closed", _("Closed")
    RECALLED = "recalled", _("Recalled")


# The phases in which bids may be sent (by those the phase admits).
BIDDING_PHASES = frozenset({Phase.PRIORITY, Phase.OPEN})


class HasOpening(Protocol):
    """What the rule needs to know; `bulletin.models.Vacancy` provides it."""

    state: str
    opens_at: datetime
    priority_until: datetime | None
    closes_at: datetime | None
    seats_total: int
    seats_taken: int

    @property
    def paused_since(self) -> datetime | None: ...


def bidding_clock(vacancy: HasOpening, *, now: datetime) -> datetime:
    """The clock for the vacancy's deadlines: it stands still while bidding is paused."""
    return now if vacancy.paused_since is None else min(now, vacancy.paused_since)


def phase(vacancy: HasOpening, *, now: datetime) -> Phase:
    """The phase of `vacancy` at `now`.

    Each instant belongs to the phase that begins there: at `opens_at` it is open, at `priority_until` it is open to
    everyone, at `closes_at` it is closed. A full vacancy is FULL in the priority window as well. During a pause no
    vacancy closes; one that would accept bids is PAUSED.
    """
    if vacancy.state != "published":
        return {"draft": Phase.DRAFT, "recalled": Phase.RECALLED, "closed": Phase.CLOSED}[vacancy.state]
    if vacancy.closes_at is not None and bidding_clock(vacancy, now=now) >= vacancy.closes_at:
        return Phase.CLOSED
    if now < vacancy.opens_at:
        return Phase.ANNOUNCED
    if vacancy.seats_taken >= vacancy.seats_total:
        return Phase.FULL
    if vacancy.paused_since is not None:
        return Phase.PAUSED
    if vacancy.priority_until is not None and now < vacancy.priority_until:
        return Phase.PRIORITY
    return Phase.OPEN


def open_to_all_at(vacancy: HasOpening, now_in: Phase) -> datetime | None:
    """When a place that is, or will first be, for the head of the queue opens to all; None where it never waits so."""
    return vacancy.priority_until if now_in in (Phase.ANNOUNCED, Phase.PRIORITY) else None
