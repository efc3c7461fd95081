"""The one source of every list and count of the public offer."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    F,
    Func,
    IntegerField,
    Model,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat, Least

from accounts.models import User
from bulletin.models import AgeGroup, Group, Kindergarten, Locality, Pause, Photo, Review, Vacancy
from bulletin.opening import Phase, open_to_all_at, phase
from bulletin.sorting import looked_for, parts_of
from notifications.folding import TO_CYRILLIC_KEYS

# What can be applied for comes first: open to all, to the head of a queue, soon; then what is of no use now.
_READINESS = Case(
    *(
        When(phase_now=phase_now, then=Value(place))
        for place, phase_now in enumerate(
            (Phase.OPEN, Phase.PRIORITY, Phase.ANNOUNCED, Phase.PAUSED, Phase.FULL)
        )
    ),
    output_field=IntegerField(),
)
_SOONEST = Case(When(phase_now=Phase.ANNOUNCED, then=F("opens_at")), output_field=DateTimeField())
# The orders in which a list of vacancies can be asked for; the first is the default.
VACANCY_ORDERS: dict[str, tuple[str | Case, ...]] = {
    "ready": (_READINESS, _SOONEST, "-opens_at", "group__kindergarten__sort_key", "id"),
    "new": ("-opens_at", "group__kindergarten__sort_key", "id"),
    "name": ("group__kindergarten__sort_key", "group__name", "id"),
    "free": ("-free", "-opens_at", "id"),
}


# So many names are offered where none was found, if they share so great a part of what was typed, of which so much is
# looked at.
SUGGESTED: Final = 3
ALIKE: Final = 0.4
MOST_PARTS: Final = 40

# In which phases a kindergarten has places now, or soon.
PHASES_OF_PLACES = {"free": (Phase.OPEN, Phase.PRIORITY), "soon": (Phase.ANNOUNCED,)}
# The groups for a child of so many years; the eldest stay in theirs until school.
AGE_GROUPS = {
    1: (AgeGroup.EARLY, AgeGroup.MIXED),
    2: (AgeGroup.FIRST_JUNIOR, AgeGroup.MIXED),
    3: (AgeGroup.SECOND_JUNIOR, AgeGroup.MIXED),
    4: (AgeGroup.MIDDLE, AgeGroup.MIXED),
    5: (AgeGroup.SENIOR, AgeGroup.MIXED),
    6: (AgeGroup.SENIOR, AgeGroup.MIXED),
}


# --- places --------------------------------------------------------------------------------------------------


def localities() -> list[Locality]:
    """All localities, in the order of the place switch."""
    return list(Locality.objects.all())


# --- pauses --------------------------------------------------------------------------------------------------


def running_pauses(locality: Locality | None = None) -> list[Pause]:
    """The pauses of bidding in force now, the one for everywhere first; all of them, or those of one locality."""
    running = Pause.objects.filter(ended_at=None).select_related("locality")
    if locality is not None:
        running = running.filter(Q(locality=None) | Q(locality=locality))
    return list(running.order_by(F("locality__order").asc(nulls_first=True), "pk"))


def with_pauses(vacancies: QuerySet[Vacancy]) -> QuerySet[Vacancy]:
    """The same rows with `paused_since`; the pauses are read by one small query, when this is called."""
    since: dict[int | None, datetime] = {pause.locality_id: pause.started_at for pause in running_pauses()}
    everywhere = since.pop(None, None)
    cases = [
        When(group__kindergarten__locality=place, then=Value(min(started, everywhere or started)))
        for place, started in since.items()
    ]
    paused_since = Case(*cases, default=Value(everywhere), output_field=DateTimeField())
    return vacancies.annotate(paused_since=paused_since)  # type: ignore[no-redef]  # saves the property its query


def with_phase(vacancies: QuerySet[Vacancy], *, now: datetime) -> QuerySet[Vacancy]:
    """The same rows with `paused_since` and, as `phase_now`, what `opening.phase` says of them at `now`.

    The conditions are those of `phase`, in its order; a property test holds the two together.
    """
    cases = [
        When(state=Vacancy.State.DRAFT, then=Value(Phase.DRAFT.value)),
        When(state=Vacancy.State.RECALLED, then=Value(Phase.RECALLED.value)),
        When(state=Vacancy.State.CLOSED, then=Value(Phase.CLOSED.value)),
        # The clock of bidding stands still during a pause; LEAST passes over a pause that is none.
        When(closes_at__lte=Least(Value(now), "paused_since"), then=Value(Phase.CLOSED.value)),
        When(opens_at__gt=now, then=Value(Phase.ANNOUNCED.value)),
        When(seats_taken__gte=F("seats_total"), then=Value(Phase.FULL.value)),
        When(paused_since__isnull=False, then=Value(Phase.PAUSED.value)),
        When(priority_until__gt=now, then=Value(Phase.PRIORITY.value)),
    ]
    phase_now = Case(*cases, default=Value(Phase.OPEN.value), output_field=CharField())
    return with_pauses(vacancies).annotate(phase_now=phase_now)


# --- vacancies -----------------------------------------------------------------------------------------------


def in_phases(phases: Collection[Phase], *, now: datetime) -> QuerySet[Vacancy]:
    """The published vacancies that are in one of these phases at `now`, for a condition of another query."""
    return with_phase(Vacancy.objects.filter(state=Vacancy.State.PUBLISHED), now=now).filter(
        Q(phase_now__in=phases)
    )


def published_vacancies(
    *,
    locality: Locality | None = None,
    search: str = "",
    birth_year: int | None = None,
    language: str = "",
    place_type: str = "",
    status: str = "",
    sort: str = "",
    now: datetime,
) -> QuerySet[Vacancy]:
    """What the bulletin shows at `now`: published vacancies that are not over, including full and paused ones.

    `search` is a part of the kindergarten's name in either language, in any case, in Kazakh letters or the similar
    Russian ones. `status="open"` keeps those to which every matching family may apply, "soon" those that open later;
    any other status keeps all (`applications` knows what is open to one family). `sort` is a key of `VACANCY_ORDERS`.
    An empty value does not filter. Group, kindergarten and locality come with each row.
    """
    published = with_phase(Vacancy.objects.filter(state=Vacancy.State.PUBLISHED), now=now)
    vacancies = published.filter(~Q(phase_now=Phase.CLOSED)).select_related("group__kindergarten__locality")
    if locality is not None:
        vacancies = vacancies.filter(group__kindergarten__locality=locality)
    if search:
        vacancies = vacancies.filter(named(search, prefix="group__kindergarten__"))
    if birth_year is not None:
        vacancies = vacancies.filter(birth_years__contains=[birth_year])
    if language:
        vacancies = vacancies.filter(group__language=language)
    if place_type:
        vacancies = vacancies.filter(place_type=place_type)
    if status == "open":
        vacancies = vacancies.filter(Q(phase_now=Phase.OPEN))
    if status == "soon":
        vacancies = vacancies.filter(Q(phase_now=Phase.ANNOUNCED))
    if sort == "free":
        vacancies = vacancies.annotate(free=F("seats_total") - F("seats_taken"))
    return vacancies.order_by(*VACANCY_ORDERS.get(sort, VACANCY_ORDERS["ready"]))


def named(search: str, *, prefix: str = "") -> Q:
    """Every telling word of `search` occurs in the name, as `sorting.looked_for` has them; signs as they stand."""
    words = Q()
    for looked in looked_for(search):
        found = reduce(or_, (Q(**{f"{prefix}search_text__contains": one}) for one in looked.spellings))
        if looked.consonants:
            found |= Q(**{f"{prefix}search_text__consonants__contains": looked.consonants})
        words &= found
    signs = search.strip()
    if signs and not words:
        return Q(**{f"{prefix}name_kk__contains": signs}) | Q(**{f"{prefix}name_ru__contains": signs})
    return words


def similar(search: str, among: QuerySet[Kindergarten]) -> list[Kindergarten]:
    """The few of `among` whose names come closest to a search that found nothing; by one statement, or two.

    They have what was typed in their names if its keys are read as Cyrillic ones; or else they share the most pieces
    of three letters with it, and a good part of them.
    """
    typed = search.casefold()
    meant = typed.translate(TO_CYRILLIC_KEYS)
    if meant != typed and (found := among.filter(named(meant)).order_by("sort_key", "pk")[:SUGGESTED]):
        return list(found)
    parts = parts_of(search)[:MOST_PARTS]
    if not parts:
        return []
    text = Concat(Value(" "), F("search_text"), Value(" "), output_field=TextField())
    shared = sum(
        (Case(When(Q(spaced__contains=part), then=Value(1)), default=Value(0)) for part in parts),
        start=Value(0),
    )
    scored = among.annotate(spaced=text).annotate(shared=shared).filter(shared__gte=len(parts) * ALIKE)
    return list(scored.order_by("-shared", "sort_key", "pk")[:SUGGESTED])


def closest(search: str, among: QuerySet[Kindergarten], *, most: int) -> list[Kindergarten]:
    """Those of `among` that a search finds, `most` at most; or else those whose names come closest."""
    return list(among.filter(named(search))[:most]) or similar(search, among)


@dataclass(frozen=True)
class VacancyCounts:
    """How many vacancies a list holds, how many of them are open to all, and their places."""

    vacancies: int
    open: int
    seats_total: int
    seats_free: int


def vacancy_counts(vacancies: QuerySet[Vacancy]) -> VacancyCounts:
    """The counts of a list from `published_vacancies` (filtered by anything except status), by one query."""
    counts = vacancies.order_by().aggregate(
        vacancies=Count("pk"),
        open_now=Count("pk", filter=Q(phase_now=Phase.OPEN)),
        total=Coalesce(Sum("seats_total"), 0),
        taken=Coalesce(Sum("seats_taken"), 0),
    )
    return VacancyCounts(
        vacancies=counts["vacancies"],
        open=counts["open_now"],
        seats_total=counts["total"],
        seats_free=counts["total"] - counts["taken"],
    )


@dataclass(frozen=True)
class MatchCounts:
    """How many listed vacancies remain after each condition of a child's application, applied in turn."""

    in_place: int
    of_year: int
    in_language: int


