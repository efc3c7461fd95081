"""A notice on the screen of a device: what the worker shows, and where a press on it leads."""

import json

import pytest
from playwright.sync_api import expect

from notifications.models import PushSubscription
from notifications.push_encryption import new_private_key
from tests.browser.session import enter
from tests.factories import UserFactory

pytestmark = pytest.mark.browser

READY = "navigator.serviceWorker.ready.then(() => 1)"
# A browser without a screen allows no notifications: what the worker would show, and open, is told instead.
LISTEN = """() => {
    self.shown = [];
    self.opened = [];
    registration.showNotification = async (title, options) => { shown.push({ title, ...options }); };
    clients.openWindow = async (address) => { opened.push(address); };
}"""
# A press on what was shown last.
PRESS = """() => {
    const event = new Event("notificationclick");
    event.notification = { ...shown.at(-1), close() { this.isClosed = true; } };
    event.waitUntil = () => {};
    dispatchEvent(event);
    return [event.notification.isClosed, opened.pop()];
}"""


@pytest.fixture
def screen(settings, open_context, live_server):
    settings.PUSH_PRIVATE_KEY = new_private_key()
    context = open_context(service_workers="allow", permissions=["notifications"])
    enter(context, UserFactory(), portal=live_server.url)
    return context.new_page()


def awake(page):
    """The worker of the portal, which answers for this page and tells what it would show."""
    page.goto("/cabinet/")
    page.evaluate(READY)
    [worker] = page.context.service_workers
    worker.evaluate(LISTEN)
    return worker


def push(page, told):
    """Let the browser believe that its service has brought this; what the worker shows of it."""
    wire = page.context.new_cdp_session(page)
    found = []
    wire.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    wire.send("ServiceWorker.enable")
    wire.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": page.evaluate("location.origin"),
            "registrationId": found[0]["registrationId"],
            "data": json.dumps(told),
        },
    )
    [worker] = page.context.service_workers
    return worker.evaluate("""async () => {
        while (!shown.length) await new Promise((again) => setTimeout(again, 10));
        return shown.at(-1);
    }""")


@pytest.mark.parametrize(
    ("language", "inbox"), [("kk", "/cabinet/notifications/"), ("ru", "/ru/cabinet/notifications/")]
)
def test_it_is_shown_in_its_language_and_a_press_opens_the_inbox(screen, language, inbox):
    worker = awake(screen)
    told = {"text": "Өтінім қабылданды. BALABAQSHA", "tag": "17", "language": language}
    shown = push(screen, told)
    assert (shown["title"], shown["body"], shown["lang"], shown["tag"]) == (
        "Balabaqsha",
        told["text"],
        language,
        "17",
    )
    assert shown["icon"].endswith(".png")
    assert worker.evaluate(PRESS) == [True, inbox]


def test_nothing_in_a_notice_leads_elsewhere(screen):
    worker = awake(screen)
    push(screen, {"text": "x", "tag": "x", "language": "__proto__", "url": "https://evil.example/"})
    assert worker.evaluate(PRESS) == [True, "/cabinet/notifications/"]


def test_the_button_is_there_where_the_browser_can(screen):
    screen.goto("/cabinet/profile/ways/")
    screen.locator("a[href$='/ways/screen/']").click()
    button = screen.get_by_role("button", name="Осы құрылғыда хабарлама көрсету")
    expect(button).to_be_visible()
    # This browser has no service: it says so, and nothing is sent.
    button.click()
    expect(screen.locator("form[data-push] [role=status]")).to_contain_text("Болмады")
    assert not PushSubscription.objects.exists()


def test_without_scripts_the_page_says_what_else_there_is(settings, open_context, live_server):
    settings.PUSH_PRIVATE_KEY = new_private_key()
    context = open_context(java_script_enabled=False)
    enter(context, UserFactory(), portal=live_server.url)
    page = context.new_page()
    page.goto("/cabinet/profile/ways/screen/")
    expect(page.get_by_text("Бұл браузер хабарлама көрсете алмайды")).to_be_visible()
    expect(page.get_by_role("button", name="Осы құрылғыда хабарлама көрсету")).to_have_count(0)
