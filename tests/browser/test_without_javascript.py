"""The same way where scripts are off: from registration to a bid, and the bid taken back."""

import pytest

from applications.models import Application, Bid
from applications.states import ApplicationState, BidState
from tests.browser.summer import one_place
from tests.browser.walk import Family

pytestmark = pytest.mark.browser


def test_from_registration_to_a_bid_and_back(open_context, summer_2019, worker):
    vacancy = one_place()
    family = Family(open_context(java_script_enabled=False).new_page(), "kk")
    family.register()
    family.add_daughter()
    family.file_application()
    summer_2019.at(6, 26, 16, 21)
    family.bid()
    assert Bid.objects.get().state == BidState.PENDING
    vacancy.refresh_from_db()
    assert vacancy.seats_taken == 1

    summer_2019.at(6, 26, 16, 22)
    family.open_application()
    family.page.locator("main a[href$='/withdraw/']").first.click()
    family.press("withdraw")
    family.page.wait_for_url("**/cabinet/applications/*/")
    family.sees(family.words["waiting"])
    assert Bid.objects.get().state == BidState.WITHDRAWN
    assert Application.objects.get().state == ApplicationState.WAITING
    vacancy.refresh_from_db()
    assert vacancy.seats_taken == 0


def test_menu_language_place_and_filters_need_no_script(open_context, transactional_db):
    one_place()
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/bulletin/")
    page.locator(".header__menu summary").click()
    page.locator(".header__menu a[href='/queue/']").click()
    page.wait_for_url("**/queue/")
    page.goto("/bulletin/")
    page.locator(".filters summary").first.click()
    page.locator(".filters [name=birth_year]").select_option("2017")
    page.locator(".filters button").first.click()
    page.wait_for_url("**/bulletin/?*birth_year=2017*")
    page.locator(".lang a[hreflang=ru]").first.click()
    page.wait_for_url("**/ru/bulletin/?*birth_year=2017*")
