"""A morning in a kindergarten: twenty bids are answered by keyboard, and the presses are counted."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import expect

from applications.models import Bid, Referral
from applications.states import BidState
from balabaqsha.roles import set_up_roles
from tests.applications.bidding.reference import place_bid
from tests.browser.desk import MOST
from tests.factories import ApplicationFactory, GroupFactory, VacancyFactory
from tests.staff import inside, worker_of
from tests.thorough import whole_way

pytestmark = pytest.mark.browser

BIDS = 20


@whole_way
def test_twenty_bids_are_answered_in_so_few_presses(open_context, live_server):
    set_up_roles()
    now = timezone.now()
    call_command("load_holidays", first_year=now.year, last_year=now.year + 1, verbosity=0)
    born = date(now.year - 3, 7, 20)
    group = GroupFactory(capacity=25)
    vacancy = VacancyFactory(
        group=group, birth_years=[born.year], seats_total=BIDS, opens_at=now - timedelta(days=30)
    )
    for _number in range(BIDS):
        family = ApplicationFactory(locality=group.kindergarten.locality, child__birth_date=born)
        place_bid(family, vacancy, actor=family.filed_by, now=now)
    context = open_context(viewport={"width": 1280, "height": 800})
    value = inside(worker_of(group.kindergarten)).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
    page = context.new_page()
    page.goto("/admin/")
    presses = 0

    def press(what=None):
        """A click, or Enter on what has the focus; the next page is there afterwards."""
        nonlocal presses
        presses += 1
        with page.expect_navigation():
            what.click() if what else page.keyboard.press("Enter")

    press(page.locator(".figures a[href*='answer=due']"))
    press(page.locator("#result_list tbody th a").first)
    for left in range(BIDS - 1, -1, -1):
        expect(page.locator(".works a").first).to_be_focused()
        press()
        expect(page.locator(".works button").first).to_be_focused()
        press()
        if left:
            expect(page.locator(".messagelist")).to_contain_text(f": {left}")
    assert presses <= MOST["twenty bids"]
    assert set(Bid.objects.values_list("state", flat=True)) == {BidState.ACTIVATED}
    assert Referral.objects.count() == BIDS
    # Back: the page that asked leads to the bid, which has no button any more.
    page.go_back()
    expect(page.locator(".messagelist .error")).to_be_visible()
    expect(page.locator(".works :is(a, button)")).to_have_count(0)
