"""«Near me»: the nearest come first, and where the visitor is stands in no address and no log."""

import logging

import pytest

from bulletin.models import Kindergarten
from bulletin.nearness import COOKIE
from tests.factories import KindergartenFactory, LocalityFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kindergartens():
    """From the visitor's door two kilometres, two hundred metres, and somewhere."""
    place = LocalityFactory()
    for name, latitude in (("Алты", "43.320000"), ("Бес", "43.302000"), ("Жеті", None)):
        KindergartenFactory(
            locality=place,
            name_kk=name,
            name_ru=name,
            latitude=latitude,
            longitude=latitude and "68.250000",
        )


def names(answer) -> list[tuple[str, str]]:
    return [(one.name, getattr(one, "away", "")) for one in answer.context["page"]]


def here(client, *, latitude="43.30012345", longitude="68.25", after="/ru/kindergartens/?place=all&page=1"):
    return client.post("/ru/near/", {"latitude": latitude, "longitude": longitude, "next": after})


def test_the_nearest_come_first_and_what_is_not_on_the_map_last(client) -> None:
    answer = here(client)
    assert answer["Location"] == "/ru/kindergartens/?place=all&sort=near"
    assert names(client.get(answer["Location"])) == [("Бес", "220 м"), ("Алты", "2,2 км"), ("Жеті", "")]


def test_where_the_visitor_is_is_known_to_the_browser_alone(client, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    answer = here(client)
    cookie = answer.cookies[COOKIE]
    assert (cookie.value, cookie["max-age"], cookie["expires"]) == ("43.3:68.25", "", "")
    page = client.get(answer["Location"])
    told = caplog.text + answer["Location"] + page.content.decode()
    assert "43.3" not in told
    assert "68.25" not in told


def test_the_map_around_a_visitor_lists_the_nearest_first_and_moves_by_its_body(client, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    answer = here(client, after="/ru/map/?place=all&bounds=68.2,43.2,68.3,43.4&zoom=12")
    assert answer["Location"] == "/ru/map/?place=all&sort=near"
    page = client.get(answer["Location"])
    assert names(page) == [("Бес", "220 м"), ("Алты", "2,2 км"), ("Жеті", "")]
    assert (page.context["home"]["x"], page.context["home"]["y"]) == (240, 200)
    assert [one["mark"].kindergarten.name for one in page.context["marks"]] == ["Бес"]
    around = {"bounds": "68.20000,43.25000,68.30000,43.35000", "zoom": "12"}
    moved = client.post(answer["Location"], around)
    assert len(moved.context["marks"]) == 2
    assert names(moved) == names(page)
    assert "43.3" not in caplog.text


def test_an_address_that_is_passed_on_shows_the_names_in_their_order(client) -> None:
    answer = client.get("/ru/kindergartens/?place=all&sort=near")
    assert [name for name, _away in names(answer)] == ["Алты", "Бес", "Жеті"]
    assert not answer.context["is_near"]
    assert "data-home" not in client.get("/ru/map/?place=all&sort=near").content.decode()


def test_it_is_forgotten_by_a_press(client) -> None:
    here(client)
    answer = client.post("/ru/near/", {"press": "forget", "next": "/ru/kindergartens/?place=all&sort=near"})
    assert answer["Location"] == "/ru/kindergartens/?place=all"
    assert not client.cookies[COOKIE].value


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [("", ""), ("91", "68"), ("43", "181"), ("nan", "68"), ("1e3", "68"), ("43.3", "٦٨"), ("90", "68")],
)
def test_what_is_no_point_of_the_earth_is_not_kept(client, latitude, longitude) -> None:
    assert here(client, latitude=latitude, longitude=longitude)["Location"] == "/ru/kindergartens/?place=all"
    assert not client.cookies[COOKIE].value
    if longitude.isascii():
        client.cookies[COOKIE] = f"{latitude}:{longitude}"
    assert not client.get("/kindergartens/?place=all&sort=near").context["is_near"]


def test_the_way_back_is_on_this_site(client) -> None:
    assert here(client, after="//else.where/?x=1")["Location"] == "/ru/kindergartens/?sort=near"


def test_only_pages_that_ask_may_know_where_the_visitor_is(client) -> None:
    assert "geolocation=(self)" in client.get("/kindergartens/")["Permissions-Policy"]
    assert "geolocation=()" in client.get("/")["Permissions-Policy"]


@pytest.mark.parametrize("page", ["/ru/kindergartens/", "/ru/map/"])
def test_whoever_is_far_away_reads_how_far_and_where_the_nearest_are(client, page) -> None:
    there = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=9)
    KindergartenFactory(locality=there, latitude="44.300000", longitude="68.250000")
    here(client, latitude="44.31")
    here_first = Kindergarten.objects.exclude(locality=there).first().locality.slug
    answer = client.get(f"{page}?place={here_first}&sort=near").content.decode()
    assert "по прямой: 110 км" in answer
    assert 'href="?place=kentau&amp;sort=near"' in answer
    assert "г. Кентау, 1,1 км" in answer
    # The map shows what was found, and not the empty land around the visitor.
    assert "data-home" not in answer
    for found in ("place=kentau&sort=near", "place=all&sort=near", "place=kentau"):
        assert "по прямой:" not in client.get(f"{page}?{found}").content.decode().replace(
            "От вас по прямой:", ""
        )