def match_counts(
    *, locality: Locality, birth_year: int, languages: Sequence[str], now: datetime
) -> MatchCounts:
    """The counts of `published_vacancies` for one application, by one query."""
    of_year = Q(birth_years__contains=[birth_year])
    counts = (
        published_vacancies(locality=locality, now=now)
        .order_by()
        .aggregate(
            in_place=Count("pk"),
            of_year=Count("pk", filter=of_year),
            in_language=Count("pk", filter=of_year & Q(group__language__in=languages)),
        )
    )
    return MatchCounts(**counts)


def offered_birth_years() -> list[int]:
    """The birth years with a published vacancy, the youngest children first."""
    offered = Vacancy.objects.filter(state=Vacancy.State.PUBLISHED).order_by()
    years = offered.annotate(year=Func("birth_years", function="unnest")).values_list("year", flat=True)
    return sorted(years.distinct(), reverse=True)


@dataclass(frozen=True)
class Listing:
    """A vacancy with its phase, as a list shows it."""

    vacancy: Vacancy
    phase: Phase

    @property
    def years(self) -> str:
        return ", ".join(str(year) for year in self.vacancy.birth_years)

    @property
    def open_to_all_at(self) -> datetime | None:
        """As the rule of that name; whoever is not in the head of the queue waits until then."""
        return open_to_all_at(self.vacancy, self.phase)


