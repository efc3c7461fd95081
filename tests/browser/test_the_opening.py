"""The minute it opens, in real browsers and sessions: the pages count down, open at the server's instant, seven win."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from itertools import cycle
from threading import Event as Signal
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import Locator, Page, expect

from applications.jobs.invariants import differences
from applications.models import Application, Bid, Event
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import ApplicationState
from applications.waiting.filing import file_application
from bulletin.models import Vacancy
from tests.browser.session import enter, session_cookie
from tests.browser.walk import Walk
from tests.factories import GroupFactory, GuardianshipFactory, KindergartenFactory, VacancyFactory, filer
from tests.patience import PATIENCE
from tests.thorough import THOROUGH, whole_way

pytestmark = pytest.mark.browser

# Time enough to load a page and look at it before the opening.
AHEAD = timedelta(seconds=4)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
# Notes when the button opened, by a counter that no test sets.
WATCH = """
    const counter = performance.now.bind(performance), origin = performance.timeOrigin;
    new MutationObserver(() => {
        if (document.querySelector("button[data-opens]:not([disabled])")) window.opened ??= origin + counter();
    }).observe(document, { subtree: true, attributeFilter: ["disabled"] });
"""
SENT = {"kk": "Бос орынға өтінім жіберілді", "ru": "Заявка на место отправлена"}
SEATS, FAMILIES, BROWSERS = 7, 40, 3


@pytest.fixture(autouse=True)
def _database_clock(settings, transactional_db):
    """The database decides, by its own clock, and no clock is stopped here."""
    settings.DATABASE_CLOCK = True
    this_year = database_now().year
    call_command("load_holidays", first_year=this_year, last_year=this_year + 1, verbosity=0)


@pytest.fixture
def place() -> Vacancy:
    """Seven places for three-year-olds that open in an hour; each test says when exactly."""
    group = GroupFactory(name="Солнце", language="ru", capacity=25)
    return VacancyFactory(
        group=group, birth_years=[database_now().year - 3], seats_total=SEATS, opens_at=database_now() + HOUR
    )


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def opens_in(left: timedelta, place: Vacancy) -> None:
    place.opens_at = database_now() + left
    place.save()


def waited_for(place: Vacancy, left: timedelta, load: Callable[[], object]) -> None:
    """Let `load` open pages so long before the opening, or longer where they need more than half of that."""
    while True:
        opens_in(left, place)
        load()
        if database_now() < place.opens_at - left / 2:
            return
        left *= 2


def waiting_family(place: Vacancy) -> Application:
    """Another family in the queue, filed like any other, which the place suits."""
    guardian = GuardianshipFactory(child__birth_date=date(place.birth_years[0], 7, 20))
    return file_application(
        child=guardian.child,
        locality=place.locality,
        languages=["ru"],
        actor=guardian.user,
        now=database_now(),
    )


def press_address(application: Application, place: Vacancy, language: str = "kk") -> str:
    with translation.override(language):
        return reverse("applications:apply", args=[application.pk, place.pk])


def opened_at(page: Page) -> datetime:
    return datetime.fromtimestamp(page.evaluate("window.opened") / 1000, UTC)


def confirm_button(page: Page, language: str = "kk") -> Locator:
    return Walk(page, language).control("confirm")


@pytest.fixture
def waiting_page(open_context, live_server, place) -> Callable[..., Page]:
    """Opens the waiting page of a new family, so long before the opening; `prepare` gets the page before that."""

    def opened(
        left: timedelta = AHEAD,
        *,
        language: str = "kk",
        prepare: Callable[[Page], object] = lambda page: None,
        **options: object,
    ) -> Page:
        application = waiting_family(place)
        context = open_context(**options)
        enter(context, filer(application), portal=live_server.url)
        page = context.new_page()
        page.add_init_script(WATCH)
        prepare(page)
        waited_for(place, left, lambda: page.goto(press_address(application, place, language)))
        return page

    return opened


@pytest.mark.parametrize("language", ["kk", "ru"] if THOROUGH else ["kk"])
def test_the_button_opens_by_itself_and_one_press_wins(waiting_page, place, language):
    page = waiting_page(language=language)
    confirm, status = confirm_button(page, language), page.locator("form [role=status]")
    countdown = page.locator("[data-countdown]")
    expect(confirm).to_be_disabled()
    left, waits = countdown.inner_text(), status.inner_text()
    expect(countdown).not_to_have_text(left)
    page.evaluate("window.isTheSamePage = true")

    expect(confirm).to_be_enabled()
    assert abs(opened_at(page) - place.opens_at) < SECOND
    assert page.evaluate("window.isTheSamePage")
    expect(countdown).to_have_count(0)
    expect(status).not_to_have_text(waits)
    confirm.click()
    page.wait_for_url("**/cabinet/applications/*/")
    expect(page.locator("main [role=status]").first).to_contain_text(SENT[language])
    assert Bid.objects.get().placed_at >= place.opens_at


# The counter of the page, and perhaps its clock, stood while the machine slept.
SLEEPING = """
    window.slept = 0;
    for (const clock of [{stood}]) {{
        const now = clock.now.bind(clock);
        clock.now = () => now() - window.slept;
    }}
