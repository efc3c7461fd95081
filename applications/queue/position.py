"""An application's exact number in its queue.

A queue is a locality and a birth year. Extraordinary children come first; then one priority child and three general
ones in turn (the ratio is in `Rules`) while there are both; inside a tier by time of filing, then by sequence.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet

from applications.models import CLAIMED, Application, Rules
from applications.queue.buckets import bucket_month
from applications.queue.order import ahead_by_tier, interleave
from applications.rules.in_force import choose
from applications.states import QUEUED_STATES, Tier
from bulletin.models import Locality

# How many of a queue nobody has claimed yet, by the index `application_unclaimed`: a probe where there are none.
_UNCLAIMED = """(
               SELECT count(*) FROM applications_application AS unclaimed
               WHERE unclaimed.locality_id = {locality} AND unclaimed.birth_year = {birth_year}
                   AND unclaimed.filed_by_id IS NULL AND unclaimed.state = 'waiting'
           )"""

# How many without a benefit go before one with it; chosen as `rules.choose` does.
_RATIO = """(
               SELECT general_per_priority FROM applications_rules
               WHERE valid_from <= {today} AND (locality_id IS NULL OR locality_id = {locality})
               ORDER BY locality_id IS NULL, valid_from DESC, early_from DESC NULLS LAST LIMIT 1
           )"""

# The manual's, if no rules have begun.
_USUAL_RATIO: int = Rules._meta.get_field("general_per_priority").default

_POSITION = f"""
    SELECT coalesce(sum(n) FILTER (WHERE tier = %(tier)s AND month < %(month)s), 0) + (
               SELECT count(*) FROM applications_application
               WHERE locality_id = %(locality)s AND birth_year = %(birth_year)s AND tier = %(tier)s
                   AND state IN %(queued)s AND filed_at >= %(month_begins)s
                   AND (filed_at, sequence) < (%(filed_at)s, %(sequence)s)
           ),
           {", ".join(f"coalesce(sum(n) FILTER (WHERE tier = {tier:d}), 0)" for tier in Tier)},
           {_UNCLAIMED.format(locality="%(locality)s", birth_year="%(birth_year)s")},
           {_RATIO.format(locality="%(locality)s", today="%(today)s")}
    FROM applications_queuecount WHERE locality_id = %(locality)s AND birth_year = %(birth_year)s
"""  # noqa: S608 - names only


# `_POSITION` for many applications, one row of input each. Those of one month are counted from one to the next: each
# row of a queue is read once, however many stand behind it.
_POSITIONS = f"""
    WITH asked AS (
        SELECT *, lag(filed_at, 1, month_begins) OVER earlier AS since,
               lag(sequence, 1, -9223372036854775808) OVER earlier AS since_sequence
        FROM unnest(%(ids)s::uuid[], %(localities)s::bigint[], %(years)s::int[], %(tiers)s::int[],
                    %(filed)s::timestamptz[], %(sequences)s::bigint[], %(months)s::date[], %(begins)s::timestamptz[],
                    %(todays)s::date[])
             AS given (id, locality, birth_year, tier, filed_at, sequence, month, month_begins, today)
        WINDOW earlier AS (PARTITION BY locality, birth_year, tier, month ORDER BY filed_at, sequence)
    )
    SELECT asked.id::text,
           before_month + sum(since_the_last) OVER (
               PARTITION BY locality, birth_year, asked.tier, month ORDER BY filed_at, sequence
           ),
           {", ".join(f"of_{tier.name.lower()}" for tier in Tier)},
           {_UNCLAIMED.format(locality="asked.locality", birth_year="asked.birth_year")},
           {_RATIO.format(locality="asked.locality", today="asked.today")}
    FROM asked,
    LATERAL (
        SELECT coalesce(sum(n) FILTER (WHERE bucket.tier = asked.tier AND bucket.month < asked.month), 0)
                   AS before_month,
               {
    ", ".join(
        f"coalesce(sum(n) FILTER (WHERE bucket.tier = {tier:d}), 0) AS of_{tier.name.lower()}"
        for tier in Tier
    )
}
        FROM applications_queuecount AS bucket
        WHERE bucket.locality_id = asked.locality AND bucket.birth_year = asked.birth_year
    ) AS counted,
    LATERAL (
        SELECT count(*) AS since_the_last FROM applications_application AS other
        WHERE other.locality_id = asked.locality AND other.birth_year = asked.birth_year
            AND other.tier = asked.tier AND other.state IN %(queued)s
            AND (other.filed_at, other.sequence) >= (asked.since, asked.since_sequence)
            AND (other.filed_at, other.sequence) < (asked.filed_at, asked.sequence)
    ) AS month_so_far
