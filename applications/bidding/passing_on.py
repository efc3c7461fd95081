"""A seat is given back: after an award by number it stays taken and goes to the next of the vacancy's bidders."""

from datetime import datetime

from django.db.models import QuerySet

from applications.models import Application, Bid, Offer
from applications.states import ApplicationState, BidState, OfferState
from bulletin import seats
from bulletin.closings import is_closed
from bulletin.models import Vacancy
from notifications.broker import wake_soon_on_commit

PASSING_TASK = "applications.tasks.pass_on_offers"
# Whom a place of this vacancy is not offered again: they have had their choice.
_CHOSEN = (OfferState.ACCEPTED, OfferState.DECLINED, OfferState.UNANSWERED)


def give_back(vacancy: Vacancy, *, now: datetime) -> None:
    """Give back a taken seat of a locked vacancy.

    Where places were given by number and a bidder of that award still waits, it stays taken, and a worker offers it
    to the next in order. Otherwise it is free; while the award has not ended all bids, the award gives it. Where the
    group closes, nobody is offered it.
    """
    if _is_passed_on(vacancy):
        Offer.objects.create(vacancy=vacancy, freed_at=now)
        wake_soon_on_commit(PASSING_TASK)
    else:
        seats.release(vacancy)


def _is_passed_on(vacancy: Vacancy) -> bool:
    if vacancy.awarded_at is None or vacancy.state == Vacancy.State.RECALLED:
        return False
    if is_closed(vacancy.group):
        return False
    collected = Bid.objects.filter(vacancy=vacancy, state=BidState.PENDING, holds_seat=False)
    return not collected.exists() and next_bidders(vacancy).exists()


def next_bidders(vacancy: Vacancy) -> QuerySet[Application]:
    """The waiting applications that got no place in the vacancy's award and have not had one offered since.

    Whoever considers another offer is left out, too. In no order.
    """
    lost = Bid.objects.filter(vacancy=vacancy, state=BidState.LOST)
    asked = Offer.objects.filter(vacancy=vacancy, state__in=_CHOSEN, application__isnull=False)
    considering = Offer.objects.filter(state=OfferState.OFFERED)
    return (
        Application.objects.filter(state=ApplicationState.WAITING, pk__in=lost.values("application"))
        .exclude(pk__in=asked.values("application"))
        .exclude(pk__in=considering.values("application"))
        .select_related("locality", "child")
        .prefetch_related("bids")
    )