"""
# The answer to the first question comes when it is let.
HELD = """
    const ask = window.fetch;
    window.underWay = new Promise((start) => {
        window.fetch = (...question) => new Promise((answer) => {
            window.fetch = ask;
            window.letAnswer = () => answer(ask(...question));
            start(true);
        });
    });
"""
SLEPT, WOKEN = "window.slept = 3600000;", "document.dispatchEvent(new Event('visibilitychange'));"
WRONG = "const now = Date.now; Date.now = () => now() + {} * 3600000;"


@dataclass(frozen=True)
class Device:
    """A device whose clock can't be relied on: what it is from the first page on, and what happens to it later."""

    is_so: str
    happens: str = ""
    is_punctual: bool = False


# Without asking again the page of one that slept would be an hour late; the answer to a question that was under way
# seems to have come an hour before it was asked for, and does not hold back the next one.
DEVICES = {
    "seven hours behind": Device(WRONG.format(-7), is_punctual=True),
    "seven hours ahead": Device(WRONG.format(7), is_punctual=True),
    "its counter slept": Device(SLEEPING.format(stood="performance"), SLEPT),
    "its counter and its clock slept": Device(SLEEPING.format(stood="performance, Date"), SLEPT + WOKEN),
    "a question was under way when it slept": Device(
        SLEEPING.format(stood="performance, Date") + HELD,
        f"window.underWay.then(() => {{ {SLEPT} {WOKEN} window.letAnswer(); }})",
    ),
}


def test_whatever_a_device_s_clock_does_it_opens_at_the_server_s_instant(waiting_page, place):
    """All wait for one opening, in both languages."""
    pages, languages = {}, dict(zip(DEVICES, cycle(["ru", "kk"]), strict=False))
    for name, device in DEVICES.items():
        pages[name] = waiting_page(
            HOUR,
            language=languages[name],
            prepare=lambda page, device=device: page.add_init_script(device.is_so),
            timezone_id="America/New_York",
        )
    opened: set[str] = set()

    def load() -> None:
        for page in pages.values():
            page.reload()
        opened.clear()
        for name, page in pages.items():
            if confirm_button(page, languages[name]).is_enabled():
                opened.add(name)
            page.evaluate(DEVICES[name].happens)

    waited_for(place, 2 * AHEAD, load)
    assert opened == set()
    for name, page in pages.items():
        expect(confirm_button(page, languages[name]), name).to_be_enabled()
        assert not DEVICES[name].is_punctual or abs(opened_at(page) - place.opens_at) < SECOND, name
    name, page = next(iter(pages.items()))
    confirm_button(page, languages[name]).click()
    page.wait_for_url("**/cabinet/applications/*/")
    expect(page.locator("main [role=status]").first).to_contain_text(SENT[languages[name]])


def test_the_clock_is_asked_once_in_the_last_minute_and_not_at_the_opening(waiting_page, place):
    """The page's time is wound on by hand; it gets no answer and goes on with what it knows."""
    asked = []

    def prepare(page: Page) -> None:
        page.clock.install()
        page.route("**/clock.json", lambda route: route.abort())
        page.on("requestfailed", lambda request: asked.append(request.url))

    page = waiting_page(timedelta(seconds=110), prepare=prepare)
    page.clock.pause_at(database_now() + timedelta(seconds=1))
    left = countdown_seconds(page)
    page.clock.run_for((left - 61) * 1000)
    assert asked == []
    with page.expect_event("requestfailed"):
        page.clock.run_for(56_000)
    # The page counts in whole seconds of the server, and a place opens between two: a countdown is up to two ahead.
    page.clock.run_for(3_000)
    expect(confirm_button(page)).to_be_disabled()
    page.clock.run_for(3_000)
    expect(confirm_button(page)).to_be_enabled()
    page.clock.run_for(57_000)
    assert len(asked) == 1


def countdown_seconds(page: Page) -> int:
    """What is left by the countdown «9 мин 58 сек»."""
    minutes, seconds = re.findall(r"\d+", page.locator("[data-countdown]").inner_text())
    return int(minutes) * 60 + int(seconds)


def test_without_scripts_the_page_is_refreshed(waiting_page, place):
    page = waiting_page(HOUR, java_script_enabled=False)
    confirm, refresh = confirm_button(page), page.locator("a[data-without-script]")
    refresh.click()
    expect(confirm).to_be_disabled()
    opens_in(timedelta(), place)
    refresh.click()
    expect(refresh).to_have_count(0)
    confirm.click()
    page.wait_for_url("**/cabinet/applications/*/")
    assert Bid.objects.count() == 1


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    text: str