"""  # noqa: S608 - names only


@dataclass(frozen=True)
class Position:
    """Where an application stands at this moment; of the `total` nobody has claimed the `unclaimed` yet."""

    number: int
    total: int
    ahead: Mapping[Tier, int]
    unclaimed: int = 0

    @property
    def claimed(self) -> int:
        """How many of the `total` have their families here."""
        return self.total - self.unclaimed


@dataclass(frozen=True)
class QueueSize:
    """How many wait in one queue, and how many of them nobody has claimed yet."""

    locality: Locality
    birth_year: int
    waiting: int
    unclaimed: int = 0


@dataclass(frozen=True)
class _Standing:
    """What a number is worked out from: how many stand ahead in its tier, how many in all tiers, their ratio."""

    ahead_in_tier: int
    totals: Iterable[int]
    unclaimed: int
    ratio: int


def in_queue(*, locality: Locality, birth_year: int) -> QuerySet[Application]:
    """The applications that hold a number in one queue."""
    return Application.objects.filter(locality=locality, birth_year=birth_year, state__in=QUEUED_STATES)


def before(application: Application) -> Q:
    """Condition: filed before `application`, by time and then by sequence."""
    return Q(filed_at__lt=application.filed_at) | Q(
        filed_at=application.filed_at, sequence__lt=application.sequence
    )


def position(application: Application, *, now: datetime) -> Position | None:
    """The application's exact number at this moment; None while it holds no number.

    `now` decides only which `Rules` give the ratio of the tiers. The application is taken as passed in: load it in
    the same transaction if both must be from one moment.

    One statement, so one snapshot of the queue. The result always equals that of `count_position`, but it adds up the
    buckets and counts only inside the month of filing. The ratio is read with it, chosen as `rules.choose` does.
    """
    if application.state not in QUEUED_STATES:
        return None
    tier = Tier(application.tier)
    standing = _standing(
        locality=application.locality,
        birth_year=application.birth_year,
        tier=tier,
        before=(application.filed_at, application.sequence),
        now=now,
    )
    return _position(tier, standing)


def last_position(
    *, locality: Locality, birth_year: int, tier: Tier, until: tuple[datetime, int], now: datetime
) -> Position | None:
    """Where the last application of a tier stands that was filed at `until` (time and sequence) or before.

    None if no such application stands in the queue now. One statement, like `position`.
    """
    filed_at, sequence = until
    standing = _standing(
        locality=locality, birth_year=birth_year, tier=tier, before=(filed_at, sequence + 1), now=now
    )
    if not standing.ahead_in_tier:
        return None
    return _position(tier, replace(standing, ahead_in_tier=standing.ahead_in_tier - 1))


def _standing(
    *, locality: Locality, birth_year: int, tier: Tier, before: tuple[datetime, int], now: datetime
) -> _Standing:
    """How many of a tier stand before a time of filing and sequence, and how many in each tier; one statement."""
    filed_at, sequence = before
    month = bucket_month(filed_at)
    with connection.cursor() as cursor:
        cursor.execute(
            _POSITION,
            {
                "locality": locality.pk,
                "birth_year": birth_year,
                "tier": tier,
                "month": month,
                "month_begins": datetime.combine(month, time(), tzinfo=UTC),
                "filed_at": filed_at,
                "sequence": sequence,
                "queued": tuple(QUEUED_STATES),
                "today": locality.day(now),
            },
        )
        ahead_in_tier, *totals, unclaimed, ratio = cursor.fetchone()
    return _Standing(int(ahead_in_tier), totals=totals, unclaimed=unclaimed, ratio=ratio or _USUAL_RATIO)


def positions(applications: Iterable[Application], *, now: datetime) -> dict[UUID, Position]:
    """`position` of each of these applications that holds a number: one statement for all of them.

    Meant for a page of a list. For most of a queue use `numbers_of`, which reads it once.
    """
    asked = {one.pk: one for one in applications if one.state in QUEUED_STATES}
    if not asked:
        return {}
    ones = list(asked.values())
    months = [bucket_month(one.filed_at) for one in ones]
    with connection.cursor() as cursor:
        cursor.execute(
            _POSITIONS,
            {
                "ids": [str(one.pk) for one in ones],
                "localities": [one.locality_id for one in ones],
                "years": [one.birth_year for one in ones],
                "tiers": [int(one.tier) for one in ones],
                "filed": [one.filed_at for one in ones],
                "sequences": [one.sequence for one in ones],
                "months": months,
                "begins": [datetime.combine(month, time(), tzinfo=UTC) for month in months],
                "todays": [one.locality.day(now) for one in ones],
                "queued": tuple(QUEUED_STATES),
            },
        )
        rows = cursor.fetchall()
    found = {}
    for key, ahead_in_tier, *totals, unclaimed, ratio in rows:
        one = asked[UUID(key)]
        standing = _Standing(
            int(ahead_in_tier), totals=totals, unclaimed=unclaimed, ratio=ratio or _USUAL_RATIO
        )
        found[one.pk] = _position(Tier(one.tier), standing)
    return found


def numbers_of(applications: Iterable[Application], *, now: datetime) -> dict[UUID, int]:
    """The numbers of many applications at once: for each that holds one, what `position` gives.

    One statement for each of their queues, which is read whole, and one for the rules.
    """
    queues: dict[tuple[int, int], list[Application]] = defaultdict(list)
    for application in applications:
        queues[application.locality_id, application.birth_year].append(application)
    numbers: dict[UUID, int] = {}
    for wanted in queues.values():
        numbers |= _numbers_in_queue(wanted, now=now)
    return numbers


def by_number(*, locality: Locality, birth_year: int, now: datetime) -> list[tuple[UUID, Tier]]:
    """A whole queue by its numbers: each application with its part of the queue. Two statements."""
    rows = in_queue(locality=locality, birth_year=birth_year).order_by("tier", "filed_at", "sequence")
    standing: dict[Tier, list[tuple[UUID, Tier]]] = {tier: [] for tier in Tier}
    for pk, number in rows.values_list("pk", "tier").iterator():
        tier = Tier(number)
        standing[tier].append((pk, tier))
    return interleave(standing, general_per_priority=_ratio(Rules.objects.all(), locality, now=now))


def in_order(applications: Iterable[Application], *, now: datetime) -> list[Application]:
    """Applications by their number, the smallest first; ties between queues go by time of filing.

    Those that hold no number are left out, also if they left the queue after they were read.
    """
    read = list(applications)
    numbers = numbers_of(read, now=now)
    queued = [one for one in read if one.pk in numbers]
    return sorted(queued, key=lambda one: (numbers[one.pk], one.filed_at, one.sequence))


def _numbers_in_queue(wanted: list[Application], *, now: datetime) -> dict[UUID, int]:
    locality, birth_year = wanted[0].locality, wanted[0].birth_year
    rows = in_queue(locality=locality, birth_year=birth_year).order_by("tier", "filed_at", "sequence")
    totals, standing = dict.fromkeys(Tier, 0), {}
    for pk, number in rows.values_list("pk", "tier").iterator():
        tier = Tier(number)
        standing[pk] = (tier, totals[tier])
        totals[tier] += 1
    ratio = _ratio(Rules.objects.all(), locality, now=now)
    numbers = {}
    for application in wanted:
        if application.pk in standing:
            tier, ahead = standing[application.pk]
            by_tier = ahead_by_tier(tier, ahead_in_tier=ahead, totals=totals, general_per_priority=ratio)
            numbers[application.pk] = 1 + sum(by_tier.values())
    return numbers


def count_position(application: Application, *, now: datetime) -> Position | None:
    """The same number by counting every row of the queue, also in one statement: what `position` must equal."""
    if application.state not in QUEUED_STATES:
        return None
    counted = in_queue(locality=application.locality, birth_year=application.birth_year).aggregate(
        ahead=Count("pk", filter=Q(tier=application.tier) & before(application)),
        unclaimed=Count("pk", filter=~CLAIMED),
        **{tier.name: Count("pk", filter=Q(tier=tier)) for tier in Tier},
    )
    totals = [counted[tier.name] for tier in Tier]
    ratio = _ratio(Rules.objects.all(), application.locality, now=now)
    standing = _Standing(counted["ahead"], totals=totals, unclaimed=counted["unclaimed"], ratio=ratio)
    return _position(Tier(application.tier), standing)


def _position(tier: Tier, standing: _Standing) -> Position:
    by_tier = dict(zip(Tier, map(int, standing.totals), strict=True))
    ahead = ahead_by_tier(
        tier,
        ahead_in_tier=standing.ahead_in_tier,
        totals=by_tier,
        general_per_priority=standing.ratio,
    )
    return Position(
        number=1 + sum(ahead.values()),
        total=sum(by_tier.values()),
        ahead=ahead,
        unclaimed=standing.unclaimed,
    )


# The last of those ahead in each tier, and how many up to there nobody has claimed: two walks in indexes.
_UNCLAIMED_AHEAD = """
    SELECT coalesce(sum((
        SELECT count(*) FROM applications_application AS unclaimed
        WHERE unclaimed.locality_id = %(locality)s AND unclaimed.birth_year = %(birth_year)s
            AND unclaimed.tier = ahead.tier AND unclaimed.filed_by_id IS NULL AND unclaimed.state = 'waiting'
            AND (unclaimed.filed_at, unclaimed.sequence) <= (last.filed_at, last.sequence)
    )), 0)
    FROM unnest(%(tiers)s::int[], %(counts)s::int[]) AS ahead (tier, number),
    LATERAL (
        SELECT filed_at, sequence FROM applications_application
        WHERE locality_id = %(locality)s AND birth_year = %(birth_year)s AND tier = ahead.tier
            AND state IN %(queued)s
        ORDER BY filed_at, sequence OFFSET ahead.number - 1 LIMIT 1
    ) AS last
