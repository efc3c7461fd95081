"""The public figures of the present: counts only, cached for a minute.

A function that takes a locality answers for all of them if it is None. What the last twelve months were like is told by
`applications.reports.published`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar

from django.db.models import Q, QuerySet

from applications.complaints import counts as counts_of_complaints
from applications.models import Contract
from applications.queue.position import queue_sizes
from applications.queue.small_groups import noun_number, rounded, told
from applications.reports.memory import remember
from bulletin.models import Locality
from bulletin.selectors import offer_totals

RECENT_DAYS = 30

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Headline:
    """The four figures of the home page, as they were counted at `as_of`."""

    kindergartens: int
    seats_free: int
    waiting: int
    enrolled: int
    # Of those waiting: the former queue's, whose families are not here yet.
    unclaimed: int = 0
    as_of: datetime | None = None

    @property
    def claimed_told(self) -> str:
        """How many of those waiting are in the portal already; empty where all are."""
        return told(self.waiting - self.unclaimed) if self.unclaimed else ""

    @property
    def waiting_told(self) -> str:
        return told(self.waiting)

    @property
    def waiting_noun(self) -> int:
        """For the form of the noun after `waiting_told`."""
        return noun_number(self.waiting)

    @property
    def enrolled_told(self) -> str:
        return told(self.enrolled_rounded)

    @property
    def enrolled_noun(self) -> int:
        """For the form of the noun after `enrolled_told`."""
        return noun_number(self.enrolled_rounded)

    @property
    def enrolled_rounded(self) -> int:
        """As in the tables, from which it could be taken away otherwise; one to four stay what they are."""
        return rounded(self.enrolled) or self.enrolled


@dataclass(frozen=True)
class YearOfQueue:
    """How many children born in one year wait."""

    birth_year: int
    waiting: int


@dataclass(frozen=True)
class PlaceOfQueue:
    """How many children wait in one locality."""

    locality: Locality
    waiting: int


def headline(locality: Locality | None, *, now: datetime) -> Headline:
    """Kindergartens, free places in the bulletin, families in the queue, contracts of the last thirty days."""
    return _remember("headline", locality, lambda: _headline(locality, now=now))


def waiting_by_year(locality: Locality | None) -> list[YearOfQueue]:
    """The queue by birth year, the youngest first."""
    return _remember("waiting_by_year", locality, lambda: _waiting_by_year(locality))


def waiting_by_locality() -> list[PlaceOfQueue]:
    """The queues of all localities, including empty ones, in the order of the place switch."""
    return _remember("waiting_by_locality", None, _waiting_by_locality)


def complaints(*, now: datetime) -> list[counts_of_complaints.Answers]:
    """The complaints of the last year, and whether they were answered in time, by locality."""
    return _remember("complaints", None, lambda: counts_of_complaints.by_locality(now=now))


def _headline(locality: Locality | None, *, now: datetime) -> Headline:
    totals = offer_totals(locality=locality, now=now)
    recent = _signed(locality).filter(signed_at__gte=now - timedelta(days=RECENT_DAYS))
    sizes = queue_sizes(locality)
    return Headline(
        kindergartens=totals.kindergartens,
        seats_free=totals.seats_free,
        waiting=sum(size.waiting for size in sizes),
        enrolled=recent.count(),
        unclaimed=sum(size.unclaimed for size in sizes),
        as_of=now,
    )


def _waiting_by_year(locality: Locality | None) -> list[YearOfQueue]:
    sizes = sorted(queue_sizes(locality), key=lambda size: -size.birth_year)
    return [
        YearOfQueue(birth_year=year, waiting=sum(size.waiting for size in some))
        for year, some in groupby(sizes, key=lambda size: size.birth_year)
    ]


def _waiting_by_locality() -> list[PlaceOfQueue]:
    waiting: dict[int, int] = {}
    for size in queue_sizes():
        waiting[size.locality.pk] = waiting.get(size.locality.pk, 0) + size.waiting
    return [
        PlaceOfQueue(locality=locality, waiting=waiting.get(locality.pk, 0))
        for locality in Locality.objects.all()
    ]


def _signed(locality: Locality | None) -> QuerySet[Contract]:
    here = Q() if locality is None else Q(referral__application__locality=locality)
    return Contract.objects.filter(here)


def _remember(name: str, locality: Locality | None, compute: Callable[[], Answer]) -> Answer:
    return remember(f"statistics:{name}:{locality.pk if locality else 'all'}", compute)
