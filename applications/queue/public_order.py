"""The queues as everyone may see them: counts, and the order of one queue by application number, without names.

Fewer than five are never shown: neither a count nor the order of so small a queue. If a tier has fewer than five, no
row of that queue shows its tier or its day of filing: those of all the others would give theirs away.

A page of an order begins next to the application of a given number, so that it stays in place while others come and
go. The order interleaves tiers: from where that application stands, `applications.queue.order` computes how many of
each tier come before the page, and the monthly buckets say in which month of filing each tier continues. So a page
costs a sum of buckets, a walk inside one month of the index `application_queue`, and a seek for its rows, however far
from the head it is.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import Least, RowNumber
from redis.exceptions import RedisError

from applications.models import CLAIMED, Application, QueueCount
from applications.queue.buckets import bucket_month
from applications.queue.order import ahead_by_tier, head_by_tier
from applications.queue.position import in_queue
from applications.queue.small_groups import FEW, is_few, told_parts
from applications.states import QUEUED_STATES, ApplicationState, Tier
from bulletin.models import Language, Locality

SECONDS_REMEMBERED = 60
COUNTS_KEY = "public-queue:counts"
PAGE_SIZE = 50
CHUNK = 2000

logger = logging.getLogger(__name__)


class Start(StrEnum):
    """How the start of a page is given: by a number in the queue, by an application, or by the one next to it."""

    NUMBER = "number"
    APPLICATION = "application"
    AFTER = "after"
    BEFORE = "before"


@dataclass(frozen=True)
class CountedQueue:
    """How many wait in one queue, and how many of them named each language, or are not claimed yet."""

    locality: Locality
    birth_year: int
    waiting: int
    by_language: Mapping[Language, int]
    unclaimed: int = 0

    @property
    def claimed(self) -> int:
        return self.waiting - self.unclaimed

    @property
    def tells(self) -> Mapping[Language, bool]:
        """Of which languages the count may be told beside `waiting`."""
        return told_parts(self.waiting, self.by_language)


@dataclass(frozen=True)
class Row:
    """One application in the public order; `filed_on` and `tier` are None where they would point at too few.

    `filed_on` is a local day: an instant would identify the application to anybody who knows when somebody filed.
    """

    number: int
    application_number: str
    filed_on: date | None
    tier: Tier | None


@dataclass(frozen=True)
class OrderPage:
    """A part of one queue's order; no rows if the queue is empty or has fewer than `FEW`.

    `is_known` is false if the application next to which the page should begin is not in this queue's history; then the
    page is the first one.
    """

    total: int
    rows: list[Row]
    is_known: bool = True
    unclaimed: int = 0

    @property
    def claimed(self) -> int:
        return self.total - self.unclaimed

    @property
    def is_few(self) -> bool:
        return is_few(self.total)

    @property
    def has_previous(self) -> bool:
        return bool(self.rows) and self.rows[0].number > 1

    @property
    def has_next(self) -> bool:
        return bool(self.rows) and self.rows[-1].number < self.total


@dataclass(frozen=True)
class _Key:
    """Where a row stands inside its tier."""

    tier: Tier
    filed_at: datetime
    sequence: int
    is_queued: bool


def counted_queues(locality: Locality | None = None) -> list[CountedQueue]:
    """Every queue (of one locality, or of all) that was not empty at most a minute ago, the youngest children first.

    An application that names two languages counts in both, and once in `waiting`. Without the cache all are counted
    again: a slow page, not an error.
    """
    try:
        known: list[CountedQueue] | None = cache.get(COUNTS_KEY)
        if known is None:
            known = count_queues()
            cache.set(COUNTS_KEY, known, SECONDS_REMEMBERED)
    except RedisError:
        logger.warning("The cache does not answer; all queues are counted.")
        known = count_queues()
    return [one for one in known if locality is None or one.locality == locality]


def count_queues() -> list[CountedQueue]:
    """Count every queue now, in one statement over everyone who stands in one: a tenth of a second per 100,000."""
    rows = (
        Application.objects.filter(state__in=QUEUED_STATES)
        .order_by()
        .values("locality", "birth_year")
        .annotate(
            waiting=Count("*"),
            unclaimed=Count(Value(1), filter=~CLAIMED),
            **{code: Count(Value(1), filter=Q(languages__contains=[code])) for code in Language.values},
        )
        .values_list("locality", "birth_year", "waiting", "unclaimed", *Language.values)
    )
    places = Locality.objects.in_bulk()
    counted = [
        CountedQueue(places[place], birth_year, waiting, dict(zip(Language, named, strict=True)), unclaimed)
        for place, birth_year, waiting, unclaimed, *named in rows
    ]
    return sorted(counted, key=lambda one: (one.locality.order, one.locality.name_kk, -one.birth_year))


def order_page(
    *, locality: Locality, birth_year: int, general_per_priority: int, start: Start, value: int | str
) -> OrderPage:
    """`PAGE_SIZE` rows of a queue: from a number or an application on, or after an application, or before it.

    `value` is a number in the queue for `Start.NUMBER` and the number of an application otherwise. Next to an
    application that has left the queue is the place where it stood; to begin with, it is as good as unknown.
    Beyond either end the page is the one at that end. All numbers are those of one snapshot.
    """
    with _one_snapshot():
        order = _Order(
            queue=in_queue(locality=locality, birth_year=birth_year),
            months=_months(locality=locality, birth_year=birth_year),
            general_per_priority=general_per_priority,
            zone=locality.zone,
        )
        if order.total < FEW:
            return OrderPage(total=order.total, rows=[])
        key = None
        if start != Start.NUMBER:
            key = _find(str(value), locality=locality, birth_year=birth_year)
        if start == Start.APPLICATION and key is not None and not key.is_queued:
            key = None
        first = int(value) if start == Start.NUMBER else 1
        if key is not None:
            here = order.number_at(key)
            is_after = start == Start.AFTER and key.is_queued
            first = here - PAGE_SIZE if start == Start.BEFORE else here + is_after
        is_inside = first <= order.total
        first = max(1, first if is_inside else order.total - PAGE_SIZE + 1)
        after = key if key is not None and start == Start.AFTER and key.is_queued and is_inside else None
        rows = order.rows(first=first, after=after)
        unclaimed = order.queue.exclude(CLAIMED).filter(state=ApplicationState.WAITING).count()
    is_known = start == Start.NUMBER or key is not None
    return OrderPage(total=order.total, rows=rows, is_known=is_known, unclaimed=unclaimed)


def whole_order(*, locality: Locality, birth_year: int, general_per_priority: int) -> Iterator[Row]:
    """The whole public order of a queue, read in pieces through a cursor of the server: one statement, one snapshot.

    Empty for a queue of fewer than `FEW`.
    """
    tier_rank = Window(RowNumber(), partition_by=[F("tier")], order_by=[F("filed_at"), F("sequence")])
    extraordinary, priority, general = (
        Window(Count(Value(1), filter=Q(tier=tier)))
        for tier in (Tier.EXTRAORDINARY, Tier.PRIORITY, Tier.GENERAL)
    )
    ratio = Value(general_per_priority)
    number = Case(
        When(tier=Tier.EXTRAORDINARY, then=tier_rank),
        When(tier=Tier.PRIORITY, then=extraordinary + tier_rank + Least(general, (tier_rank - 1) * ratio)),
        default=extraordinary + tier_rank + Least(priority, (tier_rank - 1) / ratio + 1),
    )
    rows = (
        in_queue(locality=locality, birth_year=birth_year)
        .annotate(place=number, in_first=extraordinary, in_second=priority, in_third=general)
        .order_by("place")
        .values_list("place", "number", "filed_at", "tier", "in_first", "in_second", "in_third")
    )
    for place, application_number, filed_at, tier, *totals in rows.iterator(chunk_size=CHUNK):
        if sum(totals) >= FEW:
            yield _row(place, application_number, filed_at, Tier(tier), totals=totals, zone=locality.zone)


def _row(
    number: int,
    application_number: str,
    filed_at: datetime,
    tier: Tier,
    *,
    totals: Iterable[int],
    zone: ZoneInfo,
) -> Row:
    if any(map(is_few, totals)):
        return Row(number, application_number, None, None)
    return Row(number, application_number, filed_at.astimezone(zone).date(), tier)


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """One snapshot for several statements; inside a transaction of the caller, that transaction's isolation applies."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _months(*, locality: Locality, birth_year: int) -> dict[Tier, list[tuple[date, int]]]:
    """For each tier of a queue, the months of filing in their order, with how many stand in each."""
    months: dict[Tier, list[tuple[date, int]]] = {tier: [] for tier in Tier}
    sums = (
        QueueCount.objects.filter(locality=locality, birth_year=birth_year)
        .values_list("tier", "month")
        .annotate(standing=Sum("n"))
        .order_by("tier", "month")
    )
    for tier, month, standing in sums:
        months[Tier(tier)].append((month, standing))
    return months


