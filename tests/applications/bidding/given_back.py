"""A place that was given back after an award, as far as tests of other things need one."""

from applications.bidding.offers import offer_to_the_next
from applications.models import Bid, Offer
from applications.states import BidState
from bulletin.models import Vacancy


def offered_to(scene):
    """The offer of such a place to the manual's child, whose bid got none in the award."""
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(
        mode=Vacancy.Mode.QUEUE_ORDER, closes_at=scene.now, awarded_at=scene.now, seats_taken=1
    )
    Bid.objects.create(
        application=scene.application,
        vacancy=scene.vacancy,
        state=BidState.LOST,
        placed_at=scene.now,
        placed_by=scene.parent,
        decided_at=scene.now,
    )
    seeking = Offer.objects.create(vacancy=scene.vacancy, freed_at=scene.now)
    assert offer_to_the_next(seeking, now=scene.now)
    return Offer.objects.get(pk=seeking.pk)
