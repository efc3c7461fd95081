"""The bulletin as a file and as a feed: the filters of the page, harmless text, no personal data."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from django.urls import reverse

from bulletin.models import Vacancy
from bulletin.services import pause_bidding, resume_bidding
from tests.applications.bidding.reference import place_bid
from tests.factories import GroupFactory, KindergartenFactory, LocalityFactory, VacancyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

CSV = "/bulletin.csv"
ATOM = "/bulletin.atom"
NAMES = "{http://www.w3.org/2005/Atom}"
FORMULA = '=HYPERLINK("http://evil.example";"click")'


def lines(client, query=None, prefix=""):
    answer = client.get(prefix + CSV, query or {})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(StringIO(answer.getvalue().decode("utf-8-sig"))))


def feed(client, query=None, prefix=""):
    answer = client.get(prefix + ATOM, query or {})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(answer.content)


def titles(root):
    return [entry.find(f"{NAMES}title").text for entry in root.iter(f"{NAMES}entry")]


def test_a_moved_opening_is_an_update_of_the_feed(client, scene):
    """Whoever reads the bulletin by a feed reader is shown the place again."""
    pause = pause_bidding(
        locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=scene.staff, now=scene.now
    )
    resumed_at = scene.now + timedelta(minutes=10)
    resume_bidding(pause, actor=scene.staff, now=resumed_at)
    [entry] = feed(client).iter(f"{NAMES}entry")
    assert datetime.fromisoformat(entry.find(f"{NAMES}updated").text) == resumed_at
    assert datetime.fromisoformat(entry.find(f"{NAMES}published").text) == scene.vacancy.published_at
    assert "27.06.2019 09:00" in entry.find(f"{NAMES}summary").text


class TestFile:
    @pytest.mark.parametrize(
        ("prefix", "heading", "language"),
        [("", "Балабақша", "орыс"), ("/ru", "Детский сад", "русский")],
    )
    def test_it_speaks_the_language_of_its_address(self, client, scene, prefix, heading, language):
        head, only = lines(client, prefix=prefix)
        assert heading in head[1]
        assert only[2:5] == ["Солнце", "2", "2"]
        assert only[5].lower().startswith(language)
        assert only[6] == "2017"
        assert only[9] == "26.06.2019 09:00"

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, 1),
            ({"birth_year": "2016"}, 0),
            ({"language": "ru"}, 1),
            ({"place": "all"}, 2),
            ({"place": "kentau"}, 1),
            ({"search": "нет такого"}, 0),
            ({"search": "%"}, 0),
            ({"status": "open"}, 1),
            ({"status": "me"}, 1),
        ],
    )
    def test_the_filters_are_those_of_the_page(self, client, scene, query, found):
        kentau = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)
        VacancyFactory(group=GroupFactory(kindergarten=KindergartenFactory(locality=kentau)))
        assert len(lines(client, query)) == 1 + found
        assert len(titles(feed(client, query))) == found

    def test_a_name_is_never_a_formula(self, client, scene):
        scene.group.name = FORMULA
        scene.group.save()
        assert lines(client)[1][2] == f"'{FORMULA}"

    def test_the_whole_list_costs_no_query_per_row(self, client, scene, django_assert_max_num_queries):
        VacancyFactory.create_batch(30, group=scene.group)
        with django_assert_max_num_queries(8):
            assert len(lines(client)) == 32


class TestFeed:
    @pytest.mark.parametrize(("prefix", "language"), [("", "kk"), ("/ru", "ru")])
    def test_entries_lead_to_their_pages(self, client, scene, prefix, language):
        url = f"http://testserver{prefix}{scene.vacancy.get_absolute_url()}"
        root = feed(client, prefix=prefix)
        assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == language
        entry = root.find(f"{NAMES}entry")
        assert entry.find(f"{NAMES}id").text == f"urn:uuid:{scene.vacancy.pk}"
        assert entry.find(f"{NAMES}link").get("href") == url
        assert client.get(url).status_code == 200

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", "A & B ]]> \"'", "Күн\x08шуақ\x0c\x1f"])
    def test_names_are_only_text(self, client, scene, name):
        scene.group.name = name
        scene.group.save()
        (title,) = titles(feed(client))
        assert title.endswith(name.translate({8: None, 12: None, 31: None}))

    def test_the_newest_fifty(self, client, scene):
        VacancyFactory.create_batch(55, group=scene.group)
        assert len(titles(feed(client))) == 50

    def test_an_empty_bulletin_is_a_feed_too(self, client, scene):
        Vacancy.objects.all().delete()
        assert titles(feed(client)) == []
        assert len(lines(client)) == 1


class TestSubscription:
    """What news readers rely on: a feed for each search, ids that stay, and no body if nothing is new."""

    def test_every_search_is_a_feed_of_its_own(self, client, scene):
        seen = {
            query["language"]: feed(client, query).find(f"{NAMES}id").text
            for query in ({"language": "ru"}, {"language": "kk"})
        }
        assert seen["ru"] != seen["kk"]
        assert seen["ru"] == "http://testserver/bulletin.atom?place=turkistan&language=ru&status=all"

    @pytest.mark.parametrize(
        "query",
        [
            {"language": "ru", "sort": "free", "page": "2", "utm": "x"},
            {"status": "me", "language": "ru", "place": "turkistan"},
            {"language": "ru", "search": "  "},
        ],
        ids=["what it ignores", "whose it is", "blanks"],
    )
    def test_the_same_search_written_otherwise_is_the_same_feed(self, client, scene, query):
        assert client.get(ATOM, query).content == client.get(ATOM, {"language": "ru"}).content

    def test_a_cookie_changes_nothing(self, client, scene):
        LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)
        before = client.get(ATOM).content
        client.post(reverse("place"), {"place": "kentau"})
        assert client.get(ATOM).content == before

    def test_it_names_its_search_its_page_and_its_author(self, client, scene):
        root = feed(client, {"language": "ru", "birth_year": "2017"}, prefix="/ru")
        assert root.find(f"{NAMES}title").text == ("Бюллетень свободных мест · г. Туркестан · 2017 · Русский")
        assert root.find(f"{NAMES}author/{NAMES}name").text
        links = {link.get("rel"): link.get("href") for link in root.findall(f"{NAMES}link")}
        assert links["alternate"].startswith("http://testserver/ru/bulletin/?place=turkistan&birth_year=2017")
        assert links["self"].startswith("http://testserver/ru/bulletin.atom?place=turkistan&birth_year=2017")
        assert client.get(links["alternate"]).status_code == 200

    def test_every_entry_has_what_the_standard_demands(self, client, scene):
        VacancyFactory.create_batch(3, group=scene.group)
        root = feed(client)
        for element in (root, *root.iter(f"{NAMES}entry")):
            assert len(element.findall(f"{NAMES}id")) == 1
            assert len(element.findall(f"{NAMES}title")) == 1
            assert datetime.fromisoformat(element.find(f"{NAMES}updated").text).tzinfo is not None
        ids = [entry.find(f"{NAMES}id").text for entry in root.iter(f"{NAMES}entry")]
        assert len(set(ids)) == len(ids) == 4

    def test_who_has_it_is_told_so(self, client, scene, clock):
        first = client.get(ATOM)
        clock.move_to(scene.now + timedelta(minutes=5))
        again = client.get(ATOM, headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
        assert client.get(ATOM, headers={"if-modified-since": first["Last-Modified"]}).status_code == 304
        assert client.head(ATOM)["ETag"] == first["ETag"]

    def test_a_new_place_is_a_new_answer(self, client, scene):
        first = client.get(ATOM)
        VacancyFactory(group=scene.group, published_at=scene.now - timedelta(hours=2))
        for known in ({"if-none-match": first["ETag"]}, {"if-modified-since": first["Last-Modified"]}):
            answer = client.get(ATOM, headers=known)
            assert answer.status_code == 200
            assert len(titles(ET.fromstring(answer.content))) == 2

    def test_an_empty_feed_stays_as_it_is(self, client, scene, clock):
        Vacancy.objects.all().delete()
        first = client.get(ATOM).content
        clock.move_to(scene.now + timedelta(days=5))
        assert client.get(ATOM).content == first

    def test_anybody_on_the_way_may_keep_it(self, client, client_of, scene):
        answer = client.get(ATOM)
        assert answer["Cache-Control"] == "public, max-age=60"
        assert "Cookie" not in answer.get("Vary", "")
        assert not answer.cookies
        assert client_of(scene.parent).get(ATOM).content == answer.content

    @pytest.mark.parametrize("value", ["nonsense", '"', "*", "W/" + '"x"', "\x00"], ids=ascii)
    def test_nonsense_in_the_headers_breaks_nothing(self, client, scene, value):
        assert client.get(ATOM, headers={"if-none-match": value}).status_code in (200, 304)
        assert client.get(ATOM, headers={"if-modified-since": value}).status_code == 200


class TestBoth:
    @pytest.mark.parametrize("address", [CSV, ATOM])
    def test_no_person_is_named(self, client, client_of, scene, address):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        child = scene.application.child
        for browser in (client, client_of(scene.parent)):
            answer = browser.get(address, {"status": "me"})
            said = (answer.getvalue() if answer.streaming else answer.content).decode()
            assert "Солнце" in said
            for secret in (child.last_name, child.iin, scene.vacancy.responsible, scene.application.number):
                assert secret not in said

    @pytest.mark.parametrize("address", [CSV, ATOM])
    @pytest.mark.parametrize("state", [Vacancy.State.DRAFT, Vacancy.State.RECALLED, Vacancy.State.CLOSED])
    def test_only_what_is_published(self, client, scene, address, state):
        Vacancy.objects.update(state=state)
        answer = client.get(address)
        assert "Солнце" not in (answer.getvalue() if answer.streaming else answer.content).decode()

    @pytest.mark.parametrize("address", [CSV, ATOM])
    @pytest.mark.parametrize(
        "query",
        [
            {"place": "atlantis"},
            {"birth_year": "9" * 30},
            {"birth_year": "1900"},
            {"birth_year": "x"},
            {"search": "%_\\ ' \" < \x00"},
            {"status": "all' OR 1=1"},
            {"place_type": "x"},
            {"language": "\ud800".encode("utf-8", "surrogatepass")},
        ],
    )
    def test_what_means_nothing_is_404_and_said_on_the_page(self, client, scene, address, query):
        assert client.get(address, query).status_code == 404
        assert "notice--warning" in client.get(reverse("applications:bulletin"), query).content.decode()

    @pytest.mark.parametrize("address", [CSV, ATOM])
    @pytest.mark.parametrize(
        "query", [{"sort": "-pk"}, {"page": "x"}, {"search": "%_\\ ' \" <"}], ids=["order", "page", "signs"]
    )
    def test_what_a_feed_ignores_may_be_anything(self, client, scene, address, query):
        assert client.get(address, query).status_code == 200

    @pytest.mark.parametrize("year", ["2010", "2099"])
    def test_a_year_that_is_not_offered_any_more_finds_nothing(self, client, scene, year):
        assert titles(feed(client, {"birth_year": year})) == []
        assert len(lines(client, {"birth_year": year})) == 1

    @pytest.mark.parametrize("address", [CSV, ATOM])
    def test_nothing_is_changed_here(self, client, scene, address):
        assert client.post(address).status_code == 405

    def test_the_page_links_to_both_with_its_filters(self, client, scene):
        page = client.get(reverse("applications:bulletin"), {"language": "ru"}).content.decode()
        for address in (CSV, ATOM):
            link = next(part for part in page.split('"') if part.startswith(f"{address}?"))
            assert "language=ru" in link
            assert "place=turkistan" in link

    def test_times_are_those_of_the_place(self, client, scene):
        Vacancy.objects.update(closes_at=scene.now + timedelta(days=1))
        assert lines(client)[1][10] == "27.06.2019 16:20"


class TestAddresses:
    """They reach other people: the visitor must not control where they lead."""

    @pytest.fixture(autouse=True)
    def _published(self, scene, clock, settings):
        settings.ALLOWED_HOSTS = ["bala.example.kz"]

    @pytest.mark.parametrize("host", ["bala.example.kz", "bala.example.kz:1337", "BALA.example.kz:80443"])
    def test_a_foreign_port_is_not_believed(self, client, host):
        feed = client.get(ATOM, HTTP_HOST=host).content.decode()
        assert "http://bala.example.kz/bulletin" in feed
        assert "1337" not in feed
        assert "80443" not in feed

    def test_the_port_on_which_the_portal_listens_is_kept(self, client, settings):
        asked = {"HTTP_HOST": "bala.example.kz:8080", "SERVER_PORT": "8080"}
        assert "http://bala.example.kz:8080/bulletin" in client.get(ATOM, **asked).content.decode()
        settings.BEHIND_PROXY = True
        assert ":8080" not in client.get(ATOM, **asked).content.decode()

    def test_the_configured_address_is(self, client, settings):
        settings.SITE_URL = "https://www.example.kz"
        feed = client.get(ATOM, HTTP_HOST="bala.example.kz:1337").content.decode()
        assert "https://www.example.kz/bulletin" in feed
        assert "bala.example.kz" not in feed
