"""Telling employees of bids that wait: new ones once a day, at half of the time to answer, and at its end."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.employees import address_of
from accounts.models import User
from applications.bidding.stand_ins import ANSWER, STAND_IN
from applications.models import Bid
from applications.workplace import bids_to_answer
from bulletin.employment import able, employees_everywhere, employees_in, employees_of
from bulletin.models import Kindergarten, Locality
from children.access import own_children
from notifications.services import enqueue, enqueue_to_mail
from notifications.sweeps import sweep

ONE_DAY: Final = timedelta(days=1)
_KINDERGARTEN: Final = "vacancy__group__kindergarten"


class Step(NamedTuple):
    """One thing that employees are told of a bid: the kind of the notice, and where the bid notes that they were."""

    kind: str
    mark: str


NEW: Final = Step("staff_new_bids", "listed_at")
HALF: Final = Step("staff_half_time", "reminded_at")
LATE: Final = Step("staff_late_answers", "escalated_at")


def tell_employees(*, now: datetime) -> int:
    """Tell whoever answers, or decides instead, of the bids that wait; each step of each bid once.

    Whatever was missed while nothing ran, or while nobody was there who could decide, is told now, if it still
    matters. Two at once tell nothing twice. Returns for how many kindergartens and localities it was looked.
    """
    told: list[int] = []
    sweep(Locality.objects.all(), lambda locality: told.append(_tell_of_waiting(locality, now=now)))
    late = Locality.objects.filter(
        pk__in=_unmarked(past_the_end(bids_to_answer(), now=now), LATE).values(f"{_KINDERGARTEN}__locality")
    )
    return sum(told) + sweep(late, partial(_tell_officials, now=now))


def _tell_of_waiting(locality: Locality, *, now: datetime) -> int:
    """Tell the kindergartens of a locality of what is new, and of what is half over; returns how many."""
    since = last_digest(now, locality.zone, hour=settings.STAFF_DIGEST_HOUR)
    new = to_list(locality, since=since)
    half = past_half_time(_waiting(locality), now=now)
    return sweep(_kindergartens(new, NEW), partial(_tell_workers, step=NEW, bids=new, now=now)) + sweep(
        _kindergartens(half, HALF), partial(_tell_workers, step=HALF, bids=half, now=now)
    )


def last_digest(now: datetime, zone: ZoneInfo, *, hour: int) -> datetime:
    """The newest instant up to `now` at which the clocks of `zone` showed the whole `hour`. Pure."""
    today = now.astimezone(zone).date()
    at = datetime.combine(today, time(hour), tzinfo=zone)
    return at if at <= now else datetime.combine(today - ONE_DAY, time(hour), tzinfo=zone)


def to_list(locality: Locality, *, since: datetime) -> QuerySet[Bid]:
    """What waits since before the last digest, of kindergartens that have had none since."""
    had_one = Bid.objects.filter(listed_at__gte=since).values(_KINDERGARTEN)
    waiting = _waiting(locality).annotate(owed_since=_asked_at()).filter(owed_since__lt=since)
    return waiting.exclude(**{f"{_KINDERGARTEN}__in": had_one})


def past_half_time(bids: QuerySet[Bid], *, now: datetime) -> QuerySet[Bid]:
    """Bids of whose time to answer at least as much has passed as is left, and which is not over."""
    read = Value(now, output_field=DateTimeField())
    passed = ExpressionWrapper(read - _asked_at(), output_field=DurationField())
    left = ExpressionWrapper(F("answer_due") - read, output_field=DurationField())
    return bids.annotate(time_left=left).filter(answer_due__gt=now, time_left__lte=passed)


def past_the_end(bids: QuerySet[Bid], *, now: datetime) -> QuerySet[Bid]:
    """Bids whose time to answer is over."""
    return bids.filter(answer_due__lte=now)


def _asked_at() -> Coalesce:
    """Since when the kindergarten owes the answer."""
    return Coalesce("asked_at", "awarded_at", "placed_at")


def _waiting(locality: Locality) -> QuerySet[Bid]:
    return bids_to_answer().filter(**{f"{_KINDERGARTEN}__locality": locality})


def _unmarked(bids: QuerySet[Bid], step: Step) -> QuerySet[Bid]:
    return bids.filter(**{step.mark: None})


def _kindergartens(bids: QuerySet[Bid], step: Step) -> QuerySet[Kindergarten]:
    return Kindergarten.objects.filter(pk__in=_unmarked(bids, step).order_by().values(_KINDERGARTEN))


def _tell_workers(kindergarten: Kindergarten, *, step: Step, bids: QuerySet[Bid], now: datetime) -> None:
    locality = kindergarten.locality
    with transaction.atomic():
        workers = list(able(employees_of(kindergarten, today=locality.day(now)), ANSWER))
        found = _take(bids.filter(**{_KINDERGARTEN: kindergarten}), step, now=now) if workers else []
        if not found:
            return
        first = min(bid.answer_due for bid in found if bid.answer_due)
        _tell(
            workers,
            step,
            found,
            now=now,
            kindergarten=kindergarten,
            last_day=locality.last_day(first),
        )


def _tell_officials(locality: Locality, *, now: datetime) -> None:
    """Tell the officials of the locality; of what none of them may decide, those who work everywhere."""
    late = past_the_end(_waiting(locality), now=now)
    with transaction.atomic():
        here = list(able(employees_in(locality, today=locality.day(now)), STAND_IN))
        barred = Q() if not here else Q(application__child__in=children_of_all(here))
        if here:
            _tell_late(here, late.exclude(barred), locality=locality, now=now)
        if _unmarked(late.filter(barred), LATE).exists():
            others = [one for one in able(employees_everywhere(), STAND_IN) if one not in here]
            _tell_late(others or here, late.filter(barred), locality=locality, now=now)


def children_of_all(employees: Iterable[User]) -> set[UUID]:
    """The children of whom each of these is a guardian, so that none of them decides about them."""
    families = [{*own_children(one)} for one in employees]
    return set.intersection(*families) if families else set()


def _tell_late(officials: list[User], bids: QuerySet[Bid], *, locality: Locality, now: datetime) -> None:
    if found := _take(bids, LATE, now=now) if officials else []:
        kindergartens = {bid.vacancy.group.kindergarten_id for bid in found}
        _tell(officials, LATE, found, now=now, locality=locality, kindergartens=len(kindergartens))


def _take(bids: QuerySet[Bid], step: Step, *, now: datetime) -> list[Bid]:
    """Those that are not marked, marked now. Rows that another transaction holds are left to the next run."""
    locked = _unmarked(bids, step).select_for_update(of=("self",), no_key=True, skip_locked=True)
    found = list(locked)
    Bid.objects.filter(pk__in=[bid.pk for bid in found]).update(**{step.mark: now})
    return found


def _tell(employees: Iterable[User], step: Step, bids: list[Bid], *, now: datetime, **context: Any) -> None:
    """A notice in the workplace, and an e-mail to whoever has an address."""
    # The marks let each bid be told of once; a bid that waits again is told of again.
    key = f"{step.kind}:{min(str(bid.pk) for bid in bids)}:{now.isoformat()}"
    context["bids"] = len(bids)
    answer = "overdue" if step is LATE else "due"
    link = f"{reverse('admin:applications_bid_changelist')}?answer={answer}"
    for employee in employees:
        enqueue(employee, step.kind, context=context, dedupe_key=key, now=now, link=link)
        if address := address_of(employee):
            enqueue_to_mail(
                address,
                step.kind,
                context=context,
                language=employee.language,
                dedupe_key=f"{key}:{employee.pk}",
                now=now,
            )
