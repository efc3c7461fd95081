"""The steps of longer ways, at 360 px: axe finds nothing, nothing must be pushed sideways."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page

from accounts.models import User
from tests.accounts.walk import PASSWORD, newest_code
from tests.browser.all_pages import in_language
from tests.browser.barriers import against_axe
from tests.browser.session import enter
from tests.city import build_city
from tests.factories import GuardianshipFactory
from tests.thorough import part_for

pytestmark = pytest.mark.browser

NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
WAYS = ["registration", "sign-in", "stop"]


def walked(way: str) -> pytest.MarkDecorator:
    """In a quick run each in one language; their first pages are among `tests.browser.all_pages`, in both."""
    return pytest.mark.parametrize("language", part_for(way, ["kk", "ru"], WAYS))


@pytest.fixture
def city(transactional_db):
    return build_city()


@pytest.fixture
def look(open_context, live_server) -> Iterator:
    """Opens pages in one browser and collects what is wrong with them."""

    def opened(*, viewport: dict[str, int]) -> "Inspector":
        return Inspector(open_context(viewport=viewport), portal=live_server.url)

    return opened


class Inspector:
    def __init__(self, context: BrowserContext, *, portal: str) -> None:
        self.context = context
        self.portal = portal
        self.page: Page = context.new_page()
        self.found: dict[str, list[str]] = {}

    def enter(self, user: User) -> None:
        enter(self.context, user, portal=self.portal)

    def visit(self, path: str) -> None:
        self.page.goto(path)
        self.inspect(path)

    def inspect(self, name: str) -> None:
        """Keep what axe finds on the page as it is, and whether it is wider than the screen."""
        faults = against_axe(self.page)
        if self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append("wider than the screen")
        if faults:
            self.found[name] = faults


def test_the_inspector_sees_faults(look, transactional_db):
    """The control: without it, pages without faults would prove nothing."""
    inspector = look(viewport=NARROW)
    inspector.page.set_content("<html><body><img src='x'><p style='width: 500px'>x</p></body></html>")
    inspector.inspect("bad")
    assert any(fault.startswith("image-alt") for fault in inspector.found["bad"])
    assert "wider than the screen" in inspector.found["bad"]


def test_control_what_surrounds_a_page_is_looked_at_once_and_anew_if_it_differs(page):
    """The control: beside a frame that is known, the page's own faults are found, and those of another frame."""
    good, bad = "<h1>x</h1>", "<h1>x</h1><img src='x'>"
    frame = "<header><nav aria-label='x'><a href='/{}'>{}</a></nav></header>"
    faulty = "<header><nav aria-label='x'><a href='/'><img src='x'></a></nav></header>"
    for around, inside, is_faulty in (
        (frame.format(1, "one"), good, False),
        (frame.format(2, "one"), good, False),
        (frame.format(2, "one"), bad, True),
        (faulty, good, True),
        (faulty, good, True),
        (frame.format(1, "two"), good, False),
    ):
        page.set_content(
            f"<html lang='kk'><head><title>x</title></head><body>{around}<main>{inside}</main></body></html>"
        )
        assert any(fault.startswith("image-alt") for fault in against_axe(page)) == is_faulty
        assert page.locator("header").evaluate("one => getComputedStyle(one).display") == "block"


def test_control_letters_of_a_look_that_stands_out_are_looked_at_anew_on_another_ground(page):
    """The control: neither a look that never stood out nor a known one before something else is passed over."""
    dark, pale, light, black = "#222", "#999", "#fff", "#000"
    for ground, letters, is_faulty in (
        (light, dark, False),
        (light, dark, False),
        (black, dark, True),
        (light, pale, True),
        (light, pale, True),
        (black, pale, False),
    ):
        text = f"<div style='background: {ground}'><p class='x' style='color: {letters}'>Балабақша</p></div>"
        page.set_content(f"<html lang='kk'><title>x</title><body><main><h1>x</h1>{text}</main></body></html>")
        assert any(fault.startswith("color-contrast") for fault in against_axe(page)) == is_faulty


