"""The bulletin as families ask for it: which places are listed, in which order, and to whom they are available.

A board is read once a second under each set of filters. Whom its places suit is then asked of it by every family
that looks, without the database: thousands do in the minute before an opening.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple
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
    """A waiting application, as far as it decides which places are available to it."""

    locality_id: int
    birth_year: int
    languages: Sequence[str]
    tier: int
    filed_at: datetime
    sequence: int
    refused_by: Collection[str]


class Head(NamedTuple):
    """A listed place in its priority window: its position, for whom it is, and how far into their queue."""

    position: int
    suit: Suit
    cutoffs: Sequence[PriorityCutoff]


@dataclass(frozen=True)
class Board:
    """The places of one list at one instant; a position is an index of `vacancies`, the ids in the list's order."""

    vacancies: Sequence[str]
    open: Sequence[int]
    open_by_suit: Mapping[Suit, Sequence[int]]
    heads: Sequence[Head]

    def available(self, family: Sequence[Waiting]) -> Sequence[int]:
        """The positions, in order, for which `eligibility.why_not` is None for at least one of the family."""
        if len(family) == 1:
            return self._available(family[0])
        return sorted({position for one in family for position in self._available(one)})

    def _available(self, one: Waiting) -> Sequence[int]:
        found_in = [positions for suit, positions in self.open_by_suit.items() if mismatch(one, suit) is None]
        found_in.append([head.position for head in self.heads if _is_in_the_head(one, head)])
        found = _merged(found_in)
        return [at for at in found if self.vacancies[at] not in one.refused_by] if one.refused_by else found


def holds(positions: Sequence[int], position: int) -> bool:
    """Whether sorted positions hold this one; of ten thousand it looks at a dozen."""
    at = bisect_left(positions, position)
    return at < len(positions) and positions[at] == position


def _merged(lists: Sequence[Sequence[int]]) -> Sequence[int]:
    """The sorted lists as one. Most families match one list, which may be long: it is not copied."""
    filled = [positions for positions in lists if positions]
    return filled[0] if len(filled) == 1 else sorted(chain(*filled))


_boards: Moment[Board] = Moment(room=10)


def board(*, now: datetime, **filters: Any) -> Board:
    """The board of all that `published_vacancies` lists at `now` under these filters; read once in a second."""
    return _boards.get(tuple(sorted(filters.items())), now=now, make=lambda: _read(filters, now=now))


def waiting(family: Iterable[Application]) -> list[Waiting]:
    """Those of the applications that wait and may bid, as a board needs them. Prefetch `bids` for several."""
    return [
        Waiting(
            one.locality_id,
            one.birth_year,
            one.languages,
            one.tier,
            one.filed_at,
            one.sequence,
            {str(bid.vacancy_id) for bid in one.bids.all() if bid.state == BidState.REJECTED},
        )
        for one in family
        if one.state == ApplicationState.WAITING and one.asker_may_choose
    ]


def _read(filters: dict[str, Any], *, now: datetime) -> Board:
    # Ids and years as texts, in portions: of ten thousand places, objects would take most of the time and the memory.
    years = Cast("birth_years", CharField())
    listed = published_vacancies(**filters, now=now).values_list(
        Cast("pk", CharField()), "group__kindergarten__locality_id", years, "group__language", "phase_now"
    )
    vacancies: list[str] = []
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for position, (pk, *suit_and_phase) in enumerate(listed.iterator(chunk_size=1000)):
        vacancies.append(pk)
        alike[tuple(suit_and_phase)].append(position)
    open_by_suit: dict[Suit, list[int]] = {}
    in_window: list[tuple[int, Suit]] = []
    for (locality_id, years_text, language, phase_now), positions in alike.items():
        suit = Suit(locality_id, tuple(map(int, years_text.strip("{}").split(","))), language)
        if phase_now == Phase.OPEN:
            open_by_suit[suit] = positions
        elif phase_now == Phase.PRIORITY:
            in_window += [(position, suit) for position in positions]
    cutoffs = _cutoffs([vacancies[position] for position, _ in in_window])
    return Board(
        vacancies=vacancies,
        open=sorted(chain(*open_by_suit.values())),
        open_by_suit=open_by_suit,
        heads=[Head(position, suit, cutoffs[vacancies[position]]) for position, suit in in_window],
    )


def _cutoffs(vacancies: Sequence[str]) -> dict[str, list[PriorityCutoff]]:
    found: dict[str, list[PriorityCutoff]] = {pk: [] for pk in vacancies}
    for cutoff in PriorityCutoff.objects.filter(vacancy__in=map(UUID, vacancies)) if vacancies else ():
        found[str(cutoff.vacancy_id)].append(cutoff)
    return found


def _is_in_the_head(one: Waiting, head: Head) -> bool:
    return mismatch(one, head.suit) is None and is_inside(one, head.cutoffs)
