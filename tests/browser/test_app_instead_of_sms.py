"""A parent sets up an authenticator app, is warned before the end of the session, and signs in without any SMS."""

import re
from datetime import timedelta

import pytest
from django_otp.oath import hotp
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, expect

from accounts.models import Session
from notifications.clock import read_clock
from notifications.models import Message
from tests.factories import UserFactory
from tests.thorough import whole_way

pytestmark = pytest.mark.browser

PASSWORD = "parent-pass-1"


def sign_in(page: Page, portal: str, user) -> None:
    page.goto(f"{portal}/login/")
    page.locator("#id_phone").fill(str(user.phone))
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main form .actions button").first.click()


def shown(user) -> str:
    """What the app shows in the half minute after the code that was used last."""
    device = TOTPDevice.objects.get(user=user)
    step = max(int(read_clock().timestamp()) // 30, device.last_t + 1)
    return f"{hotp(device.bin_key, step, 6):06d}"


@whole_way
def test_the_app_takes_the_place_of_sms(open_context, live_server, transactional_db):
    parent = UserFactory.create()
    page = open_context().new_page()
    sign_in(page, live_server.url, parent)
    page.goto(f"{live_server.url}/cabinet/profile/")
    page.get_by_role("link", name="Аутентификатор қолданбасы").click()
    expect(page.locator(".qr svg")).to_be_visible()
    key = page.locator(".summary dd").first.inner_text()
    assert re.fullmatch(r"[A-Z2-7 ]+", key)
    page.locator("#id_code").fill(shown(parent))
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main form .actions button").click()
    expect(page.locator(".codes code")).to_have_count(10)
    codes = page.locator(".codes code").all_inner_texts()

    # The page asks shortly before the end, and one button goes on.
    page.goto(f"{live_server.url}/cabinet/profile/")
    soon = read_clock() + timedelta(minutes=2)
    Session.objects.update(expire_date=soon, seen_at=soon - timedelta(minutes=20))
    name = next(one["name"] for one in page.context.cookies() if "session_ends" in one["name"])
    page.context.add_cookies([{"name": name, "value": str(int(soon.timestamp())), "url": live_server.url}])
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Жалғастыру").click()
    expect(dialog).not_to_be_visible()
    assert Session.objects.get().expire_date > soon + timedelta(minutes=17)

    Message.objects.all().delete()
    other = open_context().new_page()
    sign_in(other, live_server.url, parent)
    other.locator("#id_code").fill(shown(parent))
    other.locator("main form .actions button").first.click()
    other.wait_for_url("**/cabinet/")
    third = open_context().new_page()
    sign_in(third, live_server.url, parent)
    third.locator("#id_code").fill(codes[3])
    third.locator("main form .actions button").first.click()
    third.wait_for_url("**/cabinet/")
    assert set(Message.objects.values_list("kind", flat=True)) == {"new_device"}
