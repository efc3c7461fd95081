"""How many places of a group are taken or promised, school year by school year.

Children counted for a school year, and on top of them everything that has been promised for that school year or an
earlier one and is not in the count: places in the bulletin, bids and referrals under way, contracts signed later or
for a later school year than the one counted. Where a school year has no count, that of the one before is carried on,
with all that has been promised since: nobody is taken to have left unless somebody counted. A vacancy belongs to the
school year in which its places can first be taken.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet

from applications.models import Contract, Headcount
from applications.places.enrolled import Stay, gone_at, in_groups, stays
from applications.states import BidState, ProposalState
from bulletin.models import Group, Vacancy
from bulletin.opening import Phase, phase
from bulletin.school_years import school_year
from bulletin.selectors import with_pauses

_CONTRACTS_OF: Final = (Path(__file__).parent / "contracts_of.sql").read_text()


@dataclass(frozen=True)
class Counted:
    """An approved count of a group's children."""

    school_year: int
    children: int
    at: datetime

    def holds(self, signed_at: datetime, *, year: int) -> bool:
        """Whether a contract for a school year, signed at an instant, is in the count: who comes later is not."""
        return year <= self.school_year and signed_at <= self.at


@dataclass(frozen=True)
class Promised:
    """What one vacancy promises: its free places, bids and referrals; and when its contracts were signed.

    `left`: of the contracts that have ended, when each was signed, and from when on no count holds it.
    """

    school_year: int
    places: int
    signed: tuple[datetime, ...] = ()
    left: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True)
class Occupancy:
    """What a group holds from one school year on, up to the next one that has a count of its own (None: for good)."""

    since: int | None
    until: int | None
    children: int
    promised: int

    @property
    def total(self) -> int:
        return self.children + self.promised

    def concerns(self, year: int) -> bool:
        """Whether what is promised for a school year takes a place in this one: in its own, and in all later ones."""
        return self.until is None or year < self.until


def reckon(counts: Iterable[Counted], promises: Sequence[Promised]) -> list[Occupancy]:
    """What a group holds, the earliest school year first; one row at least. Pure.

    `counts` hold one count for each school year at most.
    """
    rows: list[Occupancy] = []
    until: int | None = None
    for count in sorted(counts, key=lambda one: one.school_year, reverse=True):
        rows.append(_row(count, until=until, promises=promises))
        until = count.school_year
    if until is None or any(one.school_year < until for one in promises):
        rows.append(_row(None, until=until, promises=promises))
    return rows[::-1]


def _row(count: Counted | None, *, until: int | None, promises: Iterable[Promised]) -> Occupancy:
    """What a count (None: nobody has counted) and the promises besides it come to, up to the school year `until`."""
    return Occupancy(
        count.school_year if count else None,
        until,
        count.children if count else 0,
        sum(_besides(count, one) for one in promises if until is None or one.school_year < until),
    )


def _besides(count: Counted | None, promised: Promised) -> int:
    if count is None:
        return promised.places + len(promised.signed)
    year = promised.school_year
    came_later = sum(not count.holds(at, year=year) for at in promised.signed)
    # Whoever was counted and has left since.
    left = sum(count.holds(at, year=year) and count.at < gone for at, gone in promised.left)
    return promised.places + came_later - left


def place_day(vacancy: Vacancy) -> date:
    """The local day on which a place of the vacancy can first be taken."""
    return vacancy.locality.day(max(vacancy.vacant_from, vacancy.opens_at))


def room(capacity: int, occupancies: Iterable[Occupancy], *, year: int) -> int:
    """How many more places can be promised for a school year; negative where too many are. Pure."""
    return min(capacity - one.total for one in occupancies if one.concerns(year))


