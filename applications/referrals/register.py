"""The public register of referrals: which kindergarten gave how many, for which years of birth, month by month.

It must not lead from an application to a kindergarten. Anybody who knows an application's number sees in the public
order on which day it leaves. So the register shows neither days nor states, a month appears once it is over, and a
number says nothing about its application. A birth year is shown if at least five referrals of the place share it in the
month, and only if the referrals without a birth year are also at least five: otherwise theirs could be worked out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, DateField, DateTimeField, F, Func, QuerySet, Value
from django.db.models.functions import Cast

from applications.models import Referral
from applications.queue.small_groups import FEW
from bulletin.models import Kindergarten

_PLACE = F("bid__vacancy__group__kindergarten__locality")


@dataclass(frozen=True)
class RegisterRow:
    """One referral as everyone may see it; `month` is its first day, `birth_year` None where it is not shown."""

    number: str
    month: date
    kindergarten: Kindergarten
    birth_year: int | None


def registered(*, now: datetime) -> QuerySet[Referral]:
    """The referrals of all months that are over: the newest month first, inside it by kindergarten and number."""
    return (
        Referral.objects.annotate(month=_month(), place=_PLACE)
        .filter(month__lt=_month(Value(now, output_field=DateTimeField())))
        .select_related("application", "bid__vacancy__group__kindergarten")
        .order_by("-month", "bid__vacancy__group__kindergarten__sort_key", "number")
    )


def register_rows(referrals: Iterable[Referral]) -> list[RegisterRow]:
    """The public rows for some referrals of `registered`, in their order; two statements, however many there are."""
    shown = list(referrals)
    counts = _counts({(referral.place, referral.month) for referral in shown})  # type: ignore[attr-defined]
    rows = []
    for referral in shown:
        month, year = referral.month, referral.application.birth_year  # type: ignore[attr-defined]
        told = told_years(counts[referral.place, month])  # type: ignore[attr-defined]
        kindergarten = referral.bid.vacancy.group.kindergarten
        rows.append(RegisterRow(referral.number, month, kindergarten, year if year in told else None))
    return rows


def told_years(counts: Mapping[int, int]) -> set[int]:
    """Which birth years to show, from the number of a place's referrals in a month for each. Pure."""
    told = {year for year, count in counts.items() if count >= FEW}
    left_out = sum(count for year, count in counts.items() if year not in told)
    return told if left_out == 0 or left_out >= FEW else set()


def _counts(groups: set[tuple[int, date]]) -> dict[tuple[int, date], Counter[int]]:
    """How many referrals there are of each birth year, for some places and months."""
    counts: dict[tuple[int, date], Counter[int]] = {group: Counter() for group in groups}
    if not groups:
        return counts
    rows = (
        Referral.objects.annotate(month=_month(), place=_PLACE)
        .filter(place__in={place for place, _month in groups}, month__in={month for _place, month in groups})
        .order_by()
        .values_list("place", "month", "application__birth_year")
        .annotate(Count("pk"))
    )
    for place, month, birth_year, count in rows:
        if (place, month) in counts:
            counts[place, month][birth_year] = count
    return counts


def _month(at: Any = "issued_at") -> Cast:
    """The first day of the month of an instant, by the calendar of the kindergarten's place."""
    local = Func(F("bid__vacancy__group__kindergarten__locality__timezone"), at, function="timezone")
    month = Func(Value("month"), local, function="date_trunc", output_field=DateTimeField())
    return Cast(month, DateField())