@walked("registration")
def test_steps_of_registration(look, transactional_db, language):
    inspector = look(viewport=NARROW)
    page, phone = inspector.page, "+77017779876"
    page.goto(in_language(language, "/register/")[0])
    inspector.inspect("phone")
    page.locator("main form[data-guard] button").last.click()
    inspector.inspect("phone with mistakes")
    page.fill("[name=phone]", phone)
    page.check("[name=consent]")
    page.locator("main form[data-guard] button").last.click()
    page.wait_for_url("**/register/code/")
    inspector.inspect("code")
    page.fill("[name=code]", newest_code(phone))
    page.locator("main form:has([name=code]) button").first.click()
    page.wait_for_url("**/register/password/")
    inspector.inspect("password")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main form button:not([type=button])").last.click()
    page.wait_for_url("**/register/account/")
    inspector.inspect("account")
    page.fill("[name=identity]", "940225300009")
    page.locator("main form:has([name=identity]) button").first.click()
    page.get_by_text("25.02.1994").wait_for()
    inspector.inspect("confirmation")
    assert inspector.found == {}


@walked("sign-in")
def test_steps_of_a_sign_in_that_was_tried_too_often(look, parent, transactional_db, language):
    inspector = look(viewport=NARROW)
    page = inspector.page
    for name, tries, seen in ((str(parent.phone), 6, "code"), ("employee", 16, "too many")):
        for _try in range(tries - 1):
            Client().post("/login/", {"phone": name, "password": "wrong"})
        page.goto(in_language(language, "/login/")[0])
        page.fill("[name=phone]", name)
        page.fill("[name=password]", "wrong")
        with page.expect_navigation():
            page.press("[name=password]", "Enter")
        inspector.inspect(seen)
        assert page.url.endswith("/login/code/") == (seen == "code")
    assert page.locator("main").get_by_role("link").count() > 1
    assert inspector.found == {}


@walked("stop")
def test_steps_of_a_stop(look, city, language):
    """By phone and code: the person, what happens, and the pages of both sides afterwards; then the official's."""
    parent, child = city.parent, city.child
    newcomer = GuardianshipFactory(child=child).user
    inspector = look(viewport=NARROW)
    page = inspector.page
    page.goto(in_language(language, "/stop/")[0])
    page.fill("[name=phone]", str(parent.phone))
    page.press("[name=phone]", "Enter")
    page.wait_for_url("**/stop/code/")
    inspector.inspect("code")
    page.fill("[name=code]", newest_code(parent.phone))
    page.press("[name=code]", "Enter")
    page.wait_for_url("**/stop/choose/")
    inspector.inspect("person")
    page.locator("main .button--danger").click()
    page.locator("main [name=confirm]").wait_for()
    inspector.inspect("what happens")
    page.locator("main [name=confirm]").click()
    page.locator("main .card .notice").wait_for()
    inspector.inspect("stopped")
    application = city.applications["waiting"]
    apply = reverse("applications:apply", args=[application.pk, city.vacancy.pk])
    for user in (parent, newcomer):
        side = look(viewport=NARROW)
        side.enter(user)
        for path in (
            "/cabinet/",
            application.get_absolute_url(),
            reverse("children:child", args=[child.pk]),
            apply,
        ):
            side.visit(in_language(language, path)[0])
        assert side.found == {}
    assert inspector.found == {}


def test_on_a_wide_screen(look, city):
    inspector = look(viewport=WIDE)
    for path in ("/", "/ru/bulletin/", "/statistics/", "/ru/register/"):
        inspector.visit(path)
    inspector.enter(city.parent)
    for path in (
        "/ru/cabinet/",
        "/cabinet/profile/",
        reverse("applications:application", args=[city.applications["referred"].pk]),
    ):
        inspector.visit(path)
    assert inspector.found == {}


def test_with_forced_colours_no_plate_of_letters_covers_the_line_above(open_context, transactional_db):
    """Windows puts a plate as tall as the letters behind each line: a number of line height 1 hid its own label."""
    page = open_context(viewport=WIDE, forced_colors="active").new_page()
    page.goto("/")
    page.evaluate(
        """() => document.querySelector('main').innerHTML = `<section class="big-number">
            <p class="big-number__main"><span class="big-number__label">x</span>
            <strong class="big-number__value">391</strong></p></section>`"""
    )
    shown = page.locator(".big-number__value").evaluate(
        "one => parseFloat(getComputedStyle(one).lineHeight) / parseFloat(getComputedStyle(one).fontSize)"
    )
    assert shown >= 1.2
    assert page.locator(".big-number").evaluate("one => getComputedStyle(one).borderTopWidth") == "1px"
