"""The header of every page: nothing of the portal is missing from its menu."""

import re

import pytest
from django.urls import reverse
from django.utils import translation

from tests.factories import LocalityFactory

pytestmark = pytest.mark.django_db

SECTIONS = [
    "applications:bulletin",
    "applications:queue",
    "bulletin:kindergartens",
    "statistics",
    "bulletin:reviews",
]
CABINET = ["accounts:profile", "children:list", "applications:list", "notifications:inbox"]


def menu_of(client, path: str) -> list[str]:
    """The addresses in the header's folding menu, in their order."""
    content = client.get(path).content.decode()
    menu = content[content.index("header__menu") : content.index("</header>")]
    return re.findall(r'href="([^"]+)"', menu[: menu.index("</details>")])


@pytest.mark.parametrize("language", ["kk", "ru"])
class TestMenu:
    def test_a_visitor_finds_every_section_and_the_way_in(self, client, language):
        with translation.override(language):
            links = menu_of(client, reverse("help"))
            assert links[: len(SECTIONS)] == [reverse(name) for name in SECTIONS]
            assert {link.split("?")[0] for link in links[len(SECTIONS) :]} == {
                reverse("accounts:login"),
                reverse("accounts:register"),
                reverse("accounts:stop"),
            }

    def test_a_parent_finds_the_cabinet_too(self, parent_client, language):
        with translation.override(language):
            links = menu_of(parent_client, reverse("help"))
            assert links == [reverse(name) for name in (*SECTIONS, "accounts:stop", *CABINET)]

    def test_the_present_section_is_marked(self, client, language):
        with translation.override(language):
            url = reverse("statistics")
        assert re.search(rf'href="{url}"[^>]*aria-current="page"', client.get(url).content.decode())

    def test_language_and_place_stand_on_every_page(self, client, language):
        LocalityFactory()
        with translation.override(language):
            for name in ("home", "help", "accounts:login", "applications:bulletin"):
                content = client.get(reverse(name)).content.decode()
                header = content[content.index("<header") : content.index("</header>")]
                assert 'hreflang="kk"' in header
                assert 'hreflang="ru"' in header
                assert 'name="locality"' in header
