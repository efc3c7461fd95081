"""By how many numbers queues moved, month by month, counted from the events."""

from collections import Counter, defaultdict
from datetime import date, datetime, time
from typing import Any

from django.db.models import Case, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncMonth
from django.utils import timezone

from applications.forecast.pace import LONGEST, YEAR, Series
from applications.models import ENTERS_OR_LEAVES, Event
from applications.reports.asked import last_months
from applications.states import QUEUED_STATES, Move, Tier
from bulletin.models import Locality

# What is no movement of a queue: new applications stand at its end, files of the former queue are brought in and out,
# and whoever reaches school age leaves with all who stand behind.
_NO_MOVEMENT = (
    Move.FILE,
    Move.AGE_OUT,
    Move.IMPORT,
    Move.TAKE_IMPORT_BACK,
    Move.STOP_IMPORT,
    Move.DROP_IMPORT,
    Move.RETURN_IMPORT,
)
# As long back as a forecast looks ahead, and the year before that.
_MONTHS = LONGEST + YEAR


def movement_of_city(*, now: datetime) -> list[Series]:
    """Of every queue that has moved: who left it less who came back, in each complete month up to `now`. One statement.

    Months are those of the portal's zone (`complete_months`), for all queues the same.
    """
    queues: dict[Any, Counter[date]] = defaultdict(Counter)
    rows = _moves(now=now).values_list("locality", "birth_year", "month", "moved")
    for locality, birth_year, month, moved in rows:
        queues[locality, birth_year][month] = moved
    return [_series(counted, now=now) for counted in queues.values()]


def movement_before(
    *, locality: Locality, birth_year: int, tier: Tier, filed_at: datetime, now: datetime
) -> Series:
    """The same of one place in a queue: only whoever stood before it moved it. One statement."""
    ahead = Q(tier__lt=tier) | Q(tier=tier, filed_at__lt=filed_at)
    moves = _moves(now=now).filter(ahead, locality=locality, birth_year=birth_year)
    return _series(dict(moves.values_list("month", "moved")), now=now)


def _moves(*, now: datetime) -> QuerySet[Any, Any]:
    begins, ends = (_midnight(day) for day in (complete_months(now)[0], _today(now).replace(day=1)))
    left = When(from_state__in=QUEUED_STATES, then=Value(1))
    return (
        Event.objects.order_by()
        .filter(ENTERS_OR_LEAVES, at__gte=begins, at__lt=ends)
        .exclude(move__in=_NO_MOVEMENT)
        .annotate(month=TruncMonth("at", tzinfo=_zone()))
        .values("locality", "birth_year", "month")
        .annotate(moved=Sum(Case(left, default=Value(-1))))
    )


def _series(counted: Any, *, now: datetime) -> Series:
    by_month = {month.astimezone(_zone()).date(): moved for month, moved in counted.items()}
    return [by_month.get(month, 0) for month in complete_months(now)]


def complete_months(now: datetime) -> list[date]:
    """The first days of the months of every series, the oldest first."""
    return last_months(_today(now), number=_MONTHS + 1)[:-1]


def _today(now: datetime) -> date:
    return now.astimezone(_zone()).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=_zone())


def _zone() -> Any:
    return timezone.get_default_timezone()
