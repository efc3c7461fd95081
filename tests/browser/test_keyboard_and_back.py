"""What hands really do: the back button, a double click, a second tab, the keyboard, a switch in the middle."""

import re
from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from applications.models import Application, Bid
from tests.browser.session import enter
from tests.browser.summer import one_place
from tests.browser.walk import DAUGHTER, FATHER, PASSWORD, Family, sms_code
from tests.factories import ApplicationFactory, LocalityFactory, UserFactory

pytestmark = pytest.mark.browser


class Back:
    """Presses the back button and sees where it leads; no page may be a failure, none the answer to a form."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.on("response", self._keep)
        self.faults: list[str] = []

    def leads_to(self, *paths: str) -> None:
        """Back, and on one of `paths`; then forward to where the visitor was."""
        here = self.page.url
        self.page.go_back()
        expect(self.page.locator("main h1")).to_be_visible()
        assert re.sub(r"^https?://[^/]+", "", self.page.url).split("?")[0] in paths
        self.page.goto(here)
        expect(self.page.locator("main h1")).to_be_visible()
        assert self.faults == []

    def _keep(self, response) -> None:
        request = response.request
        is_page = request.resource_type == "document"
        if response.status >= 500 or (is_page and request.method == "POST" and response.status == 200):
            self.faults.append(f"{request.method} {response.url} {response.status}")


def test_back_after_every_step(page, summer_2019, worker):
    vacancy, family, back = one_place(), Family(page, "kk"), Back(page)
    steps = [f"/register/{step}/" for step in ("code", "password", "account")]

    family.open("/register/")
    family.fill(phone="8 701 777 98 76")
    page.locator("[name=consent]").check()
    family.press("request_code")
    page.wait_for_url("**/register/code/")
    back.leads_to("/register/", *steps)
    family.fill(code=sms_code())
    family.press("send")
    page.wait_for_url("**/register/password/")
    back.leads_to(*steps)
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    family.press("save")
    page.wait_for_url("**/register/account/")
    back.leads_to(*steps)
    family.fill(identity=FATHER)
    family.press("send")
    family.sees("25.02.1994")
    back.leads_to(*steps)
    family.press("send")
    page.wait_for_url("**/cabinet/children/add/")
    back.leads_to("/cabinet/", "/cabinet/children/add/")

    family.open("/cabinet/children/add/")
    family.fill(iin=DAUGHTER)
    family.press("check_iin")
    family.sees("ДАНИЯ")
    family.press("save")
    page.wait_for_url("**/cabinet/applications/new/**")
    back.leads_to("/cabinet/children/add/")

    family.file_application()
    page.go_back()
    page.wait_for_url(re.compile(r"/cabinet/applications/[0-9a-f-]{36}/"))
    assert Application.objects.count() == 1

    family.bid()
    application = Application.objects.get()
    page.go_back()
    expect(page.locator("main h1")).to_be_visible()
    family.open(reverse("applications:apply", args=[application.pk, vacancy.pk]))
    page.wait_for_url(f"**{application.get_absolute_url()}")
    assert Bid.objects.count() == 1
    assert back.faults == []


@pytest.fixture
def confirm_page(summer_2019, open_context, live_server):
    """Opens the page with «Растау» in as many tabs as are asked for."""
    vacancy, parent = one_place(), UserFactory()
    application = ApplicationFactory(
        locality=vacancy.locality, child__birth_date=date(2017, 7, 20), languages=["ru"], filed_by=parent
    )
    context = open_context()
    enter(context, parent, portal=live_server.url)

    def opened(tabs: int) -> list[Page]:
        pages = [context.new_page() for _ in range(tabs)]
        for tab in pages:
            tab.goto(reverse("applications:apply", args=[application.pk, vacancy.pk]))
        return pages

    return opened


def test_a_double_click_sends_one_bid(confirm_page):
    (page,) = confirm_page(1)
    Family(page, "kk").control("confirm").first.dblclick()
    page.wait_for_url("**/cabinet/applications/*/")
    assert Bid.objects.count() == 1


def test_two_tabs_send_one_bid(confirm_page):
    first, second = confirm_page(2)
    for page in (first, second):
        Family(page, "kk").press("confirm")
        page.wait_for_url("**/cabinet/applications/*/")
        expect(page.locator("main [role=status]").first).to_be_visible()
    assert Bid.objects.count() == 1


def test_switches_keep_the_page_and_the_query(page, transactional_db):
    LocalityFactory()
    LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")
    page.goto("/bulletin/?search=Амина&birth_year=2017")
    page.locator(".lang a[hreflang=ru]").first.click()
    page.wait_for_url("**/ru/bulletin/?search=*&birth_year=2017")
    expect(page.locator("[name=search]")).to_have_value("Амина")

    page.goto("/kindergartens/?search=Амина")
    page.locator(".menu--place summary").click()
    page.locator(".menu--place select").select_option("kentau")
    page.locator(".menu--place button").click()
    page.wait_for_url("**/kindergartens/?search=*")
    expect(page.locator(".menu--place summary")).to_contain_text("Кентау")


def test_signing_in_with_the_keyboard_alone(page, transactional_db):
    UserFactory(phone="+77017779876")
    page.goto("/login/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.name") != "phone":
        page.keyboard.press("Tab")
    page.keyboard.type("8 701 777 98 76")
    page.keyboard.press("Tab")
    expect(page.locator("[name=password]")).to_be_focused()
    page.keyboard.type("parent-pass-1")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/cabinet/(#main)?$"))


def test_letters_that_come_late_do_not_move_the_button_under_an_employees_finger(page, transactional_db):
    """A press that begins on a button and ends beside it is none."""
    held: list[Route] = []
    page.route("**/*.woff2", lambda route: held.append(route))
    page.goto("/admin/login/", wait_until="domcontentloaded")
    button = page.locator("#login-form button")
    page.evaluate("new Promise(seen => setTimeout(seen, 500))")
    before = button.bounding_box()
    assert held
    for route in held:
        route.continue_()
    page.wait_for_load_state()
    page.evaluate("document.fonts.ready.then(() => null)")
    assert button.bounding_box() == before
