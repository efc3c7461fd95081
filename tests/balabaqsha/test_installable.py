"""The portal on a screen: what browsers are told, and what they may keep."""

import json
import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from PIL import Image

from balabaqsha.installable import FILES
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
LANGUAGES = pytest.mark.parametrize(("prefix", "language"), [("", "kk"), ("/ru", "ru")])


def release(client):
    return re.search(r'RELEASE = "(\w+)"', client.get("/sw.js").content.decode())[1]


class TestManifest:
    @LANGUAGES
    def test_it_is_of_the_language_that_the_page_has(self, client, prefix, language):
        page = client.get(f"{prefix}/help/").content.decode()
        address = re.search(r'<link rel="manifest" href="([^"]*)">', page)[1]
        answer = client.get(address)
        assert answer.headers["Content-Type"] == "application/manifest+json"
        told = json.loads(answer.content)
        assert (told["lang"], told["start_url"], told["scope"]) == (language, f"{prefix}/", "/")
        for shortcut in told["shortcuts"]:
            assert shortcut["url"].startswith(f"{prefix}/")
            # The cabinet asks for a sign-in first.
            assert client.get(shortcut["url"]).status_code in (200, 302)

    def test_its_icons_are_as_large_as_it_says(self, client):
        for icon in json.loads(client.get("/manifest.webmanifest").content)["icons"]:
            path = finders.find(icon["src"].removeprefix(settings.STATIC_URL))
            assert path
            with Image.open(path) as picture:
                assert icon["sizes"] == f"{picture.width}x{picture.height}"


class TestWorker:
    def test_it_keeps_files_that_are_there_and_the_two_pages(self, client):
        script = client.get("/sw.js")
        assert script.headers["Content-Type"].startswith("text/javascript")
        told = re.findall(r'JSON\.parse\("(.*?)"\)', script.content.decode())
        pages, files, inbox = (json.loads(text.encode().decode("unicode_escape")) for text in told)
        assert pages == {"kk": "/offline/", "ru": "/ru/offline/"}
        assert inbox == {"kk": "/cabinet/notifications/", "ru": "/ru/cabinet/notifications/"}
        assert files == [f"{settings.STATIC_URL}{path}" for path in FILES]
        assert all(finders.find(path) for path in FILES)

    def test_another_page_or_file_is_another_release(self, client, settings, monkeypatch):
        first = release(client)
        assert release(client) == first
        settings.CONTACT_PHONES = ["8 (700) 000-00-00"]
        second = release(client)
        assert second != first
        monkeypatch.setattr("balabaqsha.installable.FILES", FILES[1:])
        assert release(client) not in (first, second)

    def test_a_signed_in_browser_asks_for_it_once_an_hour(self, client_of):
        """It looks after each page whether there is another."""
        client = client_of(UserFactory())
        assert client.get("/sw.js").headers["Cache-Control"] == "public, max-age=3600"


@LANGUAGES
def test_the_page_without_the_internet_costs_no_query_and_knows_no_visitor(
    client, client_of, django_assert_num_queries, prefix, language
):
    family = client_of(UserFactory())
    with django_assert_num_queries(0):
        page = family.get(f"{prefix}/offline/").content.decode()
    assert f'<html lang="{language}"' in page
    assert page == client.get(f"{prefix}/offline/").content.decode()
