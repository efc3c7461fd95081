"""One source of every list and count: filters, search, order, totals."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from bulletin import selectors
from bulletin.chosen_place import chosen_locality
from bulletin.models import Kindergarten, KindergartenProfile, Language, Locality, Pause, Review, Vacancy
from bulletin.opening import Phase, phase
from tests.factories import GroupFactory, KindergartenFactory, LocalityFactory, StaffFactory, VacancyFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2019, 6, 26, 10, 20, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def place(**fields: Any) -> Vacancy:
    """A vacancy that opened yesterday."""
    return VacancyFactory.create(**{"opens_at": NOW - timedelta(days=1), **fields})


def listed(**filters: Any) -> list[Vacancy]:
    return list(selectors.published_vacancies(**filters, now=NOW))


def kentau() -> Locality:
    return LocalityFactory.create(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


# --- places --------------------------------------------------------------------------------------------------


def test_the_chosen_place_is_the_cookies_or_the_first(rf) -> None:
    first, second = LocalityFactory.create(), kentau()
    request = rf.get("/")
    assert chosen_locality(request) == first
    request.COOKIES["place"] = "kentau"
    assert chosen_locality(request) == second
    request.COOKIES["place"] = "'; drop table --"
    assert chosen_locality(request) == first


def test_no_place_before_any_exists(rf) -> None:
    assert chosen_locality(rf.get("/")) is None


# --- vacancies -----------------------------------------------------------------------------------------------


def test_only_published_vacancies_whose_time_is_not_over_are_listed() -> None:
    shown = {
        place(),
        place(opens_at=NOW + timedelta(days=1)),
        place(seats_total=1, seats_taken=1),
        place(closes_at=NOW + MICROSECOND),
    }
    place(closes_at=NOW)
    for state in (Vacancy.State.DRAFT, Vacancy.State.RECALLED, Vacancy.State.CLOSED):
        place(state=state)
    assert set(listed()) == shown


BORDERS = (NOW - MICROSECOND, NOW, NOW + MICROSECOND)


@pytest.mark.parametrize("paused_at", [None, *BORDERS[:2]])
@pytest.mark.parametrize("state", Vacancy.State)
def test_the_database_tells_the_phase_as_the_rule_does_at_every_border(state, paused_at) -> None:
    group = GroupFactory.create()
    every = itertools.product(
        (NOW - timedelta(hours=1), *BORDERS), (None, *BORDERS), (None, *BORDERS), (0, 1)
    )
    for opens_at, priority_until, closes_at, taken in every:
        if closes_at is None or closes_at > opens_at:
            place(
                group=group,
                state=state,
                opens_at=opens_at,
                priority_until=priority_until,
                closes_at=closes_at,
                seats_total=1,
                seats_taken=taken,
            )
    if paused_at is not None:
        staff = StaffFactory.create()
        Pause.objects.create(notice_kk="Үзіліс", notice_ru="Пауза", started_at=paused_at, started_by=staff)
    told = list(selectors.with_phase(Vacancy.objects.all(), now=NOW))
    assert [one.phase_now for one in told] == [phase(one, now=NOW) for one in told]
    if state == Vacancy.State.PUBLISHED:
        expected = {Phase.CLOSED, Phase.ANNOUNCED, Phase.FULL}
        expected |= {Phase.PAUSED} if paused_at else {Phase.PRIORITY, Phase.OPEN}
        assert {one.phase_now for one in told} == expected
    is_listed = {one for one in told if one.phase_now != Phase.CLOSED and state == Vacancy.State.PUBLISHED}
    assert set(listed()) == is_listed
    assert set(listed(status="open")) == {one for one in is_listed if one.phase_now == Phase.OPEN}
    assert listed(status="me") == listed()


def test_filters() -> None:
    turkistan, other = LocalityFactory.create(), kentau()
    here = GroupFactory.create(kindergarten__locality=turkistan, language=Language.KAZAKH)
    there = GroupFactory.create(kindergarten__locality=other, language=Language.RUSSIAN)
    one = place(group=here, birth_years=[2016, 2015])
    two = place(group=there, birth_years=[2017], place_type=Vacancy.PlaceType.TEMPORARY)
    assert listed(locality=turkistan) == [one]
    assert listed(locality=other) == [two]
    assert listed(birth_year=2015) == listed(birth_year=2016) == [one]
    assert listed(birth_year=2014) == []
    assert listed(language="ru") == [two]
    assert listed(place_type="temporary") == [two]
    assert listed(locality=turkistan, language="ru") == []


@pytest.mark.parametrize(
    "search",
    [
        "Әлия",
        "әлия",
        "ӘЛИЯ",
        "алия",
        "бөбекжай",
        "БОБЕКЖАЙ",
        "бөбекжай әлия",
        "«Әлия»",
        "ясли алия",
        "  лия ",
    ],
)
def test_search_knows_kazakh_letters_in_any_case(search: str) -> None:
    found = KindergartenFactory.create(
        name_kk='МКҚК "Әлия" бөбекжай-балабақшасы', name_ru="ГККП ясли-сад «Алия»"
    )
    KindergartenFactory.create(name_kk="«Ханзада» балабақшасы", name_ru="Детский сад «Ханзада»")
    vacancy = place(group=GroupFactory.create(kindergarten=found))
    place()
    assert listed(search=search) == [vacancy]
    assert list(selectors.kindergartens(search=search, now=NOW)) == [found]


@pytest.mark.parametrize("search", ["%", "_", "\\", "'", '"', "();--", "☺", "әлияя", "а" * 100])
def test_hostile_search_is_only_text(search: str) -> None:
    KindergartenFactory.create(name_kk="«Ханзада»", name_ru="«Ханзада»")
    found = selectors.kindergartens(search=search, now=NOW)
    assert found.count() == 0


@pytest.mark.parametrize("search", ["%", "_", "\\", "№", " «% "])
def test_signs_alone_are_found_where_they_stand(search: str) -> None:
    KindergartenFactory.create(name_kk="Ханзада", name_ru="Ханзада")
    with_it = KindergartenFactory.create(name_kk="Ханзада", name_ru=f"Ханзада {search.strip()}")
    assert list(selectors.kindergartens(search=search, now=NOW)) == [with_it]
    vacancy = VacancyFactory.create(group__kindergarten=with_it)
    assert listed(search=search) == [vacancy]


def test_search_needs_nothing_of_the_databases_locale() -> None:
    """What is compared is folded already: no lower() of the database takes part, so that a C locale may be used."""
    sql = str(selectors.kindergartens(search="ӘЛИЯ", now=NOW).query)
    assert "upper(" not in sql.lower()
    assert "lower(" not in sql.lower()
    assert "алиа" in sql


def test_orders() -> None:
    names = ["Балпан", "Аққу", "Әлия"]
    groups = [GroupFactory.create(kindergarten__name_kk=name) for name in names]
    balpan = place(group=groups[0], opens_at=NOW - timedelta(days=3), seats_total=5)
    akku = place(group=groups[1], opens_at=NOW - timedelta(days=2), seats_total=9, seats_taken=8)
    aliya = place(group=groups[2], opens_at=NOW - timedelta(days=1), seats_total=3)
    assert listed() == listed(sort="new") == listed(sort="unknown") == [aliya, akku, balpan]
    assert listed(sort="name") == [akku, aliya, balpan]
    assert listed(sort="free") == [balpan, aliya, akku]


def test_what_can_be_applied_for_stands_first() -> None:
    """Open to all, to the head of a queue, what opens soonest; then paused and full places."""
    later, sooner = (place(opens_at=NOW + timedelta(hours=hours)) for hours in (9, 2))
    full = place(opens_at=NOW - timedelta(hours=1), seats_total=1, seats_taken=1)
    head = place(opens_at=NOW - timedelta(hours=2), priority_until=NOW + timedelta(days=1))
    older, newer = (place(opens_at=NOW - timedelta(days=days)) for days in (8, 7))
    kentau = LocalityFactory.create(slug="kentau")
    Pause.objects.create(
        locality=kentau, notice_kk="x", notice_ru="x", started_at=NOW, started_by=StaffFactory.create()
    )
    paused = place(group=GroupFactory.create(kindergarten__locality=kentau), opens_at=NOW - timedelta(days=9))
    assert listed() == [newer, older, head, sooner, later, paused, full]


def test_a_list_is_two_queries(django_assert_num_queries) -> None:
    """The running pauses, and the list."""
    for _number in range(3):
        place()
    with django_assert_num_queries(2):
        for vacancy in listed():
            assert vacancy.locality.name
            assert vacancy.group.kindergarten.name


def test_counts_of_a_list() -> None:
    place(seats_total=5, seats_taken=2)
    place(seats_total=1, seats_taken=1)
    place(seats_total=4, opens_at=NOW + timedelta(hours=1))
    counts = selectors.vacancy_counts(selectors.published_vacancies(sort="free", now=NOW))
    assert counts == selectors.VacancyCounts(vacancies=3, open=1, seats_total=10, seats_free=7)


def test_counts_of_an_empty_list() -> None:
    counts = selectors.vacancy_counts(selectors.published_vacancies(now=NOW))
    assert counts == selectors.VacancyCounts(vacancies=0, open=0, seats_total=0, seats_free=0)


def test_offered_birth_years() -> None:
    place(birth_years=[2016, 2015])
    place(birth_years=[2017, 2016])
    place(birth_years=[2012], state=Vacancy.State.RECALLED)
    assert selectors.offered_birth_years() == [2017, 2016, 2015]


# --- kindergartens -------------------------------------------------------------------------------------------


def test_the_catalogue_is_in_kazakh_order_whoever_wrote_the_rows() -> None:
    names = ["Үміт", "Ханзада", "Аққу", "Әлия", "Балпан", "Қарлығаш", "Керемет", "Өркен", "Іңкәр"]
    Kindergarten.objects.bulk_create(
        KindergartenFactory.build(
            name_kk=f"ЖМ «{name}» балабақшасы", slug=f"k{number}", locality=LocalityFactory.create()
        )
        for number, name in enumerate(names)
    )
    shown = [row.name_kk for row in selectors.kindergartens(now=NOW)]
    expected = ["Аққу", "Әлия", "Балпан", "Керемет", "Қарлығаш", "Өркен", "Үміт", "Ханзада", "Іңкәр"]
    assert shown == [f"ЖМ «{name}» балабақшасы" for name in expected]


def test_a_renamed_kindergarten_moves() -> None:
    first, second = KindergartenFactory.create(name_kk="Аққу"), KindergartenFactory.create(name_kk="Әлия")
    first.name_kk, first.name_ru = "Балпан", "Балпан"
    first.save()
    assert list(selectors.kindergartens(now=NOW)) == [second, first]
    assert list(selectors.kindergartens(search="балпан", now=NOW)) == [first]


def test_free_places_are_those_of_the_bulletin() -> None:
    kindergarten = KindergartenFactory.create()
    group, other = GroupFactory.create_batch(2, kindergarten=kindergarten)
    place(group=group, seats_total=5, seats_taken=2)
    place(group=group, seats_total=2, opens_at=NOW + timedelta(days=1))
    place(group=other, seats_total=4)
    place(group=group, seats_total=9, state=Vacancy.State.DRAFT)
    place(group=group, seats_total=9, state=Vacancy.State.RECALLED)
    place(group=group, seats_total=9, closes_at=NOW)
    empty = KindergartenFactory.create()

    rows = {row.pk: row for row in selectors.with_offer(selectors.kindergartens(now=NOW), now=NOW)}
    assert rows[kindergarten.pk].free_places == 9
    assert rows[kindergarten.pk].group_count == 2
    assert rows[empty.pk].free_places == rows[empty.pk].group_count == 0
    groups = {row.pk: row.free_places for row in selectors.groups_of(kindergarten, now=NOW)}
    assert groups == {group.pk: 5, other.pk: 4}
    assert selectors.offer_totals(now=NOW) == selectors.OfferTotals(
        kindergartens=2, groups=2, capacity=50, vacancies=3, seats_free=9
    )
    nowhere = selectors.offer_totals(locality=kentau(), now=NOW)
    assert nowhere == selectors.OfferTotals(kindergartens=0, groups=0, capacity=0, vacancies=0, seats_free=0)


def test_catalogue_filters() -> None:
    other = kentau()
    state = KindergartenFactory.create(ownership=Kindergarten.Ownership.STATE)
    private = KindergartenFactory.create(locality=other)
    GroupFactory.create(kindergarten=state, language=Language.KAZAKH)
    GroupFactory.create_batch(2, kindergarten=private, language=Language.UZBEK)
    assert list(selectors.kindergartens(ownership="state", now=NOW)) == [state]
    assert list(selectors.kindergartens(language="uz", now=NOW)) == [private]
    assert list(selectors.kindergartens(locality=other, now=NOW)) == [private]
    assert list(selectors.kindergartens(locality=other, language="kk", now=NOW)) == []


def test_the_catalogue_costs_the_same_for_any_length(django_assert_num_queries) -> None:
    for _number in range(4):
        GroupFactory.create_batch(2)
    with django_assert_num_queries(3):
        for kindergarten in selectors.with_offer(selectors.kindergartens(now=NOW), now=NOW):
            assert kindergarten.languages_display


# --- reviews -------------------------------------------------------------------------------------------------


def test_only_published_reviews_newest_first(parent: User) -> None:
    kindergarten = KindergartenFactory.create()

    def review(hours: int, state: str = Review.State.PUBLISHED, **fields: Any) -> Review:
        at = NOW + timedelta(hours=hours)
        return Review.objects.create(author=parent, text=f"{hours}", state=state, created_at=at, **fields)

    old, new = review(1), review(2, kindergarten=kindergarten)
    waiting, refused = review(3, Review.State.PENDING), review(4, Review.State.REJECTED)
    assert list(selectors.published_reviews()) == [new, old]
    assert list(selectors.published_reviews(kindergarten=kindergarten)) == [new]
    assert list(selectors.reviews_of(parent)) == [refused, waiting, new, old]


# --- the catalogue's filters ----------------------------------------------------------------------------------


def catalogue(**filters: Any) -> list[str]:
    return [one.slug for one in selectors.kindergartens(**filters, now=timezone.now())]


@pytest.fixture
def three() -> None:
    """Kindergartens that differ in everything that is asked for."""
    one = KindergartenFactory.create(slug="one", type="nursery", ownership="state")
    two = KindergartenFactory.create(slug="two", type="kindergarten")
    KindergartenFactory.create(slug="three", type="sanatorium")
    for kindergarten, fee, payer in ((one, 0, "state"), (two, 15_000, "both")):
        KindergartenProfile.objects.create(
            kindergarten=kindergarten, fee=fee, payer=payer, confirmed_at=timezone.now()
        )
    kazakh = GroupFactory.create(kindergarten=one, language="kk", age_group="2-3", regime="day")
    russian = GroupFactory.create(kindergarten=one, language="ru", age_group="4-5", regime="round")
    mixed = GroupFactory.create(kindergarten=two, language="ru", age_group="mixed", regime="part")
    VacancyFactory.create(group=russian)
    VacancyFactory.create(group=kazakh, seats_total=2, seats_taken=2)
    VacancyFactory.create(group=mixed, opens_at=timezone.now() + timedelta(days=1))


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"type": "sanatorium"}, ["three"]),
        ({"age": 2}, ["one", "two"]),
        ({"age": 5}, ["two"]),
        ({"age": 6}, ["two"]),
        ({"regime": "round"}, ["one"]),
        # One group must have all of it: the Russian one of the first is for other ages.
        ({"language": "ru", "age": 2}, ["two"]),
        ({"language": "ru", "regime": "day"}, []),
        ({"fee": 0}, ["one"]),
        ({"fee": 14_999}, ["one"]),
        ({"fee": 15_000}, ["one", "two"]),
        ({"places": "free"}, ["one"]),
        ({"places": "free", "language": "kk"}, []),
        ({"places": "soon"}, ["two"]),
        ({"places": "soon", "age": 3}, ["two"]),
    ],
    ids=str,
)
@pytest.mark.usefixtures("three")
def test_what_a_filter_of_the_catalogue_keeps(filters: dict[str, Any], found: list[str]) -> None:
    assert sorted(catalogue(**filters)) == found


# --- a search that forgives ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("детский сад Куншуак", "Күншуақ"),
        ("бөбекжай қарлығаш", "Қарлығаш"),
        ("нурлыжол", "Нұрлы жол"),
        ("карлагаш", "Қарлығаш"),
        ("Hazret Sultan", "Әзірет Сұлтан"),
    ],
)
def test_a_search_forgives(typed: str, name: str) -> None:
    for one in ("Күншуақ", "Қарлығаш", "Нұрлы жол", "Қарақат", "Нұр"):
        KindergartenFactory.create(name_kk=one, name_ru=one)
    KindergartenFactory.create(name_kk="Әзірет Сұлтан", name_ru="Азрет Султан")
    vacancies = {one.name_kk: place(group__kindergarten=one) for one in Kindergarten.objects.all()}
    assert [one.name_kk for one in selectors.kindergartens(search=typed, now=NOW)] == [name]
    assert listed(search=typed) == [vacancies[name]]


def test_where_nothing_is_found_the_closest_names_are_offered() -> None:
    for name in ("Балдырған", "Балдырған 2", "Балдырған 3", "Балдырған 4", "Қарлығаш", "Айгөлек"):
        KindergartenFactory.create(name_kk=name, name_ru=name)
    everywhere = Kindergarten.objects.all()
    assert not everywhere.filter(selectors.named("балдыран"))
    similar = selectors.similar("балдыран", everywhere)
    assert [one.name_kk for one in similar] == ["Балдырған", "Балдырған 2", "Балдырған 3"]
    assert [one.name_kk for one in selectors.similar("айголак", everywhere)] == ["Айгөлек"]
    # «Айголек» and «балдыр» with the Latin keyboard left on.
    assert [one.name_kk for one in selectors.similar("Fqujktr", everywhere)] == ["Айгөлек"]
    assert selectors.similar(",fklsh", everywhere) == similar
    for nothing in ("", "☺", "ваырпджщ", "%", "а" * 100, "qwrtp"):
        assert selectors.similar(nothing, everywhere) == []
    assert [one.name_kk for one in selectors.closest("айголак", everywhere, most=5)] == ["Айгөлек"]
    assert len(selectors.closest("балдырган", everywhere, most=2)) == 2
