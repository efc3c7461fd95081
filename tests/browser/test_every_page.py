"""Every page fits every width, with the longest names and with large letters; it is light; axe finds nothing."""

import zlib
from collections.abc import Callable, Iterator
from itertools import cycle, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils import timezone, translation
from playwright.sync_api import BrowserContext, Page

from accounts.models import Employee, PolicyConsent
from applications.models import MadeFile
from bulletin.models import Group, Kindergarten, Locality
from children.models import Child
from notifications.models import Notice
from tests.browser.all_pages import CABINET, EMPTY, PUBLIC, family_objects, in_language, public_objects
from tests.browser.barriers import against_axe
from tests.browser.session import enter
from tests.city import build_city, with_offer
from tests.factories import UserFactory, left_out, unclaimed
from tests.thorough import THOROUGH

pytestmark = pytest.mark.browser

# Phones; employees have wider ones.
NARROW, OF_EMPLOYEES = (320, 360), (360, 1280)
# The first is a laptop of 1280 px at 200 %.
WIDER = (640, 700, 768, 900, 1024, 1100, 1280)
# The browser's own setting for large letters.
LARGE = (320, 1024)
# Letters enlarged on one page only.
ENLARGED = (360, 1024)
HEIGHT = 740
LANGUAGES = pytest.mark.parametrize("language", ["kk", "ru"])
# A first view on a slow phone: compressed, with nothing kept from an earlier one.
FIRST_VIEW_BYTES, FIRST_VIEW_REQUESTS = 60_000, 12
LONG_WORD = "Шекербайжұмағалиұлыәбдірахмановтегі-Құдайбергеновтегі"

TOO_WIDE = """() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= window.innerWidth) return [];
    return [...document.querySelectorAll('body *')]
        .filter(one => one.checkVisibility() && one.getBoundingClientRect().right > room + 1)
        .filter(one => ![...one.children].some(child => child.getBoundingClientRect().right > room + 1))
        .map(one => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 40)}`)
        .slice(0, 4);
}"""

# Words of a table that are broken where no hyphen could stand. The names of this city are longer than any column.
BROKEN_WORDS = r"""() => [...document.querySelectorAll('main :is(td, th)')]
    .filter(cell => cell.checkVisibility())
    .filter(cell => getComputedStyle(cell.closest('thead') || cell).position !== 'absolute')
    .flatMap(cell => {
        const broken = [], range = document.createRange();
        const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) for (const word of texts.currentNode.data.matchAll(/[\p{L}\p{N}]+/gu)) {
            if (word[0].length > 16) continue;
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(one => one.top)).size > 1) broken.push(`broken: ${word[0]}`);
        }
        return broken;
    })
    .slice(0, 4)"""

STICKS_OUT = """() => [...document.querySelectorAll('a, button, summary, label, li, p, dt, dd')]
    .filter(one => one.checkVisibility() && one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1)
    .filter(one => getComputedStyle(one).overflowX === 'visible')
    .map(one => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 40)}`)
    .slice(0, 4)"""


@pytest.fixture
def city(transactional_db):
    """The city in which everything is called by names as long as they may be."""
    city = build_city()
    Child.objects.update(last_name=LONG_WORD.upper(), first_name=LONG_WORD.upper(), middle_name=LONG_WORD)
    Kindergarten.objects.update(
        name_kk=f"«{LONG_WORD}» {LONG_WORD}", name_ru=f"«{LONG_WORD}» {LONG_WORD}", head=LONG_WORD
    )
    Group.objects.update(name=LONG_WORD)
    Locality.objects.update(name_kk=LONG_WORD, name_ru=LONG_WORD)
    profile = city.parent.profile
    profile.last_name = profile.first_name = profile.middle_name = LONG_WORD
    profile.save()
    Employee.objects.update_or_create(
        user=city.worker, defaults={"last_name": LONG_WORD, "first_name": "Асан"}
    )
    return city


def offered_pages(city) -> list[str]:
    """Those of an application to which a place is offered that somebody gave back."""
    application = with_offer(city)
    names = ("application", "accept_offer", "decline_offer", "delete")
    return [
        *(reverse(f"applications:{name}", args=[application.pk]) for name in names),
        reverse("applications:apply", args=[application.pk, city.vacancy.pk]),
        city.vacancy.get_absolute_url(),
    ]


def workers_pages(city) -> list[str]:
    """The start page of a kindergarten's worker, lists with rows, a form, a history; last what is unread."""
    Notice.objects.bulk_create(
        Notice(
            recipient=city.worker, kind="bid_placed", created_at=timezone.now(), dedupe_key=f"unread {one}"
        )
        for one in range(12)
    )
    lists = ("applications_bid", "applications_referral", "bulletin_vacancy", "bulletin_group")
    return [
        reverse("admin:index"),
        *(reverse(f"admin:{name}_changelist") for name in lists),
        reverse("admin:manual"),
        reverse("admin:bulletin_vacancy_bulk"),
        reverse("admin:bulletin_vacancy_add"),
        reverse("admin:bulletin_vacancy_change", args=[city.vacancy.pk]),
        reverse("admin:bulletin_vacancy_history", args=[city.vacancy.pk]),
        reverse("admin:inbox"),
        reverse("admin:ready"),
        reverse("admin:messages"),
        reverse("admin:backup_codes"),
    ]


