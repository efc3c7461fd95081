"""A family's way by the keyboard alone, as a screen reader hears it: by what Chromium tells assistive technology.

Each page has one first heading and its landmarks; the skip link leads past the menus; every stop of the Tab key has a
role and a name, is in sight and has a ring around it, and the stops follow the page downwards. What the portal answers
is in a live region or where the focus is. `docs/accessibility.md` says what this walk can't hear.
"""

import re
from datetime import date
from typing import Any, NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from applications.models import Bid, Referral
from applications.referrals.ending import sign_contract
from applications.referrals.issuing import activate_bid
from applications.states import BidState
from notifications.clock import read_clock
from notifications.delivery import deliver_due
from tests.browser.session import enter
from tests.browser.summer import one_place
from tests.browser.walk import DAUGHTER, FATHER, PASSWORD, WORDS, newest_sms
from tests.factories import ApplicationFactory, StaffFactory, UserFactory
from tests.patience import until
from tests.thorough import whole_way

pytestmark = [pytest.mark.browser, pytest.mark.no_cover]

# More stops than the main part of any page of the way has.
MOST_STOPS = 60
LANDMARKS = {"banner", "main", "contentinfo"}
LIVE = ("status", "alert", "log")
APPLICATION = r"/cabinet/applications/[0-9a-f-]{36}/(\?.*)?$"

# Where the focus is, and whether one sees it there: by a ring of its own, or of the card that is all one link.
STOP = """() => {
    const one = document.activeElement, box = one.getBoundingClientRect();
    const rings = [null, '::after'].map(part => getComputedStyle(one, part));
    return {
        isRinged: rings.some(ring => ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2),
        isInSight: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        isInMain: one.closest('main') !== null && one.id !== 'main',
        top: box.top + scrollY,
        bottom: box.bottom + scrollY,
    };
}"""


class Heard(NamedTuple):
    """One node of the accessibility tree, as it is read out."""

    role: str
    name: str
    described: str
    states: dict[str, Any]


