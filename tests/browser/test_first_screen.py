"""What a family needs now stands first: on a phone of 360 x 640, in both languages, with the banner of the demo."""

import re

import pytest
from django.urls import reverse

from applications.states import ApplicationState
from tests.browser.session import enter
from tests.browser.summer import one_place
from tests.browser.walk import FATHER, PASSWORD, sms_code
from tests.city import build_city
from tests.factories import VacancyFactory
from tests.thorough import THOROUGH, part_for, whole_way

pytestmark = pytest.mark.browser

SCREEN = {"width": 360, "height": 640}
HIGHEST = 200
PREFIXES = ["", "/ru"]
LANGUAGES = pytest.mark.parametrize("language", PREFIXES)
PAGES = (
    "applications:cabinet",
    "applications:list",
    "applications:archive",
    "applications:new",
    "children:list",
    "children:add",
    "accounts:profile",
    "accounts:password",
    "accounts:journal",
    "notifications:inbox",
)
OF_AN_APPLICATION = ("why", "languages", "move", "claim_benefit", "delete")
# What each state is about, by the address it leads to or the component that says it; all of it on the first screen.
LEADS = {
    ApplicationState.WAITING: (".big-number__value", "a[href$='/bulletin/?status=me']"),
    ApplicationState.BID_PLACED: (".deadline__date",),
    ApplicationState.REFERRED: (".deadline__date", "a[href$='/referral.pdf']"),
    ApplicationState.ENROLLED: (".notice--success",),
    ApplicationState.STOP_LISTED: (".deadline__date",),
    ApplicationState.LAPSED: ("form[action$='/interest/'] button",),
    ApplicationState.ARCHIVED: ("form[action$='/restore/'] button",),
}


@pytest.fixture
def city(transactional_db):
    return build_city()


@pytest.fixture
def phone(open_context, live_server, city):
    context = open_context(viewport=SCREEN)
    enter(context, city.parent, portal=live_server.url)
    return context.new_page()


def top_of_heading(page) -> float:
    return page.locator("main h1").evaluate("heading => heading.getBoundingClientRect().top + scrollY")


@LANGUAGES
def test_a_cabinet_page_begins_high_and_leads_to_what_is_needed_now(phone, city, language):
    """In a quick run each page in one of the languages."""
    waiting = city.applications["waiting"]
    addresses = [reverse(name) for name in PAGES]
    addresses += [reverse(f"applications:{name}", args=[waiting.pk]) for name in OF_AN_APPLICATION]
    addresses += [reverse("children:child", args=[city.child.pk])]
    low, hidden = {}, []
    for address in part_for(language, addresses, PREFIXES):
        phone.goto(language + address)
        if (top := top_of_heading(phone)) > HIGHEST:
            low[address] = top
    for state in part_for(language, ApplicationState, PREFIXES):
        phone.goto(language + city.applications[state].get_absolute_url())
        if (top := top_of_heading(phone)) > HIGHEST:
            low[state] = top
        for lead in LEADS[state]:
            shown = phone.locator(f"main {lead}")
            assert shown.count() >= 1, (state, lead)
            box = shown.first.bounding_box()
            if box["y"] + box["height"] > SCREEN["height"]:
                hidden.append((state, lead, box))
    assert low == {}
    assert hidden == []


@LANGUAGES
def test_at_the_bulletin_what_is_open_to_the_child_is_on_the_first_screen(phone, city, language):
    """With its button: and without one the next of a list of many is hardly longer."""
    for number in range(4):
        VacancyFactory(group=city.vacancy.group, birth_years=[2000 + number])
    phone.goto(f"{language}/bulletin/")
    places = phone.locator(".listings tbody tr")
    first, second = (places.nth(at).bounding_box() for at in (0, 1))
    own = {"": "Маған қолжетімді", "/ru": "Доступно мне"}[language]
    assert own in places.first.inner_text()
    assert first["y"] + first["height"] <= SCREEN["height"]
    assert places.first.locator("span.button").is_visible()
    assert second["height"] < 200


@LANGUAGES
def test_at_home_registering_is_on_the_first_screen(open_context, transactional_db, language):
    one_place()
    page = open_context(viewport=SCREEN).new_page()
    page.goto(f"{language}/")
    box = page.locator(f"main a[href^='{language}/register/?next=']").first.bounding_box()
    assert box["y"] + box["height"] <= SCREEN["height"]


