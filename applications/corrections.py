"""Corrections of the queue by official decision: what one would change, and the public ledger of those made."""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from django.db.models import Count, Q, QuerySet, Value

from applications.models import Application, Correction, Event
from applications.queue import ahead_by_tier, before, in_queue
from applications.rules.in_force import rules_for
from applications.states import QUEUED_STATES, CorrectionState, Move, Tier
from bulletin.models import Locality

LEDGER_CHUNK = 500


@dataclass(frozen=True)
class LedgerEntry:
    """One line of the public ledger; `locality` is where the application stood when it was corrected."""

    correction: Correction
    locality: Locality
    decided_on: date


def corrected_number(
    application: Application, *, filed_at: datetime, birth_year: int, now: datetime
) -> int | None:
    """The number that the application would hold with this time of filing and birth year; saves nothing.

    None where it holds none in its present state. Counts the queue it would stand in, in one statement.
    """
    if application.state not in QUEUED_STATES:
        return None
    corrected = copy(application)
    corrected.filed_at, corrected.birth_year = filed_at, birth_year
    tier = Tier(application.tier)
    others = in_queue(locality=application.locality, birth_year=birth_year).exclude(pk=application.pk)
    counted = others.aggregate(
        ahead=Count(Value(1), filter=Q(tier=tier) & before(corrected)),
        **{other.name: Count(Value(1), filter=Q(tier=other)) for other in Tier},
    )
    totals = {other: counted[other.name] + (other == tier) for other in Tier}
    day = now.astimezone(application.locality.zone).date()
    ahead = ahead_by_tier(
        tier,
        ahead_in_tier=counted["ahead"],
        totals=totals,
        general_per_priority=rules_for(application.locality, day=day).general_per_priority,
    )
    return 1 + sum(ahead.values())


def ledger() -> QuerySet[Correction]:
    """The corrections that were carried out, newest first."""
    return (
        Correction.objects.filter(state=CorrectionState.APPROVED)
        .select_related("application__locality")
        .order_by("-decided_at", "-id")
    )


def ledger_entries(corrections: Iterable[Correction]) -> Iterator[LedgerEntry]:
    """The lines for some corrections of `ledger`, in their order, read in pieces.

    The place comes from the event of the correction: the family may have moved since.
    """
    remaining = iter(corrections)
    while some := list(islice(remaining, LEDGER_CHUNK)):
        places = {
            event.data.get("correction"): event.locality
            for event in Event.objects.filter(
                move=Move.CORRECT, application__in={one.application_id for one in some}
            ).select_related("locality")
        }
        for correction in some:
            place = places.get(str(correction.pk), correction.application.locality)
            if correction.decided_at is not None:
                yield LedgerEntry(correction, place, correction.decided_at.astimezone(place.zone).date())
