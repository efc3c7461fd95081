"""The places that a closing has taken out of the bulletin, and that its undoing did not put back."""

from datetime import datetime

from django.db.models import Q

from applications.closings.touched import groups_of
from applications.places.occupancy import occupancies_of, place_day, room
from bulletin.closings import cut_short_by
from bulletin.models import Closing, Vacancy
from bulletin.school_years import school_year

_PLACE = "group__kindergarten__locality"


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