def _find(number: str, *, locality: Locality, birth_year: int) -> _Key | None:
    found = Application.objects.filter(number=number, locality=locality, birth_year=birth_year).first()
    if found is None:
        return None
    return _Key(Tier(found.tier), found.filed_at, found.sequence, is_queued=found.state in QUEUED_STATES)


@dataclass(frozen=True)
class _Order:
    """One queue inside one snapshot."""

    queue: QuerySet[Application]
    months: Mapping[Tier, list[tuple[date, int]]]
    general_per_priority: int
    zone: ZoneInfo

    @cached_property
    def totals(self) -> dict[Tier, int]:
        return {tier: sum(standing for _month, standing in self.months[tier]) for tier in Tier}

    @cached_property
    def total(self) -> int:
        return sum(self.totals.values())

    def number_of(self, tier: Tier, *, ahead_in_tier: int) -> int:
        ahead = ahead_by_tier(
            tier,
            ahead_in_tier=ahead_in_tier,
            totals=self.totals,
            general_per_priority=self.general_per_priority,
        )
        return 1 + sum(ahead.values())

    def number_at(self, key: _Key) -> int:
        """Where the application of the key stands, or would stand if it has left."""
        month = bucket_month(key.filed_at)
        earlier = sum(standing for other, standing in self.months[key.tier] if other < month)
        beside = self._from(key.tier, month).filter(_beside("lt", key.filed_at, key.sequence))
        return self.number_of(
            key.tier, ahead_in_tier=earlier + beside.order_by().aggregate(n=Count("*"))["n"]
        )

    def rows(self, *, first: int, after: _Key | None) -> list[Row]:
        """`PAGE_SIZE` rows from a number on; `after` is the row before the first one, if it is known."""
        begin = self._head(first - 1)
        end = self._head(first - 1 + PAGE_SIZE)
        rows = []
        for tier in Tier:
            key = after if after is not None and after.tier == tier else None
            found = self._slice(tier, skip=begin[tier], take=end[tier] - begin[tier], after=key)
            for ahead_in_tier, (number, filed_at) in enumerate(found, start=begin[tier]):
                place = self.number_of(tier, ahead_in_tier=ahead_in_tier)
                rows.append(_row(place, number, filed_at, tier, totals=self.totals.values(), zone=self.zone))
        return sorted(rows, key=lambda row: row.number)

    def _head(self, size: int) -> dict[Tier, int]:
        return head_by_tier(size, totals=self.totals, general_per_priority=self.general_per_priority)

    def _slice(self, tier: Tier, *, skip: int, take: int, after: _Key | None) -> list[tuple[str, datetime]]:
        """`take` rows of a tier after a key; without one, those behind the first `skip`."""
        if take <= 0:
            return []
        if after is not None:
            beside = _beside("gt", after.filed_at, after.sequence)
        else:
            beside = _beside("gte", *self._nth(tier, skip))
        rows = self.queue.filter(beside, tier=tier).order_by("filed_at", "sequence")
        return list(rows.values_list("number", "filed_at")[:take])

    def _nth(self, tier: Tier, skip: int) -> tuple[datetime, int]:
        """The key of the row of a tier with `skip` before it: its month by the sums, then a walk in the index.

        There must be such a row.
        """
        months = iter(self.months[tier])
        month, standing = next(months)
        while skip >= standing:
            skip -= standing
            month, standing = next(months)
        rows = self._from(tier, month).order_by("filed_at", "sequence")
        return rows.values_list("filed_at", "sequence")[skip : skip + 1].get()

    def _from(self, tier: Tier, month: date) -> QuerySet[Application]:
        return self.queue.filter(tier=tier, filed_at__gte=datetime.combine(month, time(), tzinfo=UTC))


def _beside(side: str, filed_at: datetime, sequence: int) -> Q:
    """Before ("lt"), after ("gt") or from ("gte") a key on, in a form for which the index can be used."""
    return Q(**{f"filed_at__{side[0]}te": filed_at}) & (
        Q(**{f"filed_at__{side[0]}t": filed_at}) | Q(**{f"sequence__{side}": sequence})
    )