def officials_pages(city) -> list[str]:
    """Reports, one with a file that is being made, and a former queue of which a line was left out."""
    MadeFile.objects.create(
        user=city.official, what="report:waits", language="kk", title=LONG_WORD, asked_at=timezone.now()
    )
    locality = city.kindergarten.locality
    unclaimed(locality=locality, birth_year=locality.day(timezone.now()).year - 4)
    line = left_out(locality, last_name=LONG_WORD)
    return [
        reverse("admin:reports"),
        reverse("admin:city_files"),
        reverse("admin:city_kind", args=["groups"]),
        reverse("admin:report", args=["no-shows"]),
        reverse("admin:report", args=["waits"]),
        reverse("admin:reconciliation", args=[line.batch.pk]),
        reverse("admin:applications_formerline_changelist"),
        reverse("admin:applications_formerline_change", args=[line.pk]),
        reverse("admin:applications_formerprotocol_changelist"),
    ]


def too_wide(page: Page, widths: tuple[int, ...], *whats: str) -> list[str]:
    """At which widths the page is wider than its window, or has one of these faults, and by what."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        found += [f"{width} px: {one}" for what in whats or (TOO_WIDE,) for one in page.evaluate(what)]
    return found


def too_wide_enlarged(view: "FirstView") -> list[str]:
    """The same, and what is wider than its own box, with letters of twice the size for this page alone.

    Phones and extensions do it so. Unlike the browser's own setting it leaves the media queries as they were: none
    that is meant for large letters may ask for the window's width.
    """
    view.page.evaluate("document.documentElement.style.fontSize = '200%'")
    found = too_wide(view.page, ENLARGED, TOO_WIDE, STICKS_OUT)
    view.page.evaluate("document.documentElement.style.fontSize = ''")
    return [f"enlarged, {what}" for what in found]


def too_wide_with_large_letters(view: "FirstView") -> list[str]:
    """The same for a visitor who has set letters of twice the usual size: media queries count in these."""
    view.set_letters(32)
    found = too_wide(view.page, LARGE)
    view.set_letters(16)
    return [f"large letters, {what}" for what in found]


LARGER = (too_wide_enlarged, too_wide_with_large_letters)


def larger_in_turns() -> Iterator[tuple[Callable[["FirstView"], list[str]], ...]]:
    """By which larger letters one page after another is looked at: in a quick run by one of the two."""
    return repeat(LARGER) if THOROUGH else cycle([LARGER[:1], LARGER[1:]])


def test_control_a_broken_word_is_seen(page):
    cells = "<main><table><tr><td style='width: 3ch; overflow-wrap: anywhere'>{}</td></tr></table></main>"
    for text, seen in (("Показать", ["broken: Показать"]), ("а б", []), ("Ы" * 20, [])):
        page.set_content(cells.format(text))
        page.add_style_tag(content="table { table-layout: fixed; width: 3ch }")
        assert page.evaluate(BROKEN_WORDS) == seen


def test_control_a_wide_page_is_seen(page):
    page.set_content("<p style='width: 900px'>x</p>")
    assert {fault.partition(":")[0] for fault in too_wide(page, NARROW + WIDER)} == {
        "320 px", "360 px", "640 px", "700 px", "768 px", "900 px",
    }  # fmt: skip


def test_control_a_page_is_seen_that_is_wider_with_large_letters(page):
    """By its letters, and by what it shows only where a window of so many letters is narrow."""
    view = FirstView(page.context)
    for width, shown, wide in (
        ("15rem; margin: 0 -8px", "block", {"large letters, 320 px"}),
        ("1100px", "none", {"large letters, 1024 px"}),
    ):
        view.page.set_content(
            f"<style>p {{ width: {width}; display: {shown} }}"
            "@media (min-width: 30em) and (max-width: 40em) { p { display: block } }</style><p>x</p>"
        )
        assert too_wide(view.page, LARGE) == []
        assert {fault.partition(":")[0] for fault in too_wide_with_large_letters(view)} == wide
        assert too_wide(view.page, LARGE) == []


def turns(language: str) -> Iterator[bool]:
    """Whether a page is looked at in this language: in a quick run each is in one of the two."""
    return repeat(True) if THOROUGH else cycle([language == "kk", language == "ru"])


def light_pages(city: SimpleNamespace, language: str) -> tuple[list[str], list[str]]:
    """Those of visitors, and those of the family."""
    with translation.override(language):
        return (
            [*in_language(language, *PUBLIC), *public_objects(city)],
            [*in_language(language, *CABINET), *family_objects(city), *offered_pages(city)],
        )


def wider_in_turns() -> Iterator[tuple[int, ...]]:
    """At which widths beyond a phone's one page after another is looked at: in a quick run at a third of them."""
    return repeat(WIDER) if THOROUGH else cycle([WIDER[::3], WIDER[1::3], WIDER[2::3]])