class Session:
    """A family with nothing but HTTP: a session, a connection that is kept, and the form of its waiting page."""

    def __init__(self, portal: str, application: Application, place: Vacancy) -> None:
        self.application = application
        self.address = press_address(application, place)
        self.connection = HTTPConnection(urlsplit(portal).netloc, timeout=PATIENCE)
        self.cookies = {settings.SESSION_COOKIE_NAME: session_cookie(filer(application))}
        self.form: dict[str, str] = {}

    def wait(self) -> Answer:
        """Open the waiting page and keep what its form would send."""
        page = self._ask("GET")
        fields = re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]+)"', page.text)
        self.form = dict(fields)
        return page

    def another(self) -> "Session":
        """The same session and form over a connection of its own: the second click of an impatient hand."""
        twin = copy(self)
        twin.connection = HTTPConnection(self.connection.host, self.connection.port, timeout=PATIENCE)
        return twin

    def press(self) -> Answer:
        return self._ask("POST", urlencode(self.form))

    def _ask(self, method: str, body: str = "") -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, self.address, body, headers)
        response = self.connection.getresponse()
        for header in response.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: cookie.value for name, cookie in SimpleCookie(header).items()}
        return Answer(response.status, response.getheader("Location", ""), response.read().decode())


@whole_way
def test_forty_families_wait_for_one_opening_and_seven_win(open_context, live_server, place):
    VacancyFactory(
        group=GroupFactory(
            language="ru", kindergarten=KindergartenFactory(name_kk="Ақбота", name_ru="Акбота")
        ),
        birth_years=place.birth_years,
    )
    families = [waiting_family(place) for _ in range(FAMILIES)]
    numbers = {family.pk: position(family, now=database_now()).number for family in families}
    sessions = [Session(live_server.url, family, place) for family in families[BROWSERS:]]
    pages = []
    for family in families[:BROWSERS]:
        context = open_context()
        enter(context, filer(family), portal=live_server.url)
        pages.append(context.new_page())

    opened = Signal()

    def press_at_the_opening(session: Session) -> Answer:
        assert opened.wait(timeout=PATIENCE)
        return session.press()

    with ThreadPoolExecutor(2 * FAMILIES) as threads:
        assert {page.status for page in threads.map(Session.wait, sessions)} == {200}
        for early in threads.map(Session.press, sessions[:5]):
            assert early.status == 409
            assert str(Refusal.NOT_OPEN_YET.label) in early.text
        again = [session.another() for session in sessions[5:10]]
        presses = [threads.submit(press_at_the_opening, session) for session in sessions + again]

        def load() -> None:
            for page, family in zip(pages, families[:BROWSERS], strict=True):
                page.goto(press_address(family, place))

        waited_for(place, 2 * AHEAD, load)
        for page in pages:
            expect(confirm_button(page)).to_be_disabled()
        expect(confirm_button(pages[0])).to_be_enabled()
        opened.set()
        results = [press_in_browser(page) for page in pages]
        answers = [press.result() for press in presses]
    for session in sessions + again:
        session.connection.close()

    asked = families[:BROWSERS] + [session.application for session in sessions + again]
    told: dict[bool, set[Application]] = {True: set(), False: set()}
    for family, answer in zip(asked, results + answers, strict=True):
        told[is_won(answer, family)].add(family)
    won, lost = told[True], told[False]
    assert (len(won), len(lost)) == (SEATS, FAMILIES - SEATS)
    place.refresh_from_db()
    assert place.seats_taken == SEATS
    assert sorted(Bid.objects.values_list("application", flat=True)) == sorted(family.pk for family in won)
    assert Event.objects.filter(move="place_bid").count() == SEATS
    for family in families:
        family.refresh_from_db()
        assert family.state == (ApplicationState.BID_PLACED if family in won else ApplicationState.WAITING)
        assert position(family, now=database_now()).number == numbers[family.pk]
    assert list(differences()) == []


def press_in_browser(page: Page) -> Answer:
    expect(confirm_button(page)).to_be_enabled()
    with page.expect_response(lambda response: response.request.method == "POST") as response:
        confirm_button(page).click()
    page.wait_for_load_state()
    location = response.value.header_value("Location") or ""
    return Answer(response.value.status, location, page.locator("main").inner_text())


def is_won(answer: Answer, family: Application) -> bool:
    """Whether the family was told that it won; a loser reads what is kept, and which other place is open."""
    if answer.status == 302:
        assert answer.location == family.get_absolute_url()
        return True
    assert answer.status == 409
    assert str(Refusal.FULL.label) in answer.text
    assert "Ақбота" in answer.text
    return False
