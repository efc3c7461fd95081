"""The bulletin as families ask for it: which places are listed, in which order, and to whom they are available.

A board is read once a second for each set of filters. It then tells every family that looks which places suit them,
without the database: thousands look in the minute before an opening.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, overload
from uuid import UUID

from django.db.models import CharField
from django.db.models.functions import Cast

from applications.bidding.eligibility import Suit, is_inside, mismatch
from applications.models import Application, PriorityCutoff
from applications.states import ApplicationState, BidState
from bulletin.moment import Moment
from bulletin.opening import Phase
from bulletin.selectors import published_vacancies


class Waiting(NamedTuple):
    """What of a waiting application decides which places are available to it."""

    locality_id: int
    birth_year: int
    languages: Sequence[str]
    tier: int
    filed_at: datetime
    sequence: int
    refused_by: Collection[str]


class Head(NamedTuple):
    """A listed place in its priority window: its index, whom it suits, and how far into the queue it is open."""

    nth: int
    suit: Suit
    cutoffs: Sequence[PriorityCutoff]


@dataclass(frozen=True)
class Board:
    """The places of one list at one instant. `vacancies` are the ids in the list's order; the rest are indices."""

    vacancies: Sequence[str]
    open: Sequence[int]
    open_by_suit: Mapping[Suit, Sequence[int]]
    heads: Sequence[Head]

    def available(self, family: Sequence[Waiting]) -> Sequence[int]:
        """The indices, in order, of the places for which at least one of the family may bid (`eligibility.why_not`)."""
        if len(family) == 1:
            return self._available(family[0])
        return sorted({index for one in family for index in self._available(one)})

    def _available(self, one: Waiting) -> Sequence[int]:
        found_in = [indices for suit, indices in self.open_by_suit.items() if mismatch(one, suit) is None]
        found_in.append([head.nth for head in self.heads if _is_in_the_head(one, head)])
        found = _merged(found_in)
        return [at for at in found if self.vacancies[at] not in one.refused_by] if one.refused_by else found


class MineFirst(Sequence[int]):
    """The indices below `size`, those of `mine` (sorted) before the others; only what is asked for is worked out."""

    def __init__(self, mine: Sequence[int], *, size: int) -> None:
        self._mine, self._size = mine, size

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> list[int]: ...
    def __getitem__(self, at: int | slice) -> int | list[int]:
        wanted = range(self._size)[at]
        return self._nth(wanted) if isinstance(wanted, int) else [self._nth(one) for one in wanted]

    def _nth(self, place: int) -> int:
        if place < len(self._mine):
            return self._mine[place]
        other = place - len(self._mine)
        # How many of `mine` stand before the index sought: each of them moves it on by one.
        return other + bisect_right(range(len(self._mine)), other, key=lambda at: self._mine[at] - at)


def holds(indices: Sequence[int], index: int) -> bool:
    """Whether this index is among the sorted ones; of ten thousand it looks at a dozen."""
    at = bisect_left(indices, index)
    return at < len(indices) and indices[at] == index


def _merged(lists: Sequence[Sequence[int]]) -> Sequence[int]:
    """The sorted lists merged. Most families match a single list, which may be long, so it is not copied."""
    filled = [indices for indices in lists if indices]
    return filled[0] if len(filled) == 1 else sorted(chain(*filled))


_boards: Moment[Board] = Moment(room=10)


def board(*, now: datetime, **filters: Any) -> Board:
    """The board of everything `published_vacancies` lists at `now` under these filters; read once a second."""
    return _boards.get(tuple(sorted(filters.items())), now=now, make=lambda: _read(filters, now=now))


def waiting(family: Iterable[Application]) -> list[Waiting]:
    """The applications that wait and may bid, in the form a board needs. Prefetch `bids` for several."""
    return [
        _as_waiting(one) for one in family if one.state == ApplicationState.WAITING and one.asker_may_choose
    ]


def _as_waiting(one: Application) -> Waiting:
    return Waiting(
        one.locality_id,
        one.birth_year,
        one.languages,
        one.tier,
        one.filed_at,
        one.sequence,
        {str(bid.vacancy_id) for bid in one.bids.all() if bid.state == BidState.REJECTED},
    )


def suiting_places(application: Application, *, now: datetime) -> list[str]:
    """The ids of the places that suit this application at `now`, in the order of the bulletin.

    For them it may bid while it waits and its reader may choose; with a bid under way, once that is withdrawn.
    """
    listed = board(locality=application.locality, birth_year=application.birth_year, now=now)
    return [listed.vacancies[at] for at in listed.available([_as_waiting(application)])]


def _read(filters: dict[str, Any], *, now: datetime) -> Board:
    # Ids and years as text, in chunks: for ten thousand places, objects would take most of the time and the memory.
    years = Cast("birth_years", CharField())
    listed = published_vacancies(**filters, now=now).values_list(
        Cast("pk", CharField()), "group__kindergarten__locality_id", years, "group__language", "phase_now"
    )
    vacancies: list[str] = []
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for index, (pk, *suit_and_phase) in enumerate(listed.iterator(chunk_size=1000)):
        vacancies.append(pk)
        alike[tuple(suit_and_phase)].append(index)
    open_by_suit: dict[Suit, list[int]] = {}
    in_window: list[tuple[int, Suit]] = []
    for (locality_id, years_text, language, phase_now), indices in alike.items():
        suit = Suit(locality_id, tuple(map(int, years_text.strip("{}").split(","))), language)
        if phase_now == Phase.OPEN:
            open_by_suit[suit] = indices
        elif phase_now == Phase.PRIORITY:
            in_window += [(index, suit) for index in indices]
    cutoffs = _cutoffs([vacancies[index] for index, _ in in_window])
    return Board(
        vacancies=vacancies,
        open=sorted(chain(*open_by_suit.values())),
        open_by_suit=open_by_suit,
        heads=[Head(index, suit, cutoffs[vacancies[index]]) for index, suit in in_window],
    )


def _cutoffs(vacancies: Sequence[str]) -> dict[str, list[PriorityCutoff]]:
    found: dict[str, list[PriorityCutoff]] = {pk: [] for pk in vacancies}
    for cutoff in PriorityCutoff.objects.filter(vacancy__in=map(UUID, vacancies)) if vacancies else ():
        found[str(cutoff.vacancy_id)].append(cutoff)
    return found


def _is_in_the_head(one: Waiting, head: Head) -> bool:
    return mismatch(one, head.suit) is None and is_inside(one, head.cutoffs)
