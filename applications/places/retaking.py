"""A bid that had a place holds one again, if one is free: nothing is oversold, and nobody is displaced."""

from datetime import datetime

from applications.models import Bid
from applications.moves import lock_vacancy
from applications.places.occupancy import lock_places, occupancies_of, place_day, room
from applications.states import BidState
from bulletin import seats
from bulletin.closings import is_closed
from bulletin.models import Closing, Group, Vacancy
from bulletin.opening import Phase, phase
from bulletin.school_years import school_year


def take_back(bid: Bid, *, now: datetime) -> bool:
    """Let a bid hold a place of its vacancy again, if one is free (`is_place_free`); whether it holds one now.

    Locks the group, then the vacancy. The application is locked.
    """
    group = lock_places(bid.vacancy.group_id, now=now)
    vacancy = lock_vacancy(bid.vacancy_id)
    if not is_place_free(vacancy, group, now=now) or not seats.take(vacancy):
        return False
    bid.holds_seat, bid.vacancy = True, vacancy
    bid.save(update_fields=["holds_seat"])
    return True


def is_place_free(vacancy: Vacancy, group: Group, *, now: datetime) -> bool:
    """Whether a place that was given back can be taken again: nobody has it, is offered it, or waits for it by number.

    The places of a vacancy that is still in the bulletin are promised by it. Once it is over they may have been
    published anew: then the group must have room for one more. A recalled place is none, nor is one where it closes;
    where it has opened again since, the places that the closing recalled are like those of a vacancy that is over.
    """
    if not vacancy.seats_free or is_closed(group):
        return False
    if vacancy.state == Vacancy.State.RECALLED and not _is_reopened(vacancy.closing):
        return False
    if Bid.objects.filter(vacancy=vacancy, state=BidState.PENDING, holds_seat=False).exists():
        return False
    if phase(vacancy, now=now) not in (Phase.CLOSED, Phase.RECALLED):
        return True
    return room_beside(vacancy, group, now=now) > 0


def _is_reopened(closing: Closing | None) -> bool:
    return closing is not None and closing.state == Closing.State.REOPENED


def room_beside(vacancy: Vacancy, group: Group, *, now: datetime) -> int:
    """How many more places of the group can be promised for the school year of a vacancy; negative: too many are."""
    return room_in(group, year=school_year(place_day(vacancy)), now=now)


def room_in(group: Group, *, year: int, now: datetime) -> int:
    """How many more places of the group can be promised for a school year; negative: too many are."""
    return room(group.capacity, occupancies_of([group], now=now)[group.pk], year=year)
