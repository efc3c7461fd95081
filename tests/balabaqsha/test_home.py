"""The home page: the five sections of the manual, the chosen place, and nothing that is not public."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from bulletin.models import Review, Vacancy
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    ReviewFactory,
    UserFactory,
    VacancyFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def kentau():
    return LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


def page(client, address="/"):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("address", ["/", "/ru/"])
def test_all_sections_of_the_manual_are_one_click_away(client, address):
    content = page(client, address)
    prefix = address.rstrip("/")
    for path in ("/bulletin/", "/queue/", "/kindergartens/", "/statistics/", "/feedback/"):
        assert f'href="{prefix}{path}"' in content
    for path in ("/register/", "/login/", "/queue/check/"):
        assert f'href="{prefix}{path}"' in content


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_first_action_leads_into_the_queue(client, parent_client, prefix):
    """A visitor registers and comes back to the form; who is signed in is at the form at once."""
    form = f"{prefix}/cabinet/applications/new/"
    main = page(client, f"{prefix}/").split("<main")[1]
    first = re.search(r'href="([^"]+)"', main)[1]
    assert unescape(first) == f"{prefix}/register/?{urlencode({'next': form})}"
    own = page(parent_client, f"{prefix}/").split("<main")[1]
    assert re.search(r'href="([^"]+)"', own)[1] == form


def test_an_empty_portal_says_what_to_do(client):
    context = client.get("/").context
    assert context["listings"] == []
    assert context["waiting"]["empty"]
    assert page(client).count('class="empty"') == 3


def test_shows_five_places_of_the_chosen_place_that_can_be_applied_for(client, kentau):
    now = timezone.now()
    turkistan = LocalityFactory()

    def place(**fields):
        return VacancyFactory(group__kindergarten__locality=turkistan, **fields)

    made = [place(opens_at=now - timedelta(days=days)) for days in range(1, 8)]
    place(seats_taken=5)
    place(priority_until=now + timedelta(days=1))
    place(opens_at=now + timedelta(hours=1))
    elsewhere = VacancyFactory(group=GroupFactory(kindergarten=KindergartenFactory(locality=kentau)))
    shown = [listing.vacancy for listing in client.get("/").context["listings"]]
    assert shown == made[:5]
    client.cookies["place"] = "kentau"
    assert [listing.vacancy for listing in client.get("/").context["listings"]] == [elsewhere]


def test_where_none_is_open_it_shows_those_that_open_soonest(client):
    now = timezone.now()
    later, sooner = (VacancyFactory(opens_at=now + timedelta(days=days)) for days in (2, 1))
    VacancyFactory(seats_taken=5)
    shown = client.get("/").context
    assert [listing.vacancy for listing in shown["listings"]] == [sooner, later]
    assert not shown["is_open"]


@pytest.mark.parametrize("state", [Vacancy.State.DRAFT, Vacancy.State.RECALLED, Vacancy.State.CLOSED])
def test_a_vacancy_that_is_not_published_is_not_shown(client, state):
    VacancyFactory(state=state)
    assert client.get("/").context["listings"] == []


def test_shows_the_queues_of_the_chosen_place(client, kentau):
    ApplicationFactory.create_batch(6)
    ApplicationFactory.create_batch(5, locality=kentau)
    assert client.get("/").context["waiting"]["rows"] == [{"label": "2017", "value": 6}]
    client.cookies["place"] = "kentau"
    assert client.get("/").context["waiting"]["rows"] == [{"label": "2017", "value": 5}]
    assert client.get("/").context["headline"].waiting == 11


def test_shows_three_published_reviews_without_names(client):
    now = timezone.now()
    author = UserFactory(profile__last_name="ТӨЛЕГЕНОВ", profile__first_name="ЕРМЕК")
    for number in range(5):
        ReviewFactory(
            author=author,
            text=f"Пікір {number}",
            state=Review.State.PUBLISHED if number else Review.State.PENDING,
            created_at=now + timedelta(minutes=number),
        )
    content = page(client)
    assert [review.text for review in client.get("/").context["reviews"]] == ["Пікір 4", "Пікір 3", "Пікір 2"]
    assert "Пікір 0" not in content
    assert "Е." in content
    assert "ермек" not in content.lower()
    assert "төлегенов" not in content.lower()


def test_a_review_of_a_deleted_account_is_still_shown(client):
    ReviewFactory(author=None, text="Рақмет")
    assert "Рақмет" in page(client)


def test_names_follow_the_language(client):
    VacancyFactory(group__kindergarten__name_kk="Балапан", group__kindergarten__name_ru="Птенчик")
    assert "Балапан" in page(client, "/")
    assert "Птенчик" in page(client, "/ru/")


def test_the_language_switch_keeps_the_page_and_its_query(client):
    LocalityFactory()
    for address in ("/statistics/?place=turkistan", "/ru/statistics/?place=turkistan"):
        content = page(client, address)
        assert 'href="/statistics/?place=turkistan"' in content
        assert 'href="/ru/statistics/?place=turkistan"' in content


@pytest.mark.parametrize(
    ("address", "kazakh", "russian"),
    [
        ("/nothing/?a=1", "/nothing/?a=1", "/ru/nothing/?a=1"),
        ("/ru/nothing/?a=1", "/nothing/?a=1", "/ru/nothing/?a=1"),
        ("/ru//example.com/", "/example.com/", "/ru//example.com/"),
        ("//example.com/", "/%2Fexample.com/", "/ru/%2Fexample.com/"),
        ("/russia/", "/russia/", "/ru/russia/"),
    ],
)
def test_the_language_switch_works_where_there_is_no_page(client, address, kazakh, russian):
    response = client.get("/", PATH_INFO=address.partition("?")[0], QUERY_STRING=address.partition("?")[2])
    assert response.status_code == 404
    assert [language["url"] for language in response.context["language_switch"]] == [kazakh, russian]


def test_only_reading_is_allowed(client):
    assert client.post(reverse("home")).status_code == 405


def test_the_number_of_queries_does_not_grow_with_the_lists(client, django_assert_max_num_queries):
    for number in range(5):
        VacancyFactory()
        ReviewFactory(text=f"{number}")
    with django_assert_max_num_queries(16):
        page(client)
    # What costs counting is remembered for a minute.
    with django_assert_max_num_queries(6):
        page(client)