@LANGUAGES
def test_every_page(open_context, live_server, city, language):
    """Of visitors, of a family in every state, of one that has nothing yet; and the employees' first pages.

    In a quick run a page is looked at in one language.
    In Russian by night: the words do not change the colours, so each page is in one of the two.
    """
    of_visitors, of_family = light_pages(city, language)
    with translation.override(language):
        sign_in, of_workers = reverse("admin:login"), workers_pages(city)
        of_officials = officials_pages(city)
        policy, not_allowed = reverse("accounts:policy"), reverse("accounts:language")
    agreed = PolicyConsent.objects.create(user=UserFactory(), version="earlier", given_at=timezone.now())
    visits = (
        (None, [*of_visitors, f"/demo/?lang={language}"], NARROW),
        (city.parent, [*of_family, not_allowed], NARROW),
        (agreed.user, [policy], NARROW),
        (UserFactory(), in_language(language, *EMPTY), NARROW),
        (None, [sign_in], OF_EMPLOYEES),
        (city.worker, of_workers, OF_EMPLOYEES),
        (city.official, of_officials, OF_EMPLOYEES),
    )
    faults, light, wider, larger = {}, [*of_visitors, *of_family], wider_in_turns(), larger_in_turns()
    for user, paths, narrow in visits:
        by_night = language == "ru" and narrow is NARROW
        context = open_context(
            viewport={"width": narrow[0], "height": HEIGHT}, color_scheme="dark" if by_night else "light"
        )
        if user:
            enter(context, user, portal=live_server.url)
        view = FirstView(context)
        for path, is_looked_at in zip(paths, turns(language), strict=False):
            if not is_looked_at:
                continue
            requests, size = view.of(path)
            widths = (*next(wider), *narrow) if narrow is NARROW else narrow
            found = too_wide(view.page, widths, *((TOO_WIDE, BROKEN_WORDS) if narrow is NARROW else ()))
            # Before axe: Chromium measures wrongly what was hidden from it meanwhile.
            if path in light:
                found += [fault for look in next(larger) for fault in look(view)]
            found += against_axe(view.page, width=widths[-1])
            # What is prepared comes under the address of the page that waits for it: a paper is no first view.
            is_page = path in light and not path.endswith(".pdf")
            if is_page and (requests > FIRST_VIEW_REQUESTS or size > FIRST_VIEW_BYTES):
                found.append(f"{requests} requests, {size} bytes")
            if found:
                faults[path] = found
    assert faults == {}
    assert len(light) > 40


class FirstView:
    """Opens pages, and weighs what would come over the wire to whoever opens them first and has nothing yet."""

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.wire = context.new_cdp_session(self.page)
        self.wire.send("Network.enable")
        self.wire.on("Network.responseReceived", self._answered)
        self.wire.on("Network.loadingFinished", self._loaded)
        self.urls: dict[str, str] = {}
        # What came once lies in the browser's cache and is not sent again.
        self.sizes: dict[str, int] = {}

    def of(self, path: str) -> tuple[int, int]:
        """How many requests a page takes and how many bytes come."""
        self.urls = {}
        self.page.goto(path)
        # Asked on the wire itself, so that what it told before has come; what is under way even now weighs nothing.
        self.wire.send(
            "Runtime.evaluate", {"expression": "document.fonts.ready.then(() => 1)", "awaitPromise": True}
        )
        return len(self.urls), sum(self.sizes.get(url, 0) for url in self.urls.values())

    def set_letters(self, pixels: int) -> None:
        """The browser's own setting for the size of letters; what a page says of it counts from the next width on."""
        self.wire.send("Page.setFontSizes", {"fontSizes": {"standard": pixels, "fixed": pixels * 13 // 16}})

    def _answered(self, event: dict[str, Any]) -> None:
        # Chromium tells of pictures in the style sheet, too, for which nothing is asked.
        if not event["response"]["url"].startswith("data:"):
            self.urls[event["requestId"]] = event["response"]["url"]

    def _loaded(self, event: dict[str, Any]) -> None:
        url = self.urls.get(event["requestId"], "")
        _before, is_static, name = url.partition(settings.STATIC_URL)
        file = finders.find(name) if is_static else None
        # The tests' own server sends files as they lie there; the portal's compresses what is text.
        if file is None or name.endswith(".woff2"):
            self.sizes[url] = max(event["encodedDataLength"], self.sizes.get(url, 0) if file else 0)
        elif url not in self.sizes:
            self.sizes[url] = len(zlib.compress(Path(file).read_bytes(), 9))
