"""What a child could apply for, said to somebody without an account: of the child only its birth year is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from django.db.models import Count, F

from applications.bidding.eligibility import refusal_of_newcomer
from applications.forecast.outlook import LAST, Outlook, outlook_of_newcomer
from applications.models import Rules
from applications.refusals import Refusal
from applications.rules.ages import too_old_from
from applications.rules.in_force import rules_of_day
from applications.states import Tier
from bulletin.models import AgeGroup, Language, Locality, Vacancy
from bulletin.opening import Phase, phase
from bulletin.school_years import MIXED, suitable_years
from bulletin.selectors import Listing, MatchCounts, match_counts, published_vacancies

_YEARS_AHEAD: Final = 2


class Newcomer(NamedTuple):
    """Who files an application now, as the rules of matching see them (`eligibility.Seeker`)."""

    locality_id: int
    birth_year: int
    languages: Sequence[str]
    tier: int
    filed_at: datetime
    sequence: int = LAST


def newcomer(*, locality: Locality, birth_year: int, language: str, tier: Tier, now: datetime) -> Newcomer:
    """Without a language: one that names them all."""
    languages = [language] if language else list(Language.values)
    return Newcomer(locality.pk, birth_year, languages, tier, now)


@dataclass(frozen=True)
class Fit(Listing):
    """A published place for such children; `refusal` says why nobody who files now can apply for it at this moment."""

    refusal: Refusal | None


def fit_of(one: Newcomer, vacancy: Vacancy, *, now: datetime) -> Fit:
    """How one place, loaded with its group, kindergarten and cut-offs, fits."""
    return Fit(vacancy, phase(vacancy, now=now), refusal_of_newcomer(one, vacancy, now=now))


@dataclass(frozen=True)
class Offer:
    """The bulletin of one locality for such a child: the first places that suit, and how many do not, and why."""

    fits: list[Fit]
    counts: MatchCounts
    by_phase: Mapping[Phase, int]

    @property
    def open_now(self) -> int:
        """How many can be pressed for now; who files now is in no head of a queue."""
        return self.by_phase.get(Phase.OPEN, 0)

    @property
    def not_now(self) -> list[tuple[str, int]]:
        """The others that suit, by what they are now."""
        return [(str(phase.label), count) for phase, count in self.by_phase.items() if phase != Phase.OPEN]

    @property
    def of_other_years(self) -> int:
        return self.counts.in_place - self.counts.of_year

    @property
    def in_other_languages(self) -> int:
        return self.counts.of_year - self.counts.in_language


def offer_for(one: Newcomer, locality: Locality, *, first: int, now: datetime) -> Offer:
    """Five statements, however many places there are."""
    suiting = (
        published_vacancies(locality=locality, birth_year=one.birth_year, now=now)
        .filter(group__language__in=one.languages)
        .prefetch_related("cutoffs")
    )
    counts = match_counts(locality=locality, birth_year=one.birth_year, languages=one.languages, now=now)
    counted = suiting.order_by().values(now_in=F("phase_now")).annotate(count=Count("pk"))
    phases = {row["now_in"]: row["count"] for row in counted}
    by_phase = {one: phases[one] for one in Phase if one in phases}
    return Offer([fit_of(one, vacancy, now=now) for vacancy in suiting[:first]], counts, by_phase)


@dataclass(frozen=True)
class Time:
    """From which day to which last day such a child can wait in a queue, as the rules stand today."""

    first_day: date
    last_day: date
    is_now: bool


def time_of(locality: Locality, birth_year: int, *, now: datetime) -> Time:
    """One statement for the rules, one for the end."""
    today, rules = locality.day(now), rules_of_day(locality, now)
    first_day = date(birth_year + rules.youngest_age, 1, 1)
    end = too_old_from(birth_year, Rules.objects.all(), locality=locality, now=now)
    return Time(first_day, locality.last_day(end), rules.admits(birth_year, on=today))


@dataclass(frozen=True)
class Groups:
    """Which groups by age may name the child's birth year, from a day on."""

    since: date
    groups: list[AgeGroup]


def groups_ahead(birth_year: int, *, today: date) -> list[Groups]:
    """The groups of this year and of the next ones, for as long as there are any. Pure."""
    found = []
    for year in range(today.year, today.year + _YEARS_AHEAD + 1):
        day = max(today, date(year, 1, 1))
        groups = [one for one in AgeGroup if one != MIXED and birth_year in suitable_years(one.value, on=day)]
        if groups:
            found.append(Groups(day, groups))
    return found


@dataclass(frozen=True)
class Option:
    """The wait under one condition."""

    locality: Locality
    tier: Tier
    outlook: Outlook
    is_asked: bool = False


def options_beside(
    locality: Locality, other: Locality | None, *, birth_year: int, tier: Tier, now: datetime
) -> list[Option]:
    """The wait as asked for, with each better part of the queue, and in another locality. Three statements each."""
    asked: Iterable[tuple[Locality, Tier]] = [(locality, one) for one in reversed(Tier) if one <= tier]
    if other is not None and other != locality:
        asked = [*asked, (other, tier)]
    return [
        Option(
            place,
            part,
            outlook_of_newcomer(locality=place, birth_year=birth_year, tier=part, now=now),
            is_asked=(place, part) == (locality, tier),
        )
        for place, part in asked
    ]