class Listener:
    """Somebody who presses keys and hears what has the focus, and what the page says by itself."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._tree = page.context.new_cdp_session(page)
        self._tree.send("Accessibility.enable")

    def open(self, path: str) -> None:
        self.page.goto(path)
        self.arrives(re.escape(path))

    def arrives(self, path: str, *, at_heading: bool = False) -> None:
        """On a new page; the next Tab leads into its main part, or a page that says so begins at its heading."""
        self.page.wait_for_url(re.compile(path))
        expect(self.page.locator("body > footer")).to_be_attached()
        # The tree follows the page, a little later.
        until(lambda: {one.role for one in self.whole_page()} >= LANDMARKS, lambda: str(self.whole_page()))
        headings = [
            one.name for one in self.whole_page() if one.role == "heading" and one.states.get("level") == 1
        ]
        assert len(headings) == 1, (path, headings)
        assert headings[0], path
        if at_heading:
            assert self.focused()[:2] == ("heading", headings[0])
            return
        self.page.keyboard.press("Tab")
        skip = self.focused()
        assert (skip.role, skip.name) == ("link", "Негізгі мазмұнға өту"), (path, skip)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#main")).to_be_focused()

    def whole_page(self) -> list[Heard]:
        nodes = self._tree.send("Accessibility.getFullAXTree")["nodes"]
        return [_heard(node) for node in nodes if not node["ignored"]]

    def focused(self) -> Heard:
        focus = self._tree.send("Runtime.evaluate", {"expression": "document.activeElement"})
        asked = {"objectId": focus["result"]["objectId"], "fetchRelatives": False}
        return _heard(self._tree.send("Accessibility.getPartialAXTree", asked)["nodes"][0])

    def goes_to(self, role: str, name: str) -> Heard:
        """Press Tab until a control of that role has a name that begins so; every stop on the way is a good one."""
        passed: list[str] = []
        lowest = 0.0
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            heard, stop = self.focused(), self.page.evaluate(STOP)
            if not stop["isInMain"]:
                break
            passed.append(f"{heard.role} «{heard.name}»")
            assert heard.name, (self.page.url, passed)
            assert stop["isRinged"], (self.page.url, passed)
            assert stop["isInSight"], (self.page.url, passed)
            # Downwards, or to the right of what stands beside it.
            assert stop["bottom"] > lowest, (self.page.url, passed)
            lowest = max(lowest, stop["top"])
            if heard.role == role and heard.name.startswith(name):
                return heard
        pytest.fail(f"no {role} «{name}» is reached by Tab on {self.page.url}, but {passed}")

    def types(self, name: str, text: str) -> Heard:
        heard = self.goes_to("textbox", name)
        self.page.keyboard.type(text)
        return heard

    def checks(self, name: str) -> Heard:
        """Make sure that a box is ticked."""
        heard = self.goes_to("checkbox", name)
        if heard.states.get("checked") != "true":
            self.page.keyboard.press("Space")
        assert self.focused().states["checked"] == "true"
        return heard

    def presses(self, role: str, name: str) -> None:
        self.goes_to(role, name)
        self.page.keyboard.press("Enter")

    def is_told(self, text: str) -> None:
        """The page says so by itself: in a live region."""
        regions = ", ".join(f"[role={role}]" for role in LIVE)
        expect(self.page.locator(regions).filter(has_text=text).first).to_be_visible()
        assert any(one.role in LIVE for one in self.whole_page())


def _heard(node: dict[str, Any]) -> Heard:
    def value(key: str) -> str:
        return str(node.get(key, {}).get("value", ""))

    states = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
    return Heard(value("role"), value("name").strip(), value("description"), states)


def code_of_the_sms() -> str:
    """The code, which the worker would have sent."""
    deliver_due(now=read_clock())
    return re.search(r"\b\d{6}\b", newest_sms(1))[0]


@whole_way
def test_from_registration_to_the_application(page, summer_2019):
    ear, words = Listener(page), WORDS["kk"]
    one_place()

    # A refused form tells of its error, leads to the field, and the field says what is wrong.
    ear.open("/register/")
    ear.types("Телефон", "12")
    ear.checks("Мен пайдаланушылардың деректер саясатымен")
    ear.presses("button", words["request_code"])
    ear.is_told("Қате")
    expect(page.locator(".error-summary")).to_be_focused()
    ear.presses("link", "Телефон")
    wrong = ear.focused()
    assert (wrong.role, wrong.states.get("invalid")) == ("textbox", "true")
    assert wrong.described
    page.keyboard.press("Control+A")
    page.keyboard.type("8 701 777 98 76")
    page.keyboard.press("Enter")

    ear.arrives("/register/code/")
    ear.types("", code_of_the_sms())
    page.keyboard.press("Enter")
    ear.arrives("/register/password/")
    for field in ("Кіру үшін құпия сөз", "Құпия сөзді растаңыз"):
        assert ear.types(field, PASSWORD).states.get("required")
    page.keyboard.press("Enter")
    ear.arrives("/register/account/")
    ear.types("Ата-ананың ЖСН", FATHER)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("25.02.1994")
    ear.arrives("/register/account/")
    ear.presses("button", words["send"])

    ear.arrives("/cabinet/children/add/")
    ear.types("ЖСН", DAUGHTER)
    page.keyboard.press("Enter")
    ear.arrives("/cabinet/children/add/check/", at_heading=True)
    ear.presses("button", words["save"])

    ear.arrives("/cabinet/applications/new/")
    ear.checks("Қазақша")
    ear.checks("Орысша")
    ear.presses("button", words["next"])
    expect(page.locator("main")).to_contain_text("ДАНИЯ")
    ear.arrives("/cabinet/applications/new/")
    ear.presses("button", "Өтініш беру")
    ear.arrives(APPLICATION)
    ear.is_told("Өтініш")


def test_from_a_vacancy_to_the_contract(open_context, live_server, summer_2019):
    place, parent, staff = one_place(), UserFactory(), StaffFactory()
    application = ApplicationFactory(
        locality=place.locality, child__birth_date=date(2017, 7, 20), languages=["ru"], filed_by=parent
    )
    context = open_context()
    enter(context, parent, portal=live_server.url)
    page, words = context.new_page(), WORDS["kk"]
    ear = Listener(page)

    ear.open("/bulletin/?status=me")
    ear.is_told("Табылған хабарландырулар: 1")
    ear.presses("link", place.group.kindergarten.name)
    ear.arrives("/bulletin/[0-9a-f-]{36}/")
    ear.presses("link", words["apply"])
    ear.arrives("/apply/")
    ear.presses("button", words["confirm"])
    ear.arrives(APPLICATION)
    ear.is_told("Өтінім")
    assert Bid.objects.get().state == BidState.PENDING

    ear.presses("link", "Өтінімді кері қайтарып алу")
    ear.arrives("/withdraw/")
    ear.presses("button", words["withdraw"])
    ear.arrives(APPLICATION)
    ear.is_told("қайтарып")
    assert Bid.objects.get().state == BidState.WITHDRAWN

    # The referral, once the kindergarten has activated another bid.
    summer_2019.at(6, 26, 16, 30)
    ear.open(f"{application.get_absolute_url()}apply/{place.pk}/")
    ear.presses("button", words["confirm"])
    ear.arrives(APPLICATION)
    activate_bid(Bid.objects.get(state=BidState.PENDING), actor=staff, now=timezone.now())
    ear.open(application.get_absolute_url())
    assert "03.07.2019" in " ".join(one.name for one in ear.whole_page())
    ear.goes_to("link", words["download"])
    ear.goes_to("link", words["extend"])

    sign_contract(Referral.objects.get(), actor=staff, now=timezone.now())
    ear.open(application.get_absolute_url())
    assert any(one.name.startswith("Шарт жасалды") for one in ear.whole_page())
