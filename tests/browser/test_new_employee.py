"""A new employee, from the invitation to the workplace: the administrator at a laptop, the employee at a phone."""

import pytest
from django.conf import settings
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect

from accounts.models import User
from balabaqsha.roles import set_up_roles
from tests.browser.barriers import against_axe
from tests.factories import KindergartenFactory, StaffFactory
from tests.staff import code_of, give_app, inside

PASSWORD = "қолшатыр-1984"


@pytest.fixture
def desk(open_context, live_server):
    """The workplace of an administrator."""
    set_up_roles()
    chief = StaffFactory(username="chief", is_superuser=True)
    give_app(chief)
    context = open_context(viewport={"width": 1280, "height": 800})
    value = inside(chief).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
    return context.new_page()


def fits(page):
    """Nothing is wider than the window."""
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_invited_set_up_and_at_work(desk, open_context, live_server):
    KindergartenFactory(name_kk="Балапан")
    desk.goto("/admin/accounts/employee/add/")
    for name, value in (
        ("last_name", "Ахметова"), ("first_name", "Айдана"), ("position", "әдіскер"), ("username", "aidana"),
    ):  # fmt: skip
        desk.locator(f"#id_{name}").fill(value)
    desk.get_by_label("балабақша қызметкері").check()
    desk.locator(".field-kindergarten .select2-selection").click()
    desk.locator(".select2-search__field").fill("Балапан")
    desk.locator(".select2-results__option", has_text="Балапан").first.click()
    fits(desk)
    desk.locator("input[name=_save]").click()
    link = desk.locator("code.link").inner_text()
    fits(desk)
    assert against_axe(desk) == []

    phone = open_context(viewport={"width": 360, "height": 740}, java_script_enabled=False).new_page()
    phone.goto(link.replace("http://testserver", live_server.url))
    expect(phone.get_by_role("heading", name="Аккаунтыңызды баптаңыз")).to_be_visible()
    assert link.partition("=")[2] not in phone.url
    fits(phone)
    user = User.objects.get(username="aidana")
    for name in ("password", "repeated"):
        phone.locator(f"#id_{name}").fill(PASSWORD)
    phone.locator("#id_token").fill(code_of(TOTPDevice.objects.get(user=user)))
    phone.get_by_role("button", name="Баптап, кіру").click()
    expect(phone.locator("ol.codes li")).to_have_count(10)
    fits(phone)
    phone.get_by_role("link", name="Кодтарды сақтап қойдым").click()
    expect(phone.locator("#user-tools")).to_contain_text("Ахметова А., әдіскер")
