"""A parent takes a copy of their data, closes the account, and comes back in time."""

import io
import json
import os
import zipfile
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.data import exporting
from accounts.models import User
from applications.models import Application
from applications.states import ApplicationState
from notifications.clock import read_clock
from tests.factories import ApplicationFactory, UserFactory
from tests.thorough import whole_way

pytestmark = pytest.mark.browser

PASSWORD = "parent-pass-1"
# Where pictures of the pages go if somebody wants to look at them.
PICTURES = os.environ.get("PICTURES")


def sign_in(page: Page, portal: str, user: User) -> None:
    page.goto(f"{portal}/login/")
    page.locator("#id_phone").fill(str(user.phone))
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main form .actions button").first.click()
    page.wait_for_url("**/cabinet/**")


def waiting(parent: User) -> Application:
    """An application of a child that is still of an age for a kindergarten."""
    born = date(read_clock().year - 3, 7, 20)
    return ApplicationFactory(filed_by=parent, child__birth_date=born)


def confirm(page: Page) -> None:
    page.locator("main #id_password").fill(PASSWORD)
    page.locator("main form:has(#id_password) .actions button").click()


def seen(page: Page, name: str) -> None:
    if not PICTURES:
        return
    here = page.url
    for prefix, language in (("", "kk"), ("/ru", "ru")):
        path = here.split("/", 3)[3]
        page.goto(f"{here.rsplit('/' + path, 1)[0]}{prefix}/{path}")
        for width in (360, 1024):
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=Path(PICTURES, f"{name}-{language}-{width}.png"), full_page=True)
    page.goto(here)


@whole_way
def test_a_copy_of_ones_data(open_context, live_server, transactional_db):
    parent = UserFactory.create()
    waiting(parent)
    page = open_context().new_page()
    sign_in(page, live_server.url, parent)
    page.goto(f"{live_server.url}/cabinet/profile/")
    page.get_by_role("link", name="Деректерімнің көшірмесін алу").click()
    seen(page, "export")
    confirm(page)
    expect(page.locator("progress")).to_be_visible()
    seen(page, "export-under-way")
    exporting.make_due(now=read_clock())
    page.get_by_role("link", name="Қайта қарау").click()
    expect(page.get_by_role("heading", name="Көшірме дайын")).to_be_visible()
    seen(page, "export-ready")
    page.locator("main #id_password").fill("another-pass")
    page.locator("main form:has(#id_password) .actions button").click()
    expect(page.locator(".error-summary")).to_be_visible()
    confirm(page)
    for _twice in range(2):
        with page.expect_download() as waited:
            page.get_by_role("link", name="Жүктеп алу", exact=True).click()
        expect(page.locator(".error-summary, #id_password")).to_have_count(0)
    packed = zipfile.ZipFile(io.BytesIO(Path(waited.value.path()).read_bytes()))
    data = json.loads(packed.read("data.json"))
    assert data["profile"][0]["iin"] == parent.profile.iin
    assert [row["state"] for row in data["applications"]] == [ApplicationState.WAITING]


@whole_way
def test_closing_the_account_and_coming_back(open_context, live_server, transactional_db):
    parent = UserFactory.create()
    application = waiting(parent)
    page = open_context().new_page()
    sign_in(page, live_server.url, parent)
    page.goto(f"{live_server.url}/cabinet/profile/")
    page.get_by_role("link", name="Аккаунтты жабу").click()
    expect(page.locator("main")).to_contain_text(application.number)
    seen(page, "leave")
    confirm(page)
    expect(page.locator("main")).to_contain_text("Аккаунтыңыз жабылды")
    sign_in(page, live_server.url, parent)
    page.goto(f"{live_server.url}/cabinet/applications/")
    expect(page.get_by_role("heading", name="Аккаунтыңыз жабылды")).to_be_visible()
    seen(page, "closed")
    page.locator("main #id_password").fill(PASSWORD)
    page.get_by_role("button", name="Аккаунтты қайта ашу").click()
    page.wait_for_url("**/cabinet/")
    expect(page.locator("main")).to_contain_text("Аккаунтыңыз қайта ашылды")
    assert User.objects.get(pk=parent.pk).leaving_since is None
