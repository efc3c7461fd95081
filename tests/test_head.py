"""The head of a page, as search engines and checkers of HTML read it."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from tinyhtml5.parser import HTMLParser

from tests.browser.all_pages import CABINET, PUBLIC, family_objects, in_language, public_objects
from tests.city import build_city
from tests.factories import VacancyFactory
from tests.shared import built_once
from tests.staff import inside
from tests.thorough import part_for

pytestmark = pytest.mark.django_db

SITE = "http://testserver"
LOCATION = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
# A date, or an instant with its zone to the second at most (HTML, 2.3.5).
MACHINE_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d))?")


@pytest.fixture(scope="module")
def built_city(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, build_city) as scene:
        yield scene


@pytest.fixture
def city(built_city, db) -> SimpleNamespace:
    return built_city()


def links(page: str, kind: str) -> dict[str, str]:
    """The addresses of `<link rel=…>` by their language; that of a link without one by ""."""
    found = re.findall(rf'<link rel="{kind}"(?: hreflang="([^"]*)")? href="([^"]*)">', page)
    return dict(found)


def in_sitemap(client: Client) -> list[str]:
    answer = client.get("/sitemap.xml")
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    return [place.text or "" for place in ElementTree.fromstring(answer.content).iter(LOCATION)]


class TestSearch:
    def test_each_page_of_the_sitemap_says_that_this_is_its_address(self, client, city):
        addresses = in_sitemap(client)
        assert len(addresses) == len(set(addresses))
        for address in addresses:
            page = client.get(address.removeprefix(SITE)).content.decode()
            assert links(page, "canonical") == {"": address}
            others = links(page, "alternate")
            assert set(others) == {"kk", "ru", "x-default"}, address
            assert address in (others["kk"], others["ru"])
            assert others["x-default"] == others["kk"]
            assert {others["kk"], others["ru"]} <= set(addresses)
            assert 'name="robots"' not in page

    def test_it_names_kindergartens_and_published_places_in_both_languages(self, client, city):
        draft = VacancyFactory.create(group=city.vacancy.group, state="draft")
        addresses = in_sitemap(client)
        for language in ("kk", "ru"):
            with override(language):
                assert f"{SITE}{reverse('bulletin:kindergarten', args=[city.kindergarten.slug])}" in addresses
                assert f"{SITE}{city.vacancy.get_absolute_url()}" in addresses
                assert f"{SITE}{draft.get_absolute_url()}" not in addresses

    @pytest.mark.parametrize("language", ["kk", "ru"])
    def test_every_other_page_is_kept_out(self, client, client_of, city, language):
        """Pages of families and employees, steps of a sign-in, errors, and lists of applications.

        In a quick run each in one of the languages.
        """
        known = {address.removeprefix(SITE) for address in in_sitemap(client)}
        with override(language):
            objects = [*family_objects(city), reverse("admin:index"), *public_objects(city)]
        visitors = {
            client: in_language(language, *PUBLIC),
            client_of(city.parent): [*in_language(language, *CABINET), *objects[:3]],
            inside(city.worker): objects[-4:],
        }
        kept_out = 0
        for visitor, paths in visitors.items():
            for path in part_for(language, paths, ("kk", "ru")):
                page = visitor.get(path, headers={"accept-language": language}).content.decode()
                is_known = path.partition("?")[0] in known
                assert bool(links(page, "canonical")) == is_known, path
                assert (
                    bool(re.search(r'<meta name="robots" content="no(ne|index)', page, re.IGNORECASE))
                    != is_known
                ), path
                kept_out += not is_known
        assert kept_out > 7

    def test_a_filter_is_no_page_of_its_own(self, client, city):
        page = client.get("/ru/bulletin/?status=soon&search=nothing").content.decode()
        assert links(page, "canonical") == {"": f"{SITE}/ru/bulletin/"}
        assert links(page, "alternate")["kk"] == f"{SITE}/bulletin/"

    def test_the_portals_own_name_counts_and_not_that_of_the_request(self, client, city, settings):
        settings.SITE_URL = "https://bala.example.kz"
        assert "Sitemap: https://bala.example.kz/sitemap.xml" in client.get("/robots.txt").content.decode()
        assert all(address.startswith("https://bala.example.kz/") for address in in_sitemap(client))
        assert links(client.get("/help/").content.decode(), "canonical") == {
            "": "https://bala.example.kz/help/"
        }

    def test_a_shared_page_is_of_the_host_that_was_asked(self, client, city, settings):
        settings.ALLOWED_HOSTS = ["one.example", "two.example"]
        settings.REMEMBER_FOR_A_SECOND = True
        for host in settings.ALLOWED_HOSTS:
            page = client.get("/", headers={"host": host}).content.decode()
            assert links(page, "canonical") == {"": f"http://{host}/"}


def errors_of(page: bytes) -> list[str]:
    """What a parser by the rules of HTML has to mend."""
    parser = HTMLParser()
    parser.parse(page, transport_encoding="utf-8")
    return [f"{place}: {code} {data}" for place, code, data in parser.errors]


class TestHtml:
    def test_no_page_has_to_be_mended(self, client, client_of, city):
        with override("ru"):
            of_family, of_all = family_objects(city), public_objects(city)
        pages = [(client, path) for path in [*in_language("ru", *PUBLIC), *of_all]]
        pages += [(client_of(city.parent), path) for path in of_family]
        found = {}
        for visitor, path in pages:
            page = visitor.get(path).content
            wrong_times = [
                at
                for at in re.findall(r'<time[^>]* datetime="([^"]*)"', page.decode())
                if not MACHINE_TIME.fullmatch(at)
            ]
            if errors := errors_of(page) + wrong_times:
                found[path] = errors
        assert found == {}

    def test_control_what_is_wrong_is_found(self):
        assert errors_of(b"<!DOCTYPE html><title>x</title><p><div></p>")
        assert not MACHINE_TIME.fullmatch("2019-06-26T11:21:07.123456+06:00")
