"""Which places are for one child: those that suit its application and, of these, what its guardian has chosen."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from django.db.models import Q, QuerySet

from applications.bidding.eligibility import is_inside, mismatch, suit_of
from bulletin.mercator import distance
from bulletin.models import Kindergarten, Vacancy
from bulletin.on_map import in_words
from bulletin.opening import Phase
from bulletin.selectors import with_phase

# A place in these phases may still be had.
_TO_BE_HAD: Final = (Phase.ANNOUNCED, Phase.PRIORITY, Phase.OPEN, Phase.PAUSED)
# So many answers are remembered: most families ask the same.
_REMEMBERED: Final = 10_000
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Near(NamedTuple):
    """At most so many kilometres from a point (degrees), as the crow flies."""

    latitude: float
    longitude: float
    km: int

    def metres_to(self, kindergarten: Kindergarten) -> float | None:
        """How far a kindergarten is from the point; None where it is not on the map."""
        return distance((self.latitude, self.longitude), kindergarten.point) if kindergarten.point else None

    def admits(self, kindergarten: Kindergarten) -> bool:
        """Whether it lies within; one that is not on the map does: better told in vain than not at all."""
        metres = self.metres_to(kindergarten)
        return metres is None or metres <= self.km * 1000


class Wish(NamedTuple):
    """What decides which places somebody is told of: the application, as `eligibility.Seeker`, and what is chosen.

    `chosen_languages` are those among the application's languages, `chosen_kindergartens` those in its locality, and
    `near` counts around a point there. None is no limit, so whoever moves to another locality is told of all of its
    places and not of none.
    """

    locality_id: int
    birth_year: int
    languages: tuple[str, ...]
    tier: int
    filed_at: datetime
    sequence: int
    chosen_languages: tuple[str, ...] = ()
    chosen_kindergartens: tuple[int, ...] = ()
    near: Near | None = None


class Suiting(NamedTuple):
    """A place that suits, the instant from which this family may bid for it, and the metres from where it counts."""

    vacancy: Vacancy
    opens_at: datetime
    metres: float | None = None

    @property
    def away(self) -> str:
        """The distance in words of the language in force; empty where none is counted, or known."""
        return "" if self.metres is None else in_words(self.metres)


class Places:
    """Some vacancies, which tell every family which of them are for its child. Load them as `places_of` does.

    Thousands of families ask; those who ask alike get the same tuple.
    """

    def __init__(self, vacancies: Iterable[Vacancy]) -> None:
        self._of_queue: dict[tuple[int, int], list[Vacancy]] = defaultdict(list)
        self._cutoffs = {}
        for vacancy in sorted(vacancies, key=lambda one: (one.opens_at, one.pk)):
            self._cutoffs[vacancy.pk] = list(vacancy.cutoffs.all())
            for birth_year in vacancy.birth_years:
                self._of_queue[vacancy.locality.pk, birth_year].append(vacancy)
        self._suiting = lru_cache(_REMEMBERED)(self._find)
        self._timed = lru_cache(_REMEMBERED)(self._time)

    @property
    def localities(self) -> set[int]:
        return {locality for locality, _birth_year in self._of_queue}

    @property
    def birth_years(self) -> set[int]:
        return {birth_year for _locality, birth_year in self._of_queue}

    def suiting(self, wish: Wish) -> tuple[Suiting, ...]:
        """The places for `wish`, first the one that opens to it first."""
        # Without who asks: what is left is alike for most.
        asked = wish._replace(tier=0, filed_at=_LONG_AGO, sequence=0)
        behind = frozenset(
            vacancy.pk
            for vacancy in self._suiting(asked)
            if vacancy.priority_until is not None and not is_inside(wish, self._cutoffs[vacancy.pk])
        )
        return self._timed(asked, behind)

    def _find(self, asked: Wish) -> list[Vacancy]:
        narrowed = asked._replace(languages=asked.chosen_languages or asked.languages)
        return [
            vacancy
            for vacancy in self._of_queue.get((asked.locality_id, asked.birth_year), ())
            if mismatch(narrowed, suit_of(vacancy)) is None
            and (
                not asked.chosen_kindergartens or vacancy.group.kindergarten_id in asked.chosen_kindergartens
            )
            and (asked.near is None or asked.near.admits(vacancy.group.kindergarten))
        ]

    def _time(self, asked: Wish, behind: frozenset[object]) -> tuple[Suiting, ...]:
        """The same places, to a family that is behind the head of the queue for those in `behind`."""
        timed = [
            Suiting(
                one,
                _opens(one, is_behind=one.pk in behind),
                asked.near.metres_to(one.group.kindergarten) if asked.near else None,
            )
            for one in self._suiting(asked)
        ]
        return tuple(sorted(timed, key=lambda one: one.opens_at))


def _opens(vacancy: Vacancy, *, is_behind: bool) -> datetime:
    return vacancy.priority_until if is_behind and vacancy.priority_until else vacancy.opens_at


def places_of(vacancies: QuerySet[Vacancy], *, now: datetime) -> Places:
    """Those of `vacancies` for which bids are accepted at `now`, or will be."""
    return Places(to_be_had(vacancies, now=now).prefetch_related("cutoffs"))


def to_be_had(vacancies: QuerySet[Vacancy], *, now: datetime) -> QuerySet[Vacancy]:
    """The same as a query, each vacancy with its group, kindergarten and locality."""
    listed = with_phase(vacancies, now=now).filter(Q(phase_now__in=_TO_BE_HAD))
    return listed.select_related("group__kindergarten__locality")
