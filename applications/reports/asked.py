"""What a reader asks a report for: which places, years and languages, and over which months."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bulletin.models import Locality

MONTHS_SHOWN: Final = 12
# How far back a single month may be asked for.
MONTHS_KNOWN: Final = 24


class Slice(TextChoices):
    """What the rows of a report are."""

    LOCALITY = "locality", _("Localities")
    YEAR = "year", _("Birth years")
    LANGUAGE = "language", _("Languages of education")
    MONTH = "month", _("Months")
    KINDERGARTEN = "kindergarten", _("Kindergartens")
    AGE_GROUP = "age_group", _("Age groups")
    CATEGORY = "category", _("Benefit categories")


@dataclass(frozen=True)
class Asked:
    """Empty: whatever it is. `localities`: None for all that there are, as the public statistics count.

    `together`: what several askers share, each of a locality or of all, who narrow by nothing else: the rows are then
    read once for all localities and slices, and counted for each asker from that (`facts`).
    """

    now: datetime
    localities: tuple[Locality, ...] | None = None
    birth_year: int | None = None
    language: str = ""
    month: date | None = None
    # A single month, and all that came after it.
    until_now: bool = False
    # The localities named are all that there are, so that nothing need be left out.
    are_everywhere: bool = False
    together: dict[Any, Any] | None = field(default=None, compare=False, repr=False)

    @property
    def zone(self) -> tzinfo:
        """The zone in which months begin: the place's, or the portal's for several together."""
        places = self.localities or ()
        return places[0].zone if len(places) == 1 else timezone.get_default_timezone()

    @property
    def months(self) -> list[date]:
        """The first days of the months that are counted, the oldest first."""
        present = self.now.astimezone(self.zone).date()
        if self.month is None:
            return last_months(present)
        months = [self.month]
        while self.until_now and next_month(months[-1]) <= present:
            months.append(next_month(months[-1]))
        return months

    @property
    def beginnings(self) -> list[datetime]:
        """The first instant of each of the months."""
        return [datetime.combine(month, time.min, tzinfo=self.zone) for month in self.months]

    @property
    def begins(self) -> datetime:
        """The first instant that is counted."""
        return self.beginnings[0]

    @property
    def ends(self) -> datetime:
        """The first instant that is not counted any more."""
        return datetime.combine(next_month(self.months[-1]), time.min, tzinfo=self.zone)

    def holds(self, locality: int, birth_year: int | None = None) -> bool:
        """Whether that locality, or its queue of that year, is asked for."""
        here = self.localities is None or any(locality == one.pk for one in self.localities)
        return here and (birth_year is None or self.birth_year in (None, birth_year))


def last_months(today: date, *, number: int = MONTHS_SHOWN) -> list[date]:
    """The first days of the last `number` months, the present one last. Pure."""
    months = [today.replace(day=1)]
    while len(months) < number:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]


def next_month(first_day: date) -> date:
    """The first day of the month after. Pure."""
    return (first_day + timedelta(days=31)).replace(day=1)
