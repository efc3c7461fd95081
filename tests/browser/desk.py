"""An employee at a desk: pages in one language, looked at on a laptop and on a phone, and the presses counted."""

from django.utils.functional import Promise
from django.utils.translation import gettext, override
from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize

from accounts.models import User
from tests.browser.barriers import against_axe
from tests.browser.session import enter
from tests.thorough import THOROUGH

LAPTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}
# What a task may take from the start page, or from where the employee stands after the one before. A press is a click,
# an Enter, or going into a field to write; what is written counts nothing. In the order of the table of the manual.
MOST = {
    "twenty bids": 42,
    "a family by phone": 4,
    "five vacancies": 8,
    "a contract": 3,
    "a coming": 3,
    "a printed list": 4,
    "an overdue answer": 5,
    "a benefit": 4,
    "who looked": 3,
    "an invitation": 12,
    "a lost phone": 6,
}


class Desk:
    """One page of a browser in which `user` is signed in with both factors, if one is given."""

    def __init__(
        self,
        context: BrowserContext,
        *,
        language: str,
        portal: str,
        user: User | None = None,
        scripts: bool = True,
    ) -> None:
        self.scripts = scripts
        self.language, self.presses, self.looks_like = language, 0, LAPTOP
        if user is not None:
            enter(context, user, portal=portal)
        self.page: Page = context.new_page()
        self.page.set_viewport_size(LAPTOP)

    def says(self, message: str | Promise) -> str:
        """The words of the portal for a message, in this language."""
        with override(self.language):
            return str(message) if isinstance(message, Promise) else gettext(message)

    def open(self, path: str) -> None:
        self.page.goto(path if self.language == "kk" else f"/ru{path}")

    def start(self) -> None:
        """To the start page, with no presses yet."""
        self.open("/admin/")
        self.presses = 0

    def link(self, end: str) -> Locator:
        """The first link of the page to an address that ends so."""
        return self.page.locator(f"#content a[href$='{end}']").first

    def button(self, message: str) -> Locator:
        """The button, or the link that looks like one, with these words of the portal."""
        place = self.page.locator("#content")
        name = self.says(message)
        return (
            place.get_by_role("button", name=name, exact=True)
            .or_(place.get_by_role("link", name=name, exact=True))
            .first
        )

    def press(self, what: Locator | str) -> None:
        """A click that leads to another page, or Enter where `what` is that word."""
        self.presses += 1
        with self.page.expect_navigation():
            if what == "Enter":
                self.page.keyboard.press("Enter")
            else:
                (self.button(what) if isinstance(what, str) else what).click()

    def choose(self, what: Locator) -> None:
        """A click that changes something on the page."""
        self.presses += 1
        what.click()

    def write(self, field: str, text: str) -> None:
        self.presses += 1
        self.page.locator(field).fill(text)

    def looked_at(self) -> None:
        """The page fits a laptop and a phone, and axe finds nothing: on both, or in a quick run on one in turn.

        Without scripts axe would never answer.
        """
        faults = []
        for screen in (PHONE, LAPTOP):
            self.page.set_viewport_size(screen)
            if (wide := self.page.evaluate("document.documentElement.scrollWidth")) > screen["width"]:
                faults.append(f"{wide} px wide")
            if self.scripts and (THOROUGH or screen is self.looks_like):
                faults += against_axe(self.page)
        self.looks_like = PHONE if self.looks_like is LAPTOP else LAPTOP
        assert not faults, (self.page.url, faults)

    def took(self, task: str) -> None:
        """The task is done: it has taken no more presses than it may."""
        assert self.presses <= MOST[task], f"{task}: {self.presses}"
        self.presses = 0
