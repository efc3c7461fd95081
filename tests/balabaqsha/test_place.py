"""Choosing a place at the top right of any page."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from tests.factories import LocalityFactory

ADDRESS = "/place/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _places():
    LocalityFactory()
    LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


def test_the_choice_is_remembered_for_a_year_and_shown_on_the_page_one_came_from(client):
    response = client.post("/ru" + ADDRESS, {"locality": "kentau", "next": "/ru/bulletin/?search=x&page=2"})
    assert response.status_code == 302
    assert response.url == "/ru/bulletin/?search=x&page=2"
    cookie = response.cookies["place"]
    assert (cookie.value, cookie["max-age"], cookie["samesite"]) == ("kentau", 365 * 24 * 60 * 60, "Lax")
    assert client.get("/").context["current_locality"].slug == "kentau"


@pytest.mark.parametrize("prefix", ["", "/ru"])
@pytest.mark.parametrize(
    ("address", "led_to"),
    [
        ("/statistics/?place=turkistan", "/statistics/?place=kentau"),
        ("/statistics/?place=all", "/statistics/?place=kentau"),
        ("/bulletin/?search=x&place=turkistan", "/bulletin/?search=x&place=kentau"),
        ("/queue/turkistan/2017/?number=3", "/queue/kentau/2017/"),
        ("/nothing/?place=turkistan", "/nothing/?place=turkistan"),
    ],
)
def test_a_page_about_a_place_becomes_one_about_the_chosen(client, prefix, address, led_to):
    response = client.post(prefix + ADDRESS, {"locality": "kentau", "next": prefix + address})
    assert response.url == prefix + led_to


def test_the_statistics_follow_the_choice_unless_their_address_names_a_place(client):
    client.cookies["place"] = "kentau"

    def shown(query):
        place = client.get("/statistics/", query).context["locality"]
        return place.slug if place else None

    assert [shown({"place": place}) for place in ("", "turkistan", "all")] == ["kentau", "turkistan", None]
    (current,) = [tab for tab in client.get("/statistics/").context["tabs"] if tab["current"]]
    assert "kentau" in current["url"]


def test_the_first_place_is_chosen_until_somebody_chooses(client):
    assert client.get("/").context["current_locality"].slug == "turkistan"


@pytest.mark.parametrize("slug", ["", "almaty", "KENTAU", "kentau\x00", "<script>", "ә" * 5000])
def test_an_unknown_place_changes_nothing_and_says_so(client, slug):
    client.cookies["place"] = "kentau"
    response = client.post(ADDRESS, {"locality": slug, "next": "/statistics/"})
    assert response.status_code == 302
    assert response.url == "/statistics/"
    assert "place" not in response.cookies
    assert [message.level_tag for message in get_messages(response.wsgi_request)] == ["error"]
    assert client.get("/").context["current_locality"].slug == "kentau"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "",
        "https://example.com/",
        "//example.com/",
        "/\\example.com",
        "javascript:alert(1)",
        "http:///example.com",
    ],
)
def test_never_leads_to_another_site(client, elsewhere):
    response = client.post(ADDRESS, {"locality": "kentau", "next": elsewhere})
    assert response.url == "/"


def test_without_an_address_to_go_back_to_it_leads_home_in_the_same_language(client):
    assert client.post("/ru" + ADDRESS, {"locality": "kentau"}).url == "/ru/"


def test_a_stale_cookie_of_a_place_that_is_gone_falls_back_to_the_first(client):
    client.cookies["place"] = "gone"
    assert client.get("/").context["current_locality"].slug == "turkistan"


def test_needs_a_post_with_a_token():
    client = Client(enforce_csrf_checks=True)
    assert client.get(ADDRESS).url == "/"
    assert client.put(ADDRESS).status_code == 405
    assert client.post(ADDRESS, {"locality": "kentau"}).status_code == 403
