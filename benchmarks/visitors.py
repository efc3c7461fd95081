"""Who comes to a demo portal in a browser: a newcomer, a family of the desk, an employee; each page is in Kazakh."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any, Final

from playwright.sync_api import Browser, Page, ViewportSize

FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PASSWORD: Final = "қазан-айы-42"  # noqa: S105 - of a family that does not exist


def desk(portal: str) -> Any:
    """What the demo desk tells scripts: docs/demo.md."""
    with urllib.request.urlopen(f"{portal}/demo/desk.json", timeout=10) as answer:  # noqa: S310 - of this machine
        return json.load(answer)


def path_of(page: Page) -> str:
    """The address of a page without the portal's own, and without what is asked."""
    return re.sub(r"^\w+://[^/]+|\?.*$", "", page.url)


# --- a newcomer ----------------------------------------------------------------------------------------------------


def become_a_family(page: Page, *, portal: str) -> str:
    """Register the first person of the desk whose child is of an age to wait; the address of the application."""
    for _step in way_in(page, portal=portal):
        pass
    return path_of(page)


def way_in(page: Page, *, portal: str) -> Iterator[None]:
    """The same way, which pauses on each page that is only reached by it; the last is the application's."""
    person = next(one for one in desk(portal)["people"] if one["iin"] and _waiting_child(one))
    phone = f"+7701{int(time.time()) % 10_000_000:07d}"
    page.goto("/register/")
    page.fill("[name=phone]", phone)
    page.check("[name=consent]")
    _send(page, "[name=phone]", to="**/register/code/")
    yield
    page.fill("[name=code]", _code(portal, phone))
    _send(page, "[name=code]", to="**/register/password/")
    yield
    for field in page.locator("main input[type=password]").all():
        field.fill(PASSWORD)
    _send(page, "input[type=password]", to="**/register/account/")
    yield
    page.fill("[name=identity]", person["iin"])
    _send(page, "[name=identity]", to="**/register/account/")
    yield
    _send(page, "", to="**/cabinet/**")
    yield
    page.goto("/cabinet/children/add/")
    page.fill("[name=iin]", _waiting_child(person)["iin"])
    _send(page, "[name=iin]", to="**/cabinet/children/add/check/")
    yield
    _send(page, "", to="**/cabinet/applications/new/**")
    yield
    page.locator("[name=languages]").first.check()
    _send(page, "[name=languages]", to="**/cabinet/applications/new/**")
    yield
    page.locator("main form button:not([name])").first.click()
    page.wait_for_url(re.compile(r"/cabinet/applications/[0-9a-f-]{36}/"))
    yield


def _send(page: Page, field: str, *, to: str) -> None:
    """Send the form with this field, or the only one that asks for nothing."""
    form = page.locator(f"main form:has({field})" if field else "main form[method=post]")
    with page.expect_navigation(url=to):
        form.locator("button:not([type=button])").first.click()


def _waiting_child(person: dict[str, Any]) -> Any:
    years = {str(time.gmtime().tm_year - age) for age in (3, 4, 5)}
    return next((child for child in person["children"] if child["birth_date"][:4] in years), None)


def _code(portal: str, phone: str) -> str:
    for _attempt in range(100):
        for sms in desk(portal)["sms"]:
            if sms["phone"] == phone and (code := re.search(r"\b\d{6}\b", sms["text"])):
                return code[0]
        time.sleep(0.2)
    raise SystemExit("no code came: does the portal's worker run?")


# --- a family of the desk ------------------------------------------------------------------------------------------


def families(page: Page) -> list[str]:
    """The applications of the families of the desk, by their keys: one for each state."""
    page.goto("/demo/?lang=kk")
    return [str(one.input_value()) for one in page.locator("[name=family]").all()]


def enter_family(page: Page, application: str) -> str:
    """Sign in as a family of the desk, by one press; the address of the application, which is shown."""
    page.goto("/demo/?lang=kk")
    with page.expect_navigation():
        page.locator(f"form:has([value='{application}']) button").click()
    return path_of(page)


# --- an employee ---------------------------------------------------------------------------------------------------


def sign_in(browser: Browser, name: str, *, portal: str, width: int, height: int) -> Page:
    """A page on which an employee of the demo city is at work."""
    viewport: ViewportSize = {"width": width, "height": height}
    page = browser.new_context(base_url=portal, viewport=viewport, locale="kk-KZ").new_page()
    for _try in range(3):
        login = next(one for one in desk(portal)["staff"] if one["username"] == name)
        page.goto("/admin/")
        page.fill("[name=username]", name)
        page.fill("[name=password]", login["password"])
        page.fill("[name=otp_token]", login["otp"])
        with page.expect_navigation():
            page.locator("#login-form button[type=submit]").click()
        if not page.locator("#login-form").count():
            return page
        # The code was used in this half minute.
        time.sleep(30)
    raise SystemExit(f"{name} can't sign in")
