"""Which places were full a moment ago: a memory of this process that saves ten thousand families a query each.

It never grants anything and forgets within a second, so that a place given back is on offer again. It knows nothing
about the user, and answers before the user is even loaded.

It can't know of a place that was given back and won again through another process within that second. If the winner
presses once more, through this process and before the second is over (a double click without scripts), the page says
that the place is full. The bid stands all the same: the page links to the family's applications, where it is shown as
sent, the notice comes within seconds, and the next press says that it is already sent. To know better, the memory would
have to ask the database, which it is there to avoid.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from applications.refusals import Refusal

Answer = TypeVar("Answer")

REMEMBERED_SECONDS = 1.0
# The page itself, including its list of other open places, may be a little older.
PAGE_SECONDS = 10.0
ROOM = 1000


@dataclass(frozen=True)
class _Full:
    until: float
    holders: frozenset[UUID]
    page: bytes
    page_made_at: float


class FullPlaces:
    """The answers for full vacancies, by vacancy and language. Safe to share among threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._full: dict[tuple[UUID, str], _Full] = {}

    def pass_through(
        self,
        vacancy_id: UUID,
        language: str,
        *,
        application_id: UUID,
        press: Callable[[], Answer],
        holders: Callable[[], Collection[UUID]],
        make_page: Callable[[], bytes],
    ) -> Answer | bytes:
        """The answer of `press`. While the place is known to be full, the page that says so, without pressing.

        An application that holds one of the places (`holders`, asked once the place was found full) is always let
        through: its second press must not be refused. The page is rendered again if the present one is older than
        `PAGE_SECONDS`.
        """
        known = self._full.get((vacancy_id, language))
        if known is not None and self.clock() < known.until and application_id not in known.holders:
            return known.page
        asked_at = self.clock()
        answer = press()
        if answer != Refusal.FULL:
            return answer
        if known is not None and asked_at < known.page_made_at + PAGE_SECONDS:
            page, made_at = known.page, known.page_made_at
        else:
            page, made_at = make_page(), self.clock()
        if len(self._full) >= ROOM:
            self._full.clear()
        # Counted from before the press: the place may have been given back since.
        until = asked_at + REMEMBERED_SECONDS
        self._full[vacancy_id, language] = _Full(until, frozenset(holders()), page, made_at)
        return page
