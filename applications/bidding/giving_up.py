"""The place of a child who has left goes to another one only if the group has room beside all that is promised.

The place may have been promised anew already: a count of the children without this one made room for it.
"""

from datetime import datetime

from accounts import audit
from accounts.models import User
from applications.bidding.passing_on import give_back
from applications.models import Bid
from applications.moves import lock_vacancy
from applications.places.occupancy import lock_places
from applications.places.retaking import room_beside
from applications.states import BidState
from bulletin import seats, services
from bulletin.journal_actions import Action
from bulletin.models import Vacancy
from bulletin.opening import Phase, phase


def give_up_place(bid: Bid, *, actor: User, now: datetime) -> None:
    """Give back the seat of a bid whose contract has ended, and save the bid.

    Without room in the group nobody else gets it: it is not offered, and a vacancy in the bulletin has a place less, or
    is closed if it was the only one. The application is locked, the end of the contract saved. Locks the group, then
    the vacancy.
    """
    group = lock_places(bid.vacancy.group_id, now=now)
    vacancy = lock_vacancy(bid.vacancy_id)
    bid.holds_seat = False
    bid.save()
    # The seat is still taken, by nobody: it counts as promised, as it would be.
    if room_beside(vacancy, group, now=now) >= 0:
        give_back(vacancy, now=now)
    else:
        _take_out(vacancy, actor=actor, now=now)


def _take_out(vacancy: Vacancy, *, actor: User, now: datetime) -> None:
    is_promised_by_itself = _is_in_the_bulletin(vacancy, now=now) or _is_collected_for(vacancy)
    if is_promised_by_itself and vacancy.seats_total > 1:
        seats.withdraw(vacancy)
        _record(Action.PLACE_WITHDRAWN, vacancy, actor=actor, now=now)
        return
    if _is_in_the_bulletin(vacancy, now=now):
        services.end(vacancy, Vacancy.State.CLOSED, reason="", now=now)
        _record(Action.VACANCY_CLOSED, vacancy, actor=actor, now=now)
    seats.release(vacancy)


def _is_in_the_bulletin(vacancy: Vacancy, *, now: datetime) -> bool:
    return phase(vacancy, now=now) not in (Phase.CLOSED, Phase.RECALLED)


def _is_collected_for(vacancy: Vacancy) -> bool:
    """Whether the award would give a free place to somebody."""
    return Bid.objects.filter(vacancy=vacancy, state=BidState.PENDING, holds_seat=False).exists()


def _record(action: Action, vacancy: Vacancy, *, actor: User, now: datetime) -> None:
    audit.record(action, actor=actor, target=str(vacancy), about=vacancy, now=now)
