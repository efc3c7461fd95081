"""Corrections of the queue by official decision: what one would change, and the public ledger of those made."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from django.db.models import QuerySet

from applications.models import Correction, Event
from applications.states import CorrectionState, Move
from bulletin.models import Locality

LEDGER_CHUNK = 500


@dataclass(frozen=True)
class LedgerEntry:
    """One line of the public ledger; `locality` is where the application stood when it was corrected."""

    correction: Correction
    locality: Locality
    decided_on: date


def ledger() -> QuerySet[Correction]:
    """The corrections that were carried out, newest first."""
    return (
        Correction.objects.filter(state=CorrectionState.APPROVED)
        .select_related("application__locality")
        .order_by("-decided_at", "-id")
    )


def ledger_entries(corrections: Iterable[Correction]) -> Iterator[LedgerEntry]:
    """The lines for some corrections of `ledger`, in their order, read in pieces.

    The place comes from the event of the correction: the family may have changed locality since.
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
            assert correction.decided_at is not None  # as of every correction that was carried out
            yield LedgerEntry(correction, place, place.day(correction.decided_at))
