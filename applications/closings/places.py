"""The places that a closing has taken out of the bulletin, and that its undoing does not put back."""

from collections import Counter
from datetime import datetime

from django.db.models import F, Q

from applications.closings.ending import FREED, bids_ended_by, give_time_back, goes_on
from applications.closings.entries import closed_before
from applications.closings.touched import groups_of
from applications.models import Offer
from applications.places.occupancy import occupancies_of, place_day, room
from applications.undoing.kinds import may_return
from bulletin.closings import cut_short_by
from bulletin.models import Closing, Vacancy
from bulletin.school_years import school_year

_PLACE = "group__kindergarten__locality"


def stay_out(closing: Closing, *, now: datetime) -> list[tuple[Vacancy, int]]:
    """The vacancies that would not be in the bulletin again if it were undone at `now`; how many free places of each.

    As things stand: who applies elsewhere before leaves a place more. What was closed by hand before is none of them.
    """
    coming_back = Counter(
        bid.vacancy_id
        for bid, had_place in bids_ended_by(closing)
        if had_place and may_return(bid, bid.application)
    )
    offered = Counter(
        Offer.objects.filter(
            vacancy__closing=closing, state__in=FREED, ended_at__gte=F("vacancy__ended_at")
        ).values_list("vacancy", flat=True)
    )
    found = []
    for vacancy in Vacancy.objects.filter(closing=closing).select_related(_PLACE).order_by("pk"):
        free = vacancy.seats_free - coming_back[vacancy.pk] - offered[vacancy.pk]
        # Of this copy alone: nothing is stored.
        give_time_back(vacancy, now=now)
        if free > 0 and not goes_on(vacancy, now=now) and closed_before(vacancy) is None:
            found.append((vacancy, free))
    return found


def left_out(closing: Closing, *, now: datetime) -> list[tuple[Vacancy, int]]:
    """The vacancies that an undone closing took out of the bulletin, and nobody has published anew; the free places.

    No more than the group has room for; none where a draft waits, or was published since.
    """
    if closing.state != Closing.State.UNDONE:
        return []
    anew = Vacancy.objects.filter(Q(state=Vacancy.State.DRAFT) | Q(published_at__gte=closing.ended_at))
    ended = Vacancy.objects.filter(
        group__in=groups_of(closing).order_by(),
        state=Vacancy.State.CLOSED,
        closing=None,
        ended_at__in=[one.decided_at for one in (closing, *cut_short_by(closing))],
    ).exclude(group__in=anew.order_by().values("group"))
    vacancies = list(ended.select_related(_PLACE).order_by("pk"))
    held = occupancies_of([one.group for one in vacancies], now=now) if vacancies else {}
    found = []
    for vacancy in vacancies:
        year = school_year(place_day(vacancy))
        free = min(vacancy.seats_free, room(vacancy.group.capacity, held[vacancy.group_id], year=year))
        if free > 0:
            found.append((vacancy, free))
    return found