"""


def unclaimed_ahead(application: Application, place: Position) -> int:
    """How many of those ahead of `application` at its `place` nobody has claimed yet. A statement, if there are any."""
    ahead = {tier: number for tier, number in place.ahead.items() if number}
    if not place.unclaimed or not ahead:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _UNCLAIMED_AHEAD,
            {
                "locality": application.locality_id,
                "birth_year": application.birth_year,
                "tiers": [int(tier) for tier in ahead],
                "counts": list(ahead.values()),
                "queued": tuple(QUEUED_STATES),
            },
        )
        return int(cursor.fetchone()[0])


def _ratio(rules: Iterable[Rules], locality: Locality, *, now: datetime) -> int:
    today = locality.day(now)
    return choose(rules, locality_id=locality.pk, day=today).general_per_priority


def queue_sizes(locality: Locality | None = None) -> list[QueueSize]:
    """The size of every queue (of one locality, or of all) that holds anybody, oldest birth year first."""
    applications = Application.objects.filter(state__in=QUEUED_STATES)
    if locality is not None:
        applications = applications.filter(locality=locality)
    localities = Locality.objects.in_bulk()
    rows = applications.values_list("locality", "birth_year").annotate(
        waiting=Count("pk"), unclaimed=Count("pk", filter=~CLAIMED)
    )
    sizes = [QueueSize(localities[place], *counted) for place, *counted in rows]
    return sorted(sizes, key=lambda size: (size.locality.order, size.locality.name_kk, size.birth_year))
