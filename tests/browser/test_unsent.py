"""A switch of the language or of the place loses what was typed, so it asks first: with scripts, and only then."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.factories import LocalityFactory
from tests.thorough import pairs

pytestmark = pytest.mark.browser


class Asked:
    """Answers the browser's question with `leaves`, and keeps what was asked."""

    def __init__(self, page: Page, *, leaves: bool) -> None:
        self.leaves = leaves
        self.texts: list[str] = []
        page.on("dialog", self._answer)

    def _answer(self, dialog) -> None:
        self.texts.append(dialog.message)
        if self.leaves:
            dialog.accept()
        else:
            dialog.dismiss()


@pytest.fixture
def places(transactional_db):
    return [
        LocalityFactory(),
        LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=9),
    ]


def switch_language(page: Page) -> None:
    page.locator(".lang a:not([aria-current])").first.click()


def switch_place(page: Page) -> None:
    page.locator(".menu--place summary").click()
    page.locator("#place-switch").select_option("kentau")
    page.locator(".menu--place button").click()


@pytest.mark.parametrize(
    ("switch", "language"),
    [*pairs([switch_language, switch_place], [("", "жіберілген жоқ"), ("/ru", "не отправлено")])],
)
def test_a_half_filled_form_stays_until_its_reader_agrees(page, live_server, places, switch, language):
    prefix, words = language
    address = f"{live_server.url}{prefix}/register/"
    page.goto(address)
    page.locator("main [name=phone]").fill("8 701 777 98 76")
    asked = Asked(page, leaves=False)
    with page.expect_event("dialog"):
        switch(page)
    assert [words in text for text in asked.texts] == [True]
    assert page.url == address
    expect(page.locator("main [name=phone]")).to_have_value("8 701 777 98 76")
    page.keyboard.press("Escape")
    asked.leaves = True
    switch(page)
    expect(page.locator("main [name=phone]")).to_have_value("")


@pytest.mark.parametrize("switch", [switch_language, switch_place])
def test_an_untouched_form_asks_nothing(page, live_server, places, switch):
    page.goto(f"{live_server.url}/register/")
    asked = Asked(page, leaves=False)
    switch(page)
    page.wait_for_load_state()
    expect(page.locator("html")).to_have_attribute("lang", "ru" if switch is switch_language else "kk")
    if switch is switch_place:
        expect(page.locator(".menu--place summary")).to_contain_text("Кентау")
    assert asked.texts == []


def test_a_refused_form_is_not_lost_unasked_either(page, live_server, places):
    """It comes back with what was typed as if that had been there from the beginning."""
    page.goto(f"{live_server.url}/register/")
    page.locator("main [name=phone]").fill("8 701")
    page.locator("main form button").first.click()
    expect(page.locator("main .has-error").first).to_be_visible()
    asked = Asked(page, leaves=False)
    with page.expect_event("dialog"):
        switch_language(page)
    assert len(asked.texts) == 1
    assert re.search(r"/register/$", page.url)
