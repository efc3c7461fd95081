"""How long families waited for a kindergarten, and how many applied: told to everybody, so never of a few."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import ExtractDay

from applications.models import Contract
from applications.queue.small_groups import FEW, told
from applications.reports.figures import median_of
from bulletin.demand import Demand, PastVacancy
from bulletin.models import Kindergarten, Vacancy
from bulletin.opening import Phase
from bulletin.selectors import with_phase

YEAR: Final = timedelta(days=365)
# The newest vacancies of the past that the page shows.
SHOWN: Final = 8


def demand(kindergarten: Kindergarten, *, now: datetime) -> Demand:
    """What `bulletin.demand` shows of it at `now`; three small statements."""
    return Demand(
        waited_days=waited_days(kindergarten, now=now),
        past=[
            PastVacancy(
                group=vacancy.group.name,
                age_group=vacancy.group.get_age_group_display(),
                opened_on=kindergarten.locality.day(vacancy.opens_at),
                places=vacancy.seats_total,
                applied=told(vacancy.applied),
            )
            for vacancy in _past(kindergarten, now=now)[:SHOWN]
        ],
    )


def waited_days(kindergarten: Kindergarten, *, now: datetime) -> int | None:
    """The median of days from filing to the contract, of those signed within a year; None of fewer than `FEW`."""
    signed = Contract.objects.filter(
        referral__bid__vacancy__group__kindergarten=kindergarten, signed_at__gt=now - YEAR, signed_at__lte=now
    )
    waited = signed.annotate(days=ExtractDay(F("signed_at") - F("referral__application__filed_at")))
    days = Counter(waited.values_list("days", flat=True))
    return median_of(days) if days.total() >= FEW else None


def _past(kindergarten: Kindergarten, *, now: datetime) -> "QuerySet[Any]":
    """Vacancies that were open once and are over, or full, with `applied`: how many children were bid for."""
    mine = Vacancy.objects.filter(
        group__kindergarten=kindergarten, opens_at__lte=now, published_at__isnull=False
    )
    over = with_phase(mine, now=now).filter(
        Q(phase_now__in=[Phase.CLOSED, Phase.RECALLED, Phase.FULL]), ~Q(state=Vacancy.State.DRAFT)
    )
    counted = over.annotate(applied=Count("bids__application", distinct=True))
    return counted.select_related("group").order_by("-opens_at", "id")
