"""What leads to the portal and out of it: crawlers, shared links, the prefix of Kazakh, telephones."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils.translation import override

from tests.real_portal import OPERATOR

pytestmark = pytest.mark.django_db


def test_crawlers_leave_alone_what_is_behind_a_sign_in_and_what_never_ends(client):
    answer = client.get("/robots.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    for language in ("kk", "ru"):
        with override(language):
            assert f"Disallow: {reverse('applications:cabinet')}" in lines
            assert f"Disallow: {reverse('admin:index')}" in lines
    assert "Disallow: /*?" in lines
    assert not [line for line in lines if line in ("Disallow: /", "Disallow: /bulletin/")]


@pytest.mark.parametrize("address", ["/", "/ru/", "/bulletin/", "/ru/help/"])
def test_a_shared_link_says_what_it_is(client, address):
    page = client.get(address).content.decode()
    assert len(re.findall(r'<meta name="description" property="og:description" content="[^"]+">', page)) == 1
    (title,) = re.findall(r"<title>(.+?) – Balabaqsha</title>", page)
    assert f'<meta property="og:title" content="{title}">' in page
    language = "ru" if address.startswith("/ru/") else "kk"
    picture = re.search(
        rf'<meta property="og:image" content="http://testserver(/static/img/share\.{language}[^"]*)">', page
    )
    assert finders.find(picture[1].removeprefix("/static/"))
    locale = "ru_KZ" if address.startswith("/ru/") else "kk_KZ"
    assert f'<meta property="og:locale" content="{locale}">' in page


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("/kk/", "/"),
        ("/kk/bulletin/?year=2022&place=turkistan", "/bulletin/?year=2022&place=turkistan"),
        ("/kk//evil.example/", "/%2Fevil.example/"),
    ],
)
def test_kazakh_has_no_prefix_and_whoever_writes_one_arrives(client, asked, sent):
    answer = client.get(asked)
    assert (answer.status_code, answer["Location"]) == (301, sent)


def test_the_number_for_whatsapp_opens_whatsapp_and_the_other_one_calls(client, settings):
    settings.CONTACT_PHONES = ["8 (727) 111-22-33", "8 (747) 111-22-33 (WhatsApp)"]
    page = client.get("/contacts/").content.decode()
    assert 'href="tel:+77271112233"' in page
    assert 'href="https://wa.me/77471112233"' in page
    assert "tel:+7747" not in page


class TestOperator:
    """A consent is given to somebody by name (Law 94-V, article 8)."""

    def test_the_policy_and_the_contacts_name_the_operator_in_the_language_of_the_page(
        self, client, settings
    ):
        for name, value in OPERATOR.items():
            setattr(settings, name, value)
        for prefix, language in (("", "KK"), ("/ru", "RU")):
            for page in ("privacy", "contacts"):
                text = client.get(f"{prefix}/{page}/").content.decode()
                for part in (f"NAME_{language}", f"ADDRESS_{language}", "BIN"):
                    assert OPERATOR[f"OPERATOR_{part}"] in text

    def test_where_nobody_is_named_the_policy_warns(self, client):
        assert "операторы аталмаған" in client.get("/privacy/").content.decode()
        assert "Оператор этого портала не назван" in client.get("/ru/privacy/").content.decode()

    def test_a_page_of_contacts_without_whatsapp_speaks_of_none(self, client, settings):
        settings.CONTACT_PHONES = ["8 (727) 111-22-33"]
        assert "жазуға да болады" not in client.get("/contacts/").content.decode()
        settings.CONTACT_PHONES = ["8 (727) 111-22-33", "8 (747) 111-22-33 (WhatsApp)"]
        assert "жазуға да болады: 8 (747) 111-22-33 (WhatsApp)" in client.get("/contacts/").content.decode()