def listings(vacancies: Iterable[Vacancy], *, now: datetime) -> list[Listing]:
    """The vacancies with their phases at `now`."""
    return [Listing(vacancy, phase(vacancy, now=now)) for vacancy in vacancies]


@dataclass(frozen=True)
class OfferNow:
    """What everybody who matches can apply for now and what opens next: the first few of each.

    `vacancies` and `seats_free` count all that are open.
    """

    vacancies: int
    seats_free: int
    open: list[Listing]
    soon: list[Listing]


def offer_now(*, locality: Locality | None, first: int, now: datetime) -> OfferNow:
    """The offer of one locality, or of all, with the `first` few of each list in the order of the bulletin."""
    listed = published_vacancies(locality=locality, now=now)
    open_now, soon = (listed.filter(Q(phase_now=one)) for one in (Phase.OPEN, Phase.ANNOUNCED))
    counts = vacancy_counts(open_now)
    return OfferNow(
        vacancies=counts.vacancies,
        seats_free=counts.seats_free,
        open=listings(open_now[:first], now=now),
        soon=listings(soon[:first], now=now),
    )


# --- kindergartens -------------------------------------------------------------------------------------------


def kindergartens(
    *,
    locality: Locality | None = None,
    search: str = "",
    ownership: str = "",
    type: str = "",  # noqa: A002 - the filter's name in addresses
    language: str = "",
    age: int | None = None,
    regime: str = "",
    fee: int | None = None,
    places: str = "",
    now: datetime,
) -> QuerySet[Kindergarten]:
    """The catalogue in the order of the Kazakh alphabet, by proper name; `with_offer` adds what a card tells.

    `language`, `age` (in years) and `regime` keep kindergartens with one group that has all of
    them; `places` those with such a group that has places to apply for now ("free"), or opens later ("soon"). `fee` is
    the most that a family pays, in tenge a month: a kindergarten that does not tell is left out. `search` is as in
    `published_vacancies`.
    """
    found = Kindergarten.objects.filter(named(search))
    if locality is not None:
        found = found.filter(locality=locality)
    if ownership:
        found = found.filter(ownership=ownership)
    if type:
        found = found.filter(type=type)
    if fee is not None:
        found = found.filter(profile__fee__lte=fee)
    suitable = _suitable_groups(language=language, age=age, regime=regime)
    if phases := PHASES_OF_PLACES.get(places):
        offered = in_phases(phases, now=now).filter(group__in=suitable)
        found = found.filter(pk__in=offered.values("group__kindergarten"))
    elif language or age is not None or regime:
        found = found.filter(pk__in=suitable.values("kindergarten"))
    return found


