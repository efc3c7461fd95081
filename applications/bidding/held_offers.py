"""The last day for the answer to an offer stands still while a guardian of the child is disputed."""

from datetime import datetime

from applications.journal_actions import Action
from applications.models import Application, Offer
from applications.moves import reckon, remind, trace
from applications.states import OfferState
from bulletin.calendar import day_after_standstill
from bulletin.workdays import end_of_day


def hold_offer(application: Application, *, now: datetime) -> None:
    """Let the last day of the open offer to a locked application stand still: not everybody may answer now."""
    offer = application.offers.filter(state=OfferState.OFFERED, held_since=None).first()
    if offer is not None and offer.is_open(now=now):
        Offer.objects.filter(pk=offer.pk).update(held_since=now)
        reckon(application, now=now)
        trace(application, Action.OFFER_HELD, actor=None, now=now)


def resume_offer(application: Application, *, now: datetime) -> None:
    """Let the held last day of the offer to a locked application count again; does nothing if none is held.

    The family gets the working days that were left when it was held, at least one, and never fewer than it was told.
    If the day changes, it is told the new one.
    """
    offer = application.offers.filter(held_since__isnull=False).select_related("vacancy").first()
    if offer is None:
        return
    assert offer.held_since is not None
    assert offer.until is not None
    place = application.locality
    before = place.last_day(offer.until)
    last_day = day_after_standstill(before, held_on=place.day(offer.held_since), today=place.day(now))
    offer.held_since = None
    if last_day > before:
        offer.until = end_of_day(last_day, place.zone)
        key = f"{offer.pk}:{now.isoformat()}"
        remind(application, "offer_moved", key=key, now=now, vacancy=offer.vacancy, last_day=last_day)
    offer.save(update_fields=["held_since", "until"])
    reckon(application, now=now)
    trace(application, Action.OFFER_RESUMED, actor=None, now=now)
