"""A phone that loses the internet: what the browser shows, and what it has kept of a family."""

import pytest
from django.utils import translation
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import PHONE_SCREEN
from tests.browser.session import enter
from tests.city import build_city

pytestmark = pytest.mark.browser

# Resolves once a worker answers for this page.
READY = "navigator.serviceWorker.ready.then(() => 1)"
KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) found.push(new URL(request.url).pathname);
    }
    return found;
}"""
MAIN = {"kk": ("Интернет жоқ", "Қайталау"), "ru": ("Нет интернета", "Повторить")}


@pytest.fixture
def city(transactional_db):
    return build_city()


@pytest.fixture
def family(open_context, live_server, city) -> Page:
    context = open_context(service_workers="allow", viewport=PHONE_SCREEN)
    enter(context, city.parent, portal=live_server.url)
    page = context.new_page()
    page.goto("/cabinet/")
    page.evaluate(READY)
    return page


def is_public(path: str) -> bool:
    return path.startswith("/static/") or path in ("/offline/", "/ru/offline/")


def test_a_page_says_what_to_do_and_goes_on_where_it_was(family, city):
    context = family.context
    for language, (heading, again) in MAIN.items():
        with translation.override(language):
            address = city.applications["waiting"].get_absolute_url()
        context.set_offline(True)
        family.goto(address)
        expect(family.get_by_role("heading", level=1)).to_have_text(heading)
        # With its own letters and colours, too.
        assert family.evaluate(
            "document.fonts.check('18px Roboto') && document.styleSheets[0].cssRules.length > 0"
        )
        context.set_offline(False)
        family.get_by_role("link", name=again).click()
        expect(family.locator("main")).to_contain_text(city.applications["waiting"].number)
        assert family.url.endswith(address)


def test_nothing_of_a_family_is_kept_and_a_sign_out_leaves_nothing(family, city):
    for path in ("/cabinet/applications/", city.applications["referred"].get_absolute_url(), "/bulletin/"):
        family.goto(path)
    kept = family.evaluate(KEPT)
    assert "/offline/" in kept
    assert [path for path in kept if not is_public(path)] == []
    # What a former release kept, and anything that another script had put there.
    family.evaluate("caches.open('former').then((cache) => cache.put('/cabinet/', new Response('theirs')))")
    assert "/cabinet/" in family.evaluate(KEPT)
    with family.expect_navigation(url="**/"):
        family.locator("form.logout").first.evaluate("(form) => form.submit()")
    family.evaluate(READY)
    assert [path for path in family.evaluate(KEPT) if not is_public(path)] == []


def test_a_new_release_replaces_what_the_old_one_kept(family, settings):
    before = family.evaluate("caches.keys()")
    assert len(before) == 1
    settings.CONTACT_PHONES = ["8 (700) 000-00-00"]
    family.evaluate("""() => new Promise((done) => {
        navigator.serviceWorker.addEventListener('controllerchange', done, { once: true });
        navigator.serviceWorker.register('/sw.js?another', { scope: '/', updateViaCache: 'all' });
    })""")
    family.wait_for_function(
        "(before) => caches.keys().then((now) => now.length === 1 && now[0] !== before)", arg=before[0]
    )
    assert "/offline/" in family.evaluate(KEPT)


def test_the_workplace_is_left_alone(open_context, live_server, city):
    context = open_context(service_workers="allow")
    page = context.new_page()
    page.goto("/")
    page.evaluate(READY)
    context.set_offline(True)
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.goto("/admin/")