def with_offer(found: QuerySet[Kindergarten], *, now: datetime) -> QuerySet[Kindergarten]:
    """The same rows with their groups, `group_count`, and `free_places`: those of the bulletin at `now`."""
    return found.annotate(
        free_places=_free_places_of("group__kindergarten", now=now), group_count=_count_of_groups()
    ).prefetch_related(Prefetch("groups", Group.objects.order_by("age_group", "name")))


def kindergartens_at(slugs: Collection[str], *, now: datetime) -> list[Kindergarten]:
    """The kindergartens at these addresses, in their order, with their offer and their pages.

    What is no kindergarten any more is left out.
    """
    found = with_offer(Kindergarten.objects.filter(slug__in=slugs), now=now).select_related(
        "locality", "profile"
    )
    by_slug = {one.slug: one for one in found}
    return [by_slug[slug] for slug in slugs if slug in by_slug]


def _suitable_groups(*, language: str, age: int | None, regime: str) -> QuerySet[Group]:
    groups = Group.objects.order_by()
    if language:
        groups = groups.filter(language=language)
    if age is not None:
        groups = groups.filter(age_group__in=AGE_GROUPS[age])
    return groups.filter(regime=regime) if regime else groups


def _free_places_of(path: str, *, now: datetime) -> Coalesce:
    """A column with the free places in the bulletin, for the model that `path` leads to from a vacancy."""
    vacancies = published_vacancies(now=now).filter(**{path: OuterRef("pk")}).order_by()
    free = vacancies.values(path).annotate(free=Sum(F("seats_total") - F("seats_taken"))).values("free")
    return Coalesce(Subquery(free), Value(0), output_field=IntegerField())


def _count_of_groups() -> Coalesce:
    groups = Group.objects.filter(kindergarten=OuterRef("pk")).order_by().values("kindergarten")
    counted = groups.annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), Value(0), output_field=IntegerField())


def groups_of(kindergarten: Kindergarten, *, now: datetime) -> QuerySet[Group]:
    """The groups of a kindergarten by age, each with its `free_places` in the bulletin at `now`."""
    groups = Group.objects.filter(kindergarten=kindergarten)
    return groups.annotate(free_places=_free_places_of("group", now=now)).order_by("age_group", "name")


def published_photos(kindergarten: Kindergarten) -> QuerySet[Photo]:
    """The photos that an official published, in the order in which they were sent."""
    return kindergarten.photos.filter(state=Photo.State.PUBLISHED)


@dataclass(frozen=True)
class OfferTotals:
    """The size of the offer: organisations, groups, their capacity, free places in the bulletin."""

    kindergartens: int
    groups: int
    capacity: int
    vacancies: int
    seats_free: int


def offer_totals(*, locality: Locality | None = None, now: datetime) -> OfferTotals:
    """The totals of one locality, or of all."""
    here: dict[str, Model] = {} if locality is None else {"locality": locality}
    groups = Group.objects.filter(**{f"kindergarten__{key}": value for key, value in here.items()})
    size = groups.aggregate(groups=Count("pk"), capacity=Coalesce(Sum("capacity"), 0))
    counts = vacancy_counts(published_vacancies(locality=locality, now=now))
    return OfferTotals(
        kindergartens=Kindergarten.objects.filter(**here).count(),
        vacancies=counts.vacancies,
        seats_free=counts.seats_free,
        **size,
    )


# --- reviews -------------------------------------------------------------------------------------------------


def published_reviews(*, kindergarten: Kindergarten | None = None) -> QuerySet[Review]:
    """The reviews that a moderator published, newest first; of one kindergarten, or all."""
    reviews = Review.objects.filter(state=Review.State.PUBLISHED)
    if kindergarten is not None:
        reviews = reviews.filter(kindergarten=kindergarten)
    return reviews.select_related("author__profile", "kindergarten")


def unanswered_reviews() -> QuerySet[Review]:
    """Published reviews of kindergartens that nobody has answered."""
    return Review.objects.filter(state=Review.State.PUBLISHED, kindergarten__isnull=False, answer="")


def subjects_of_reviews(pks: Collection[str]) -> dict[str, str]:
    """The kindergartens that these reviews are about, by the reviews' keys as text; empty for the portal itself."""
    reviews = Review.objects.filter(pk__in=pks).select_related("kindergarten")
    return {str(review.pk): review.kindergarten.name if review.kindergarten else "" for review in reviews}


def reviews_of(author: User) -> QuerySet[Review]:
    """Everything this user wrote, newest first, with the moderator's decision."""
    return Review.objects.filter(author=author).select_related("kindergarten")
