"""What undoing a closing would give back, as things stand: in the order of giving, no more than there is room for."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F

from applications.closings.ending import FREED, bids_ended_by, give_time_back, goes_on
from applications.closings.entries import closed_before
from applications.closings.touched import groups_of
from applications.models import Bid, Contract, Offer
from applications.places.occupancy import Occupancy, occupancies_of, place_day, room
from applications.states import BidState
from applications.undoing.kinds import may_return
from bulletin.closings import covers, running
from bulletin.models import Closing, Group, Vacancy
from bulletin.school_years import school_year

_PLACE = "group__kindergarten__locality"


@dataclass
class Foreseen:
    """What would come back, what would not, and why; the bids in the order in which they are handled.

    `offers`: of each vacancy, how many places are offered to the next in the queue; `shown` and `stay_out`: the
    vacancies that would, and would not, be in the bulletin again, with their free places.
    """

    bids: list[Bid] = field(default_factory=list)
    referrals: list[Bid] = field(default_factory=list)
    without_room: list[Bid] = field(default_factory=list)
    elsewhere: list[Bid] = field(default_factory=list)
    offers: Counter[Vacancy] = field(default_factory=Counter)
    shown: list[tuple[Vacancy, int]] = field(default_factory=list)
    stay_out: list[tuple[Vacancy, int]] = field(default_factory=list)
    told: int = 0


def foresee(closing: Closing, *, now: datetime) -> Foreseen:
    """What undoing a running closing at `now` would do. Changes nothing."""
    found, rooms = Foreseen(), _Rooms(closing, now=now)
    collected: dict[Vacancy, list[Bid]] = defaultdict(list)
    for bid, had_place in bids_ended_by(closing):
        if bid.vacancy.state != Vacancy.State.RECALLED or _is_left_to_another(bid.vacancy, closing):
            continue
        if not may_return(bid, bid.application):
            found.elsewhere.append(bid)
        elif not had_place and bid.vacancy.closing_id == closing.pk:
            collected[bid.vacancy].append(bid)
        elif rooms.take(bid.vacancy) if had_place else rooms.beside(bid.vacancy) > 0:
            (found.bids if bid.state == BidState.VOID else found.referrals).append(bid)
        else:
            found.without_room.append(bid)
    for vacancy in Vacancy.objects.filter(closing=closing).select_related(_PLACE).order_by("pk"):
        _foresee_vacancy(found, rooms, vacancy, collected[vacancy], now=now)
    told = closing.told.filter(over_told_at=None, contract__ended_at=None)
    contracts = Contract.objects.filter(pk__in=told.values("contract")).select_related(
        "moved_to__kindergarten", f"referral__bid__vacancy__{_PLACE}"
    )
    found.told = sum(covers(closing, one.group) and not rooms.is_closed(one.group) for one in contracts)
    return found


def _foresee_vacancy(
    found: Foreseen, rooms: "_Rooms", vacancy: Vacancy, collected: list[Bid], *, now: datetime
) -> None:
    """As `ending` gives one vacancy back: its collected bids, its offers, then its free places."""
    if collected and rooms.beside(vacancy) <= 0:
        found.without_room += collected
        collected = []
    freed = Offer.objects.filter(vacancy=vacancy, state__in=FREED, ended_at__gte=F("vacancy__ended_at"))
    for _offer in range(freed.count()):
        if rooms.take(vacancy):
            found.offers[vacancy] += 1
    free, places = rooms.free(vacancy), max(rooms.beside(vacancy), 0)
    found.bids += collected
    if collected:
        # What still collects has made no offers, which would have taken this room.
        free = min(free, places)
    # Of this copy alone: nothing is stored.
    give_time_back(vacancy, now=now)
    if free <= 0 or closed_before(vacancy) is not None:
        return
    if goes_on(vacancy, now=now) and places >= free:
        rooms.promise(vacancy, free)
        found.shown.append((vacancy, free))
    elif places:
        found.stay_out.append((vacancy, min(free, places)))


def _is_left_to_another(vacancy: Vacancy, closing: Closing) -> bool:
    another = vacancy.closing if vacancy.closing_id != closing.pk else None
    return another is not None and another.state == Closing.State.UNDONE


class _Rooms:
    """How much room the groups have, less what has been given back so far."""

    def __init__(self, closing: Closing, *, now: datetime) -> None:
        groups = list(groups_of(closing))
        self._closing = closing
        self._others = [one for one in running(closing.kindergarten) if one.pk != closing.pk]
        self._held: dict[int, list[Occupancy]] = occupancies_of(groups, now=now) if groups else {}
        self._promised: dict[int, list[int]] = defaultdict(list)
        self._taken: Counter[Vacancy] = Counter()

    def is_closed(self, group: Group) -> bool:
        """Whether another closing holds a group closed."""
        return any(covers(one, group) for one in self._others)

    def beside(self, vacancy: Vacancy) -> int:
        """How many more places of its group can be promised for a vacancy's school year; none where it is closed."""
        if vacancy.closing_id not in (self._closing.pk, None) or self.is_closed(vacancy.group):
            return 0
        year, promised = _year_of(vacancy), self._promised[vacancy.group_id]
        concerned = [one for one in self._held[vacancy.group_id] if one.concerns(year)]
        return min(
            room(vacancy.group.capacity, [one], year=year) - sum(map(one.concerns, promised))
            for one in concerned
        )

    def free(self, vacancy: Vacancy) -> int:
        return vacancy.seats_free - self._taken[vacancy]

    def take(self, vacancy: Vacancy) -> bool:
        """Let one place be given, if the vacancy has one and its group has room for it."""
        is_there = self.beside(vacancy) > 0 and self.free(vacancy) > 0
        if is_there:
            self._taken[vacancy] += 1
            self.promise(vacancy, 1)
        return is_there

    def promise(self, vacancy: Vacancy, places: int) -> None:
        self._promised[vacancy.group_id] += [_year_of(vacancy)] * places


def _year_of(vacancy: Vacancy) -> int:
    return school_year(place_day(vacancy))
