"""The public figures: one function per figure, counts only, cached for a minute.

A function that takes a locality answers for all of them if it is None. Every monthly figure counts the same months: the
last twelve, in the zone of the place, or in the portal's for all places together.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import groupby
from statistics import median
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from redis.exceptions import RedisError

from applications.models import Contract, Referral
from applications.queue.position import queue_sizes
from applications.queue.small_groups import FEW, noun_number, told
from applications.states import ReferralState
from bulletin.models import Locality, Vacancy
from bulletin.selectors import offer_totals

SECONDS_REMEMBERED = 60
MONTHS_SHOWN = 12
RECENT_DAYS = 30

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Headline:
    """The four figures of the home page."""

    kindergartens: int
    seats_free: int
    waiting: int
    enrolled: int

    @property
    def waiting_told(self) -> str:
        return told(self.waiting)

    @property
    def waiting_noun(self) -> int:
        """For the form of the noun after `waiting_told`."""
        return noun_number(self.waiting)

    @property
    def enrolled_told(self) -> str:
        return told(self.enrolled)

    @property
    def enrolled_noun(self) -> int:
        """For the form of the noun after `enrolled_told`."""
        return noun_number(self.enrolled)


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


@dataclass(frozen=True)
class Month:
    """One local month (its first day): places published in it, and contracts signed in it."""

    first_day: date
    published: int
    taken: int


@dataclass(frozen=True)
class Outcome:
    """How many referrals of the shown months are in one state."""

    state: ReferralState
    referrals: int


@dataclass(frozen=True)
class Waits:
    """Whole days from filing to referral: the median and the slowest tenth; None for fewer than `FEW` referrals.

    The public order shows when each application was filed, so the days of a single one would show when it was issued.
    """

    referrals: int
    median_days: int | None
    slow_days: int | None


def headline(locality: Locality | None, *, now: datetime) -> Headline:
    """Kindergartens, free places in the bulletin, families in the queue, contracts of the last thirty days."""
    return _remember("headline", locality, lambda: _headline(locality, now=now))


def waiting_by_year(locality: Locality | None) -> list[YearOfQueue]:
    """The queue by birth year, the youngest first."""
    return _remember("waiting_by_year", locality, lambda: _waiting_by_year(locality))


def waiting_by_locality() -> list[PlaceOfQueue]:
    """The queues of all localities, including empty ones, in the order of the place switch."""
    return _remember("waiting_by_locality", None, _waiting_by_locality)


def places_by_month(locality: Locality | None, *, now: datetime) -> list[Month]:
    """The last twelve months up to the present one, the oldest first; months without anything are there too."""
    return _remember("places_by_month", locality, lambda: _places_by_month(locality, now=now))


def referral_outcomes(locality: Locality | None, *, now: datetime) -> list[Outcome]:
    """Referrals issued in the last twelve months, by how they ended."""
    return _remember("referral_outcomes", locality, lambda: _referral_outcomes(locality, now=now))


def days_to_referral(locality: Locality | None, *, now: datetime) -> Waits:
    """How long the families with a referral in the last twelve months had waited."""
    return _remember("days_to_referral", locality, lambda: _days_to_referral(locality, now=now))


def _headline(locality: Locality | None, *, now: datetime) -> Headline:
    totals = offer_totals(locality=locality, now=now)
    recent = _signed(locality).filter(signed_at__gte=now - timedelta(days=RECENT_DAYS))
    return Headline(
        kindergartens=totals.kindergartens,
        seats_free=totals.seats_free,
        waiting=sum(size.waiting for size in queue_sizes(locality)),
        enrolled=recent.count(),
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


def _places_by_month(locality: Locality | None, *, now: datetime) -> list[Month]:
    zone = _zone(locality)
    months = last_months(now.astimezone(zone).date())
    since = _first_instant(locality, now=now)
    vacancies = Vacancy.objects.filter(published_at__gte=since)
    if locality is not None:
        vacancies = vacancies.filter(group__kindergarten__locality=locality)
    published = _by_month(vacancies, "published_at", zone=zone, amount=Sum("seats_total"))
    taken = _by_month(
        _signed(locality).filter(signed_at__gte=since), "signed_at", zone=zone, amount=Count("pk")
    )
    return [Month(first_day=day, published=published.get(day, 0), taken=taken.get(day, 0)) for day in months]


def _by_month(rows: QuerySet[Any], at: str, *, zone: tzinfo, amount: Count | Sum) -> dict[date, int]:
    counted = (
        rows.order_by().annotate(month=TruncMonth(at, tzinfo=zone)).values_list("month").annotate(amount)
    )
    return {month.date(): count for month, count in counted}


def last_months(today: date) -> list[date]:
    """The first days of the last twelve months, the present one last. Pure."""
    months = [today.replace(day=1)]
    while len(months) < MONTHS_SHOWN:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]


def _first_instant(locality: Locality | None, *, now: datetime) -> datetime:
    """The beginning of the months shown at `now`."""
    zone = _zone(locality)
    return datetime.combine(last_months(now.astimezone(zone).date())[0], time.min, tzinfo=zone)


def _zone(locality: Locality | None) -> tzinfo:
    """The zone in which months begin: the place's, or the portal's for all places together."""
    return locality.zone if locality else timezone.get_default_timezone()


def _referral_outcomes(locality: Locality | None, *, now: datetime) -> list[Outcome]:
    counts = dict(_referrals(locality, now=now).order_by().values_list("state").annotate(count=Count("pk")))
    return [Outcome(state=state, referrals=counts.get(state, 0)) for state in ReferralState]


def _days_to_referral(locality: Locality | None, *, now: datetime) -> Waits:
    waits = (
        _referrals(locality, now=now)
        .order_by()
        .values_list(F("issued_at") - F("application__filed_at"), flat=True)
    )
    days = sorted(wait.days for wait in waits)
    if len(days) < FEW:
        return Waits(referrals=len(days), median_days=None, slow_days=None)
    return Waits(
        referrals=len(days),
        median_days=round(median(days)),
        slow_days=days[min(len(days) - 1, len(days) * 9 // 10)],
    )


def _referrals(locality: Locality | None, *, now: datetime) -> QuerySet[Referral]:
    here = Q() if locality is None else Q(application__locality=locality)
    return Referral.objects.filter(here, issued_at__gte=_first_instant(locality, now=now))


def _signed(locality: Locality | None) -> QuerySet[Contract]:
    here = Q() if locality is None else Q(referral__application__locality=locality)
    return Contract.objects.filter(here)


def _remember(name: str, locality: Locality | None, compute: Callable[[], Answer]) -> Answer:
    """The answer of at most a minute ago. Without the cache it is computed again: a slow page, not an error."""
    key = f"statistics:{name}:{locality.pk if locality else 'all'}"
    try:
        known: Answer | None = cache.get(key)
        if known is None:
            known = compute()
            cache.set(key, known, SECONDS_REMEMBERED)
    except RedisError:
        logger.warning("The cache does not answer; %s is computed.", name)
        return compute()
    return known
