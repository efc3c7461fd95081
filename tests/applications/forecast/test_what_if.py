"""What a child could apply for, asked without an account: the same rule as the press, and nothing kept."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from applications.bidding.eligibility import refusal_of_newcomer, why_not
from applications.forecast.what_if import groups_ahead, newcomer, offer_for, options_beside, time_of
from applications.models import Rules
from applications.refusals import Refusal
from applications.states import Tier
from bulletin.models import AgeGroup, Vacancy
from bulletin.opening import Phase
from tests.factories import ApplicationFactory, GroupFactory, LocalityFactory, VacancyFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 15, 6, tzinfo=UTC)
PAGE = "/ru/what-if/"
YEAR = 2023


@pytest.fixture(autouse=True)
def _today(clock):
    clock.move_to(NOW)


@pytest.fixture
def place():
    return LocalityFactory()


def vacancy_in(place, *, language="kk", **fields):
    fields = {"birth_years": [YEAR], "opens_at": NOW - timedelta(days=1)} | fields
    return VacancyFactory(group=GroupFactory(kindergarten__locality=place, language=language), **fields)


def child(place, *, language="kk"):
    return newcomer(locality=place, birth_year=YEAR, language=language, tier=Tier.GENERAL, now=NOW)


CASES = {
    None: {},
    Refusal.OTHER_BIRTH_YEAR: {"birth_years": [2022]},
    Refusal.OTHER_LANGUAGE: {"language": "ru"},
    Refusal.NOT_OPEN_YET: {"opens_at": NOW + timedelta(days=1)},
    Refusal.FULL: {"seats_taken": 5},
    Refusal.PRIORITY: {"priority_until": NOW + timedelta(days=1)},
    Refusal.CLOSED: {"state": Vacancy.State.CLOSED},
}


@pytest.mark.parametrize(("refusal", "fields"), CASES.items(), ids=[str(refusal) for refusal in CASES])
def test_says_what_the_press_would_say_to_an_application_filed_now(place, refusal, fields):
    vacancy = vacancy_in(place, **fields)
    filed = ApplicationFactory(
        locality=place, languages=["kk"], child__birth_date=date(YEAR, 5, 4), filed_at=NOW
    )
    assert refusal_of_newcomer(child(place), vacancy, now=NOW) == refusal
    assert why_not(filed, vacancy, now=NOW) == refusal


def test_the_head_of_an_empty_queue_is_nobody(place):
    elsewhere = vacancy_in(LocalityFactory(slug="kentau"))
    assert refusal_of_newcomer(child(place), elsewhere, now=NOW) == Refusal.OTHER_LOCALITY


def test_what_suits_comes_first_and_the_others_are_counted_by_what_parts_them(
    place, django_assert_num_queries
):
    soon = vacancy_in(place, opens_at=NOW + timedelta(days=1))
    now = vacancy_in(place)
    vacancy_in(place, language="ru")
    for _ in range(2):
        vacancy_in(place, birth_years=[2021])
    with django_assert_num_queries(6):
        offer = offer_for(child(place), place, first=5, now=NOW)
    assert [(fit.vacancy, fit.refusal) for fit in offer.fits] == [(now, None), (soon, Refusal.NOT_OPEN_YET)]
    assert (offer.of_other_years, offer.in_other_languages, offer.open_now) == (2, 1, 1)
    # What can't be pressed for now is named apart.
    assert offer.not_now == [(str(Phase.ANNOUNCED.label), 1)]
    # Without a language the application names them all.
    everything = offer_for(child(place, language=""), place, first=5, now=NOW)
    assert (len(everything.fits), everything.in_other_languages) == (3, 0)


def test_the_time_in_the_queue_follows_the_rules_of_the_place(place):
    Rules.objects.create(valid_from=date(2020, 1, 1), locality=place, youngest_age=2, oldest_age=6)
    young, old = (time_of(place, year, now=NOW) for year in (2026, 2019))
    assert (young.first_day, young.is_now) == (date(2028, 1, 1), False)
    assert not old.is_now
    here = time_of(place, YEAR, now=NOW)
    assert (here.is_now, here.last_day) == (True, date(2029, 12, 31))


def test_groups_of_this_year_and_the_next_ones():
    rows = groups_ahead(YEAR, today=NOW.date())
    assert [(row.since, row.groups) for row in rows] == [
        (NOW.date(), [AgeGroup.FIRST_JUNIOR, AgeGroup.SECOND_JUNIOR]),
        (date(2027, 1, 1), [AgeGroup.SECOND_JUNIOR, AgeGroup.MIDDLE]),
        (date(2028, 1, 1), [AgeGroup.MIDDLE, AgeGroup.SENIOR]),
    ]


def test_better_parts_of_the_queue_and_another_locality_stand_beside_what_was_asked(place):
    other = LocalityFactory(slug="kentau")
    born = {"locality": place, "child__birth_date": date(YEAR, 5, 4)}
    ApplicationFactory.create_batch(7, **born)
    ApplicationFactory(tier=Tier.PRIORITY, **born)
    options = options_beside(place, other, birth_year=YEAR, tier=Tier.GENERAL, now=NOW)
    assert [(one.locality, one.tier, one.outlook.position.number, one.is_asked) for one in options] == [
        (place, Tier.GENERAL, 9, True),
        (place, Tier.PRIORITY, 5, False),
        (place, Tier.EXTRAORDINARY, 1, False),
        (other, Tier.GENERAL, 1, False),
    ]


def test_the_page_answers_in_words_and_keeps_its_question_in_the_address(client, place):
    vacancy = vacancy_in(place, language="ru")
    asked = {"place": place.slug, "birth_year": YEAR, "language": "kk", "vacancy": vacancy.pk}
    content = client.get(PAGE, asked).content.decode()
    assert "Группа на другом языке" in content
    assert f'name="vacancy" value="{vacancy.pk}"' in content
    assert "В группах на другом языке: 1." in content
    assert "С даты: <time" in content
    assert f"?place={place.slug}&amp;birth_year={YEAR}&amp;language=kk" in content


def test_a_place_that_opens_later_says_on_every_page_when_it_opens_to_whom(client, place):
    vacancy = vacancy_in(
        place, opens_at=NOW + timedelta(days=1), priority_until=NOW + timedelta(days=4), seats_taken=0
    )
    pages = [
        f"{PAGE}?birth_year={YEAR}",
        f"{PAGE}?birth_year={YEAR}&vacancy={vacancy.pk}",
        "/ru/",
        "/ru/bulletin/",
        "/ru/kindergartens/",
        f"/ru{vacancy.group.kindergarten.get_absolute_url()}",
    ]
    for page in pages:
        text = " ".join(strip_tags(client.get(page).content.decode()).split())
        assert "16.11.2026 11:00 (для первых в очереди). Для всех откроется: 19.11.2026 11:00" in text, page


def test_another_locality_is_compared_by_its_address(client, place):
    other = LocalityFactory(slug="kentau")
    answer = client.get(PAGE, {"birth_year": YEAR, "other": "kentau"})
    assert answer.context["options"][-1]["place"] == other
    assert answer.context["filters"].note == ""


@pytest.mark.parametrize("year", [2010, 2026])
def test_who_is_outside_the_ages_reads_so_and_is_offered_nothing(client, place, year):
    Rules.objects.create(valid_from=date(2020, 1, 1), youngest_age=2)
    vacancy_in(place, birth_years=[year])
    content = client.get(PAGE, {"birth_year": year}).content.decode()
    assert ("Ребёнок ещё мал" if year == 2026 else "Ребёнок школьного возраста") in content
    assert "places__one" not in content


def test_outside_the_ages_nothing_is_told_of_a_wait(client, place):
    """Of a child of school age nothing at all; of one that is too young, what its years will bring."""
    for year, tells_of_later in ((1999, False), (2027, True)):
        page = client.get(PAGE, {"birth_year": year}).content.decode()
        assert "Для оценки мало данных" not in page
        assert "Встать в очередь</a></p>" not in page
        assert ("Что меняется с годами" in page) is tells_of_later
        forecast = client.get("/ru/forecast/", {"birth_year": year}).content.decode()
        assert "Для оценки мало данных" not in forecast
        assert ("Ребёнок школьного возраста" in forecast) is not tells_of_later


def test_where_nobody_is_ahead_it_says_so(client, place):
    assert "впереди никого" in client.get(PAGE, {"birth_year": YEAR}).content.decode()
    assert (
        "Перед вами никого не было бы" in client.get("/ru/forecast/", {"birth_year": YEAR}).content.decode()
    )
    ApplicationFactory(locality=place, child__birth_date=date(YEAR, 5, 4))
    [asked] = [one for one in client.get(PAGE, {"birth_year": YEAR}).context["options"] if one["is_asked"]]
    assert not asked["is_first"]


@pytest.mark.parametrize("query", ["", "?birth_year=x&tier=9&other=nowhere&vacancy=1"])
def test_an_address_that_asks_nothing_is_asked_back(client, place, query):
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    assert "Выберите населённый пункт и год рождения" in answer.content.decode()


def test_a_small_queue_tells_nobody_how_many_have_a_benefit(client, place):
    born = {"locality": place, "child__birth_date": date(YEAR, 5, 4)}
    ApplicationFactory.create_batch(6, **born)
    ApplicationFactory(tier=Tier.PRIORITY, **born)
    answer = client.get(PAGE, {"birth_year": YEAR})
    assert [row["ahead"] for row in answer.context["options"]] == ["7", "", "0"]
    assert "Прочерк вместо числа" in answer.content.decode()
    # The list calls the parts of the queue as the choice above it does.
    assert [str(row["benefit"]) for row in answer.context["options"]] == [
        str(label) for _value, label in answer.context["filters"].fields["tier"].choices
    ]


def test_of_a_birth_year_that_no_group_by_age_is_for_it_says_so(client, place):
    Rules.objects.create(valid_from=date(2020, 1, 1), locality=place, youngest_age=1, oldest_age=9)
    assert "групп для этого года рождения нет" in client.get(PAGE, {"birth_year": 2018}).content.decode()
    assert "групп для этого года рождения нет" not in client.get(PAGE, {"birth_year": YEAR}).content.decode()


def test_the_bulletin_a_place_and_the_forecast_lead_here(client, place):
    vacancy = vacancy_in(place)
    address = reverse("applications:what_if")
    for path in (reverse("applications:bulletin"), f"/forecast/?birth_year={YEAR}"):
        assert f'href="{address}' in client.get(path).content.decode()
    assert f'href="{address}?vacancy={vacancy.pk}"' in client.get(vacancy.get_absolute_url()).content.decode()