def occupancies_of(
    groups: Iterable[Group] | None,
    *,
    now: datetime,
    without: Vacancy | None = None,
    anew: Mapping[int, Counted] | None = None,
) -> dict[int, list[Occupancy]]:
    """What each group (None: all that have anything) holds at `now`, by its key. Five statements, or six.

    Published vacancies promise all their places until they are over, by the clock of bidding; those that are over, the
    places that a bid, a referral or a contract holds. `without` leaves a vacancy out; `anew` are counts as if they had
    been made, by the group's key.
    """
    vacancies = Vacancy.objects.exclude(state=Vacancy.State.DRAFT)
    counts = Headcount.objects.filter(state=ProposalState.APPROVED)
    if groups is not None:
        keys = [group.pk for group in groups]
        vacancies, counts = vacancies.filter(group__in=keys), counts.filter(group__in=keys)
    if without is not None:
        vacancies = vacancies.exclude(pk=without.pk)
    promised = _promises(vacancies, now=now)
    for group_id, one in _of_who_moved(None if groups is None else keys):
        if groups is None or group_id in keys:
            promised[group_id].append(one)
    counted: dict[int, dict[int, Counted]] = defaultdict(dict)
    for count in counts.order_by("counted_at", "pk"):
        counted[count.group_id][count.school_year] = Counted(
            count.school_year, count.children, count.counted_at
        )
    for group_id, one_anew in (anew or {}).items():
        counted[group_id][one_anew.school_year] = one_anew
    found = {*promised, *counted} if groups is None else keys
    return {key: reckon(counted[key].values(), promised[key]) for key in found}


def _promises(vacancies: QuerySet[Vacancy], *, now: datetime) -> dict[int, list[Promised]]:
    collected = Count("bids", filter=Q(bids__state=BidState.PENDING, bids__holds_seat=False))
    rows: QuerySet[Any] = with_pauses(
        vacancies.select_related("group__kindergarten__locality").annotate(collected=collected)
    )
    found = {vacancy.pk: vacancy for vacancy in rows.order_by()}
    signed: dict[UUID, list[datetime]] = defaultdict(list)
    left: dict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_CONTRACTS_OF, [list(found)])
        for vacancy_id, holds_seat, signed_at, left_on, ended_at, moved_at in cursor.fetchall():
            if holds_seat:
                signed[vacancy_id].append(moved_at or signed_at)
            if left_on is not None and moved_at is None:
                zone = found[vacancy_id].locality.zone
                gone = gone_at(left_on=left_on, ended_at=ended_at, zone=zone)
                left[vacancy_id].append((signed_at, gone))
    promised: dict[int, list[Promised]] = defaultdict(list)
    for vacancy in found.values():
        contracts_of = tuple(signed[vacancy.pk])
        promised[vacancy.group_id].append(
            Promised(
                school_year(place_day(vacancy)),
                _places(vacancy, collected=vacancy.collected, now=now) - len(contracts_of),
                contracts_of,
                tuple(left[vacancy.pk]),
            )
        )
    return promised


def _of_who_moved(keys: Iterable[int] | None) -> Iterator[tuple[int, Promised]]:
    """What children promise who have moved from one group to another, group by group.

    A place of its own vacancy is counted with that. What a count of an earlier group holds is taken out of it.
    """
    contracts = Contract.objects.filter(transfers__isnull=False)
    if keys is not None:
        contracts = contracts.filter(Q(transfers__source__in=keys) | Q(transfers__target__in=keys))
    for contract, year, stay in _stays_of(contracts):
        if stay.until is not None:
            yield stay.group_id, Promised(year, 0, left=((stay.since, stay.until),))
        elif not contract.referral.bid.holds_seat:
            yield stay.group_id, Promised(year, 0, (stay.since,))


def _stays_of(contracts: QuerySet[Contract]) -> Iterator[tuple[Contract, int, Stay]]:
    """Where children have been by their contracts, each stay with the first school year that it takes a place in."""
    place = "referral__bid__vacancy__group__kindergarten__locality"
    for contract in contracts.select_related(place).prefetch_related("transfers").distinct():
        vacancy = contract.referral.bid.vacancy
        zone, first_year, gone = vacancy.locality.zone, school_year(place_day(vacancy)), None
        if contract.left_on is not None and contract.ended_at is not None:
            gone = gone_at(left_on=contract.left_on, ended_at=contract.ended_at, zone=zone)
        moves = [(one.at, one.target_id) for one in contract.transfers.all()]
        for stay in stays(vacancy.group_id, signed_at=contract.signed_at, moves=moves, ended_at=gone):
            year = first_year
            if stay.since != contract.signed_at:
                year = max(first_year, school_year(stay.since.astimezone(zone).date()))
            yield contract, year, stay