def test_in_letters_of_double_size_the_header_prints_nothing_over_anything(open_context, transactional_db):
    one_place()
    page = open_context(viewport=SCREEN).new_page()
    page.goto("/")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    for width in (320, 360, 768):
        page.set_viewport_size({"width": width, "height": 640})
        assert printed_over(page) == [], width


def printed_over(page) -> list[tuple[dict[str, float], ...]]:
    """Which boxes of the header lie over others, or beyond the edge of the window."""
    width = page.viewport_size["width"]
    shown = page.locator(
        ".brand__name, .lang a, .header__menu summary, .menu--place summary, .account-link:visible"
    )
    boxes = [one.bounding_box() for one in shown.all() if one.is_visible()]
    assert len(boxes) >= 5
    beyond = [(box,) for box in boxes if box["x"] < 0 or box["x"] + box["width"] > width]
    return beyond + [
        (one, other)
        for at, one in enumerate(boxes)
        for other in boxes[:at]
        if one["x"] < other["x"] + other["width"] - 1
        and other["x"] < one["x"] + one["width"] - 1
        and one["y"] < other["y"] + other["height"] - 1
        and other["y"] < one["y"] + one["height"] - 1
    ]


def test_a_referral_is_downloaded_by_one_button(phone, city):
    phone.goto(city.applications["referred"].get_absolute_url())
    assert phone.locator("main a[href$='/referral.pdf']").count() == 1
    assert phone.locator("main a[href$='/extend/']").count() == 1


class Count:
    """Pages that a family sees, and everything that it presses on its way."""

    def __init__(self, page) -> None:
        self.page = page
        self.pages: list[str] = []
        self.presses: list[str] = []
        page.on("load", lambda loaded: self.pages.append(loaded.url))

    def press(self, selector: str) -> None:
        self.presses.append(selector)
        self.page.locator(selector).first.click()

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"main [name={name}]").first.fill(value)


def is_a_page_of_its_own(page, before: str) -> None:
    """«Is this your child»: its title is new, its heading has the focus, the child is on the first screen."""
    assert page.title() != before
    assert page.evaluate("document.activeElement.id") == "page-heading"
    box = page.get_by_text("НҰРАСЫЛ").bounding_box()
    assert box["y"] + box["height"] <= SCREEN["height"]


# The pages are the same in both; `test_the_manual` registers in Kazakh.
@whole_way
@pytest.mark.parametrize("language", PREFIXES if THOROUGH else ["/ru"])
def test_from_home_to_a_number(open_context, summer_2019, worker, language):
    """At most eleven pages and twelve presses, ticks included."""
    one_place()
    page = open_context(viewport=SCREEN).new_page()
    way = Count(page)
    page.goto(f"{language}/")
    way.press("main .tile a")
    page.wait_for_url("**/register/**")
    way.fill(phone="8 701 777 98 76")
    way.press("[name=consent]")
    way.press("main form .button")
    page.wait_for_url("**/register/code/")
    way.fill(code=sms_code())
    way.press("main form .button")
    page.wait_for_url("**/register/password/")
    way.fill(password=PASSWORD, repeated=PASSWORD)
    way.press("main form .actions .button")
    page.wait_for_url("**/register/account/")
    way.fill(identity=FATHER)
    way.press("main form .button")
    way.press("[name=confirm]")
    page.wait_for_url("**/cabinet/children/add/")
    assert page.get_by_text("КАМЕНОВА ДАНИЯ ЕРМЕКОВНА").first.is_visible()
    before = page.title()
    way.press("main form:has([name=offered]) .button")
    page.wait_for_url("**/cabinet/children/add/check/")
    is_a_page_of_its_own(page, before)
    way.press("[name=save]")
    page.wait_for_url("**/cabinet/applications/new/**")
    way.press("[name=languages]")
    way.press("main form .button")
    page.wait_for_url("**/cabinet/applications/new/?locality=**")
    way.press("main form .button")
    page.wait_for_url(re.compile(r"/cabinet/applications/[0-9a-f-]{36}/\?filed=1"))
    page.locator(".big-number__value").wait_for()
    assert len(way.pages) <= 11, way.pages
    assert len(way.presses) <= 12, way.presses
