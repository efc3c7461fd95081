"""How messages do as a whole, for employees and operators: what waits, how gateways do, what arrives, what it costs.

Counts alone, of all families together: nothing here names anybody. Everything is read from the outbox itself, by its
indexes, and from the counts of gateways (`GatewayMinute`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, Min, Q, Sum, Value
from django.db.models.functions import StrIndex, Substr

from notifications.kinds import KINDS
from notifications.models import GatewayMinute, Message, Outgoing

# Somebody who asked for a message looks at the phone for about so long.
IN_TIME: Final = timedelta(minutes=2)
FAILURES_OF: Final = timedelta(days=7)
ARRIVALS_OF: Final = timedelta(days=1)
_UNDER_WAY: Final = (Outgoing.State.QUEUED, Outgoing.State.SENDING)


@dataclass(frozen=True)
class Waiting:
    """What has not gone out of one way: what is due, and what failed and waits for its next attempt.

    Of the former since when the one that waits longest is due, of the latter when the oldest was written.
    """

    count: int
    since: datetime | None
    failed: int = 0
    written: datetime | None = None


@dataclass(frozen=True)
class Failures:
    """How one gateway did with one kind of message."""

    gateway: str
    kind: str
    taken: int
    refused: int
    failed: int

    @property
    def title(self) -> Any:
        return KINDS[self.kind].title if self.kind in KINDS else self.kind


@dataclass(frozen=True)
class Arrivals:
    """What became of what one gateway took; of some it never says.

    `judged` are those whose fate is known and that had the time to arrive `in_time`.
    """

    gateway: str
    sent: int
    delivered: int
    undelivered: int
    judged: int
    in_time: int

    @property
    def percent_in_time(self) -> int | None:
        """Of those that are judged; None where none is."""
        return 100 * self.in_time // self.judged if self.judged else None


@dataclass(frozen=True)
class Cost:
    """What a gateway took for the messages of some time, in tenge; of some the price is not known."""

    gateway: str
    messages: int
    segments: int
    cost: Decimal
    unpriced: int


def waiting(model: type[Outgoing], *, now: datetime) -> Waiting:
    """What a worker could send at `now`, and what it could not hand over before and tries again later."""
    is_due = Q(next_attempt_at__lte=now)
    has_failed = Q(state=Outgoing.State.QUEUED, attempts__gt=0, next_attempt_at__gt=now)
    found = model._default_manager.filter(state__in=_UNDER_WAY).aggregate(
        count=Count("pk", filter=is_due),
        since=Min("next_attempt_at", filter=is_due),
        failed=Count("pk", filter=has_failed),
        written=Min("created_at", filter=has_failed),
    )
    return Waiting(**found)


def failures(*, now: datetime) -> list[Failures]:
    """Gateways and kinds with failures in the last seven days, those with most of them first."""
    rows = (
        GatewayMinute.objects.filter(minute__gte=now - FAILURES_OF)
        .values("gateway", "kind")
        .annotate(all_taken=Sum("taken"), all_refused=Sum("refused"), all_failed=Sum("failed"))
        .filter(Q(all_failed__gt=0) | Q(all_refused__gt=0))
        .order_by("-all_failed", "-all_refused", "gateway", "kind")
    )
    return [
        Failures(one["gateway"], one["kind"], one["all_taken"], one["all_refused"], one["all_failed"])
        for one in rows
    ]


def arrivals(*, now: datetime) -> list[Arrivals]:
    """What became of what each gateway took in the last day; what is still on its way in time is not judged."""
    has_arrived, is_lost = Q(delivered_at__isnull=False), Q(state=Outgoing.State.UNDELIVERED)
    had_time = Q(sent_at__lt=now - IN_TIME)
    rows = _by_gateway(Q(sent_at__gte=now - ARRIVALS_OF, sent_at__lte=now)).annotate(
        sent=Count("pk"),
        delivered=Count("pk", filter=has_arrived),
        undelivered=Count("pk", filter=is_lost),
        judged=Count("pk", filter=had_time & (has_arrived | is_lost)),
        in_time=Count("pk", filter=had_time & Q(delivered_at__lte=F("sent_at") + IN_TIME)),
    )
    names = ("gateway", "sent", "delivered", "undelivered", "judged", "in_time")
    return [Arrivals(*(one[name] for name in names)) for one in rows]


def costs(*, since: datetime, until: datetime) -> list[Cost]:
    """What each gateway took for what it accepted from `since` until just before `until`."""
    rows = _by_gateway(Q(sent_at__gte=since, sent_at__lt=until)).annotate(
        messages=Count("pk"),
        all_segments=Sum("segments"),
        all_cost=Sum("cost"),
        unpriced=Count("pk", filter=Q(cost=None)),
    )
    return [
        Cost(
            one["gateway"],
            one["messages"],
            one["all_segments"] or 0,
            one["all_cost"] or Decimal(0),
            one["unpriced"],
        )
        for one in rows
    ]


def in_all(rows: Iterable[Cost]) -> Cost:
    """All of them together."""
    rows = list(rows)
    return Cost(
        "",
        sum(one.messages for one in rows),
        sum(one.segments for one in rows),
        sum((one.cost for one in rows), Decimal(0)),
        sum(one.unpriced for one in rows),
    )


def _by_gateway(which: Q) -> Any:
    name = Substr("provider_id", Value(1), StrIndex("provider_id", Value(":")) - 1)
    rows = Message.objects.filter(which, provider_id__contains=":")
    return rows.annotate(gateway=name).values("gateway").order_by("gateway")