def counted_without_contract(groups: QuerySet[Group], *, year: int) -> int:
    """How many children that the newest counts up to a school year hold have no contract here. Three statements."""
    keys = groups.order_by().values("pk")
    approved = Headcount.objects.filter(group__in=keys, state=ProposalState.APPROVED, school_year__lte=year)
    newest = approved.order_by("group_id", "-school_year", "-counted_at", "-pk").distinct("group_id")
    counts = {one.group_id: one for one in newest}
    by_contract: dict[int, int] = defaultdict(int)
    passed_through = Q(transfers__source__in=keys) | Q(transfers__target__in=keys)
    for _contract, first_year, stay in _stays_of(Contract.objects.filter(in_groups(keys) | passed_through)):
        count = counts.get(stay.group_id)
        if count and first_year <= count.school_year and stay.includes(count.counted_at):
            by_contract[stay.group_id] += 1
    return sum(max(count.children - by_contract[key], 0) for key, count in counts.items())


def signed_contracts(groups: Iterable[Group]) -> dict[tuple[int, int], list[datetime]]:
    """When the contracts of groups were signed, by the group's key and the school year they are for. One statement.

    Of a child who came from another group: when it came.
    """
    signed: dict[tuple[int, int], list[datetime]] = defaultdict(list)
    for contract, year, since in _running(Contract.objects.filter(in_groups([group.pk for group in groups]))):
        signed[contract.group.pk, year].append(since)
    return signed


def group_of_each(children: Iterable[str], *, now: datetime) -> dict[str, Group]:
    """The group in which each of these children has a contract by now, by the hashes of their IINs. One statement."""
    of_them = Contract.objects.filter(referral__application__child__iin_hash__in=list(children))
    return {
        contract.referral.application.child.iin_hash: contract.group
        for contract, year, _since in _running(of_them.select_related("referral__application__child"))
        if year <= school_year(contract.group.kindergarten.locality.day(now))
    }


def _running(contracts: "QuerySet[Contract]") -> Iterator[tuple[Contract, int, datetime]]:
    """Those that have not ended, each with the school year it is for and since when the child is in its group."""
    rows = contracts.filter(ended_at=None).annotate(moved_at=Max("transfers__at"))
    for contract in rows.select_related(
        "moved_to__kindergarten__locality", "referral__bid__vacancy__group__kindergarten__locality"
    ):
        vacancy, moved_at = contract.referral.bid.vacancy, contract.moved_at
        year = school_year(place_day(vacancy))
        if moved_at is not None:
            year = max(year, school_year(vacancy.locality.day(moved_at)))
        yield contract, year, moved_at or contract.signed_at


def _places(vacancy: Vacancy, *, collected: int, now: datetime) -> int:
    """The places of a vacancy that somebody has, or may still get."""
    now_in = phase(vacancy, now=now)
    if now_in not in (Phase.CLOSED, Phase.RECALLED):
        return vacancy.seats_total
    is_to_award = vacancy.is_collected and now_in == Phase.CLOSED
    return vacancy.seats_taken + (min(vacancy.seats_free, collected) if is_to_award else 0)


def lock_places(group_id: int, *, now: datetime) -> Group:
    """The group as it is now, its row locked: while it is, nobody else promises places of it.

    Presses under way for a vacancy whose time is over have ended then, so that what they took is counted. Lock a draft
    of the group first, if you publish one. Call it in `locking()`.
    """
    return lock_places_of([group_id], now=now)[group_id]


def lock_places_of(group_ids: Collection[int], *, now: datetime) -> dict[int, Group]:
    """Several groups as they are now, by their keys, locked as by `lock_places`: first all of them, in their order."""
    rows = Group.objects.filter(pk__in=group_ids).select_for_update(of=("self",), no_key=True)
    groups = {one.pk: one for one in rows.select_related("kindergarten__locality").order_by("pk")}
    over = Vacancy.objects.filter(group__in=groups, state=Vacancy.State.PUBLISHED, closes_at__lte=now)
    list(over.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    return groups


@dataclass(frozen=True)
class OverPromised:
    """A group of which more is taken and promised than there is room for, in the school years that are not over."""

    group: Group
    occupancy: Occupancy

    @property
    def excess(self) -> int:
        return self.occupancy.total - self.group.capacity


def over_promised(groups: Iterable[Group] | None = None, *, now: datetime) -> list[OverPromised]:
    """Those of `groups` (None: of all) that are over-promised, in the order of their keys.

    Reads all vacancies and contracts there ever were of them.
    """
    found = occupancies_of(groups, now=now)
    rows = Group.objects.filter(pk__in=found).select_related("kindergarten__locality").order_by("pk")
    return [
        OverPromised(group, one)
        for group in rows
        for one in found[group.pk]
        if one.total > group.capacity and one.concerns(school_year(group.kindergarten.locality.day(now)))
    ]
