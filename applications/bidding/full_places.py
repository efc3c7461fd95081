"""Which places were full a moment ago: a memory of this process that saves ten thousand families a query each.

It never grants anything and forgets within a second, so that a place that was given back is on offer again. It knows
nothing of who is asking, and answers before anybody asks who that is.

What it can't know: a place that was given back and won again through another process within that second. If the winner
presses once more, through this process and before the second is over (a double click without scripts), it reads that
the place is full. The bid stands all the same: the page leads to the family's applications, where it is shown as sent,
the notice comes within seconds, and the next press says that it is already sent. To know better, the memory would have
to ask the database, which it is there to spare.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

REMEMBERED_SECONDS = 1.0
# The page itself, with the other open places on it, may be a little older.
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

    def page_for(self, vacancy_id: UUID, language: str, *, application_id: UUID) -> bytes | None:
        """What to answer at once; None where the database must be asked.

        The database is always asked for an application that holds one of the places: its second press is no refusal.
        """
        known = self._full.get((vacancy_id, language))
        if known is None or self.clock() >= known.until or application_id in known.holders:
            return None
        return known.page

    def remember(
        self,
        vacancy_id: UUID,
        language: str,
        *,
        asked_at: float,
        holders: Collection[UUID],
        make_page: Callable[[], bytes],
    ) -> bytes:
        """The vacancy was full at `asked_at` (of `clock`) or later, and these applications held its places after.

        Returns the page that says so, made anew where the one at hand is older than `PAGE_SECONDS`.
        """
        known = self._full.get((vacancy_id, language))
        if known is not None and asked_at < known.page_made_at + PAGE_SECONDS:
            page, made_at = known.page, known.page_made_at
        else:
            page, made_at = make_page(), self.clock()
        if len(self._full) >= ROOM:
            self._full.clear()
        until = asked_at + REMEMBERED_SECONDS
        self._full[vacancy_id, language] = _Full(until, frozenset(holders), page, made_at)
        return page
