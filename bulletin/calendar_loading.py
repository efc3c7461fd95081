"""Loading the official days into the working-day calendar. Web processes never import it, nor the library behind it."""

from dataclasses import dataclass, field

from django.db import transaction

from bulletin.models import Holiday
from bulletin.official_days import ESTIMATE, OfficialDay, official_days


@dataclass
class LoadedDays:
    """What loading official days did, or would do."""

    added: list[OfficialDay] = field(default_factory=list)
    kept: list[OfficialDay] = field(default_factory=list)
    # Differs from the list: an official's decision, which stands.
    differing: list[OfficialDay] = field(default_factory=list)
    # Not in the list: added by an official, or an estimate that has since changed.
    extra: list[Holiday] = field(default_factory=list)


@transaction.atomic
def load_official_days(*, first_year: int, last_year: int, dry_run: bool = False) -> LoadedDays:
    """Add the official days of these years to the calendar; both years included.

    A date that already has a row keeps it, whatever it says: the table is the truth and may hold an official's edit.
    Loading again adds nothing.
    """
    years = range(first_year, last_year + 1)
    present = {day.date: day for day in Holiday.objects.filter(date__year__in=years)}
    result = LoadedDays()
    for day in official_days(years):
        here = present.pop(day.date, None)
        if here is None:
            result.added.append(day)
        elif (here.kind == Holiday.Kind.WORKING_DAY) == day.is_working:
            result.kept.append(day)
        else:
            result.differing.append(day)
    result.extra = sorted(present.values(), key=lambda day: day.date)
    if not dry_run:
        Holiday.objects.bulk_create([_holiday(day) for day in result.added], ignore_conflicts=True)
    return result


def _holiday(day: OfficialDay) -> Holiday:
    return Holiday(
        date=day.date,
        kind=Holiday.Kind.WORKING_DAY if day.is_working else Holiday.Kind.DAY_OFF,
        name_kk=day.name_kk,
        name_ru=day.name_ru,
        source=f"{day.source}{ESTIMATE}" if day.is_estimate else day.source,
    )
