"""Whom another day off, or another working day, would touch: shown to officials before it is saved."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from applications.models import Offer, Referral, StopListEntry
from applications.referrals.days_off import Longer, to_lengthen
from applications.referrals.due import valid_referrals
from applications.states import OfferState
from applications.workplace import bids_to_answer
from bulletin.calendar import calendar_with, working_calendar
from bulletin.models import Holiday, Locality
from bulletin.workdays import Calendar, NoCalendar, end_of_day, start_of_day

M = TypeVar("M", bound=Model)

# So many of each kind are named, the earliest first.
EXAMPLES = 5


@dataclass(frozen=True)
class Deadlines:
    """One kind of deadline: how many get another last day, and how many under way over that day stay as promised."""

    label: str
    stay: int
    moved: list[Longer] = field(default_factory=list)

    @property
    def examples(self) -> list[Longer]:
        return self.moved[:EXAMPLES]

    @property
    def others(self) -> int:
        return max(0, len(self.moved) - EXAMPLES)


def longer_by(holiday: Holiday, *, now: datetime) -> list[Longer]:
    """The referrals that get a later last day by this one day, the earliest first.

    Not those that the present calendar would lengthen as well, which a worker is about to do.
    """
    rows = _referrals(holiday.date, _zones(), now=now)
    present = {one.referral.pk: one.becomes for one in _longer(_calendar(None), rows, now=now)}
    return [
        one
        for one in _longer(_calendar(holiday), rows, now=now)
        if one.becomes > present.get(one.referral.pk, one.last_day)
    ]


def touched_by(holiday: Holiday, *, now: datetime) -> list[Deadlines]:
    """What the day means for every kind of deadline that counts working days and is under way over it."""
    longer = longer_by(holiday, now=now)
    extended = [one for one in longer if hasattr(one.referral, "extension")]
    plain = [one for one in longer if not hasattr(one.referral, "extension")]
    day, zones = holiday.date, _zones()
    referrals = _referrals(day, zones, now=now)
    is_extended = Referral.objects.filter(extension__isnull=False).values("pk")
    stops = StopListEntry.objects.filter(lifted_at=None, until__gt=now)
    offers = Offer.objects.filter(state=OfferState.OFFERED, held_since=None, until__gt=now)
    answers = bids_to_answer().filter(answer_due__gt=now)
    asked = answers.annotate(owed_since=Coalesce("asked_at", "awarded_at", "placed_at"))
    place = "application__locality"
    return [
        Deadlines(_("Referrals"), referrals.exclude(pk__in=is_extended).count() - len(plain), plain),
        Deadlines(
            _("Extended referrals"), referrals.filter(pk__in=is_extended).count() - len(extended), extended
        ),
        Deadlines(
            _("Stop-list"), _over(stops, day, zones, since="starts_at", until="until", place=place).count()
        ),
        Deadlines(
            _("Offered places"),
            _over(offers, day, zones, since="made_at", until="until", place=place).count(),
        ),
        Deadlines(
            _("Answers that kindergartens owe"),
            _over(asked, day, zones, since="owed_since", until="answer_due", place=place).count(),
        ),
    ]


def _calendar(holiday: Holiday | None) -> Calendar | None:
    try:
        return working_calendar() if holiday is None else calendar_with(holiday)
    except NoCalendar:
        return None


def _longer(calendar: Calendar | None, rows: QuerySet[Referral], *, now: datetime) -> Iterable[Longer]:
    return () if calendar is None else to_lengthen(calendar, among=rows, now=now)


def _referrals(day: date, zones: Iterable[ZoneInfo], *, now: datetime) -> QuerySet[Referral]:
    """Those in force whose last day can move with the day: no others do."""
    rows = valid_referrals(now=now)
    return _over(rows, day, zones, since="issued_at", until="valid_until", place="application__locality")


def _zones() -> list[ZoneInfo]:
    return [
        ZoneInfo(name) for name in Locality.objects.order_by().values_list("timezone", flat=True).distinct()
    ]


def _over(
    rows: QuerySet[M], day: date, zones: Iterable[ZoneInfo], *, since: str, until: str, place: str
) -> QuerySet[M]:
    """Those that began before the end of the local day and end after its beginning."""
    found = Q(pk__in=[])
    for zone in zones:
        found |= Q(
            **{
                f"{place}__timezone": zone.key,
                f"{since}__lt": end_of_day(day, zone),
                f"{until}__gt": start_of_day(day, zone),
            }
        )
    return rows.filter(found)
