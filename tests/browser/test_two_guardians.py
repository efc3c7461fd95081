"""Two guardians of one child: the second acts, the first undoes it and presses «Тоқтату», an official decides."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Profile
from accounts.registry import PhoneTie
from accounts.roles import Role
from applications.models import Application
from applications.states import ApplicationState
from notifications.models import Message
from tests.browser.conftest import ZONE
from tests.browser.session import enter
from tests.factories import ApplicationFactory, GuardianshipFactory, HolidayFactory, UserFactory
from tests.staff import employee
from tests.thorough import whole_way

pytestmark = pytest.mark.browser


@pytest.fixture
def family(summer_2019):
    """A mother whom the state knows, who filed, and a man who was added an hour ago."""
    for year in (2019, 2020):
        HolidayFactory(date=date(year, 1, 1))
    now = datetime(2019, 6, 26, 16, 20, tzinfo=ZONE)
    mother = UserFactory.create(profile__last_name="КАМЕНОВА", profile__first_name="ГҮЛЖАН")
    Profile.objects.filter(user=mother).update(phone_tie=PhoneTie.YES)
    application = ApplicationFactory.create(
        filed_by=mother, filed_at=now - timedelta(days=30), interest_confirmed_at=now
    )
    application.child.guardianships.update(added_at=now - timedelta(days=30))
    stranger = GuardianshipFactory.create(
        child=application.child,
        verified_at=now - timedelta(hours=1),
        user__profile__last_name="ОМАРОВ",
        user__profile__first_name="ТІМУР",
    ).user
    return mother, stranger, application


@whole_way
def test_the_bin_is_undone_the_stop_halts_and_an_official_decides(family, open_context, live_server):
    mother, stranger, application = family
    official = employee(Role.OFFICIAL, username="айнур")

    def browser_of(user, **options):
        context = open_context(**options)
        enter(context, user, portal=live_server.url)
        return context.new_page()

    his, hers = browser_of(stranger), browser_of(mother)
    page = application.get_absolute_url()

    # The second guardian puts the application into the bin; the first is told at once.
    his.goto(reverse("applications:delete", args=[application.pk]))
    his.get_by_role("button", name="Өтінішті себетке салу", exact=True).click()
    his.wait_for_url(f"**{reverse('applications:archive')}")
    assert Message.objects.filter(recipient=mother, kind="archived_by_other").count() == 1
    hers.goto(reverse("notifications:inbox"))
    expect(hers.locator("main")).to_contain_text("Баланың басқа заңды өкілі өтінішті мұрағатқа жіберді")
    expect(hers.locator("main")).to_contain_text("10.07.2019 16:20")
    hers.goto(reverse("applications:archive"))
    hers.get_by_role("button", name="Қалпына келтіру").first.click()
    hers.wait_for_url(f"**{page}")
    assert Application.objects.get().state == ApplicationState.WAITING

    # She doesn't know him: from the start of the cabinet to «Тоқтату».
    his.goto(reverse("applications:delete", args=[application.pk]))
    hers.goto(reverse("applications:cabinet"))
    expect(hers.locator("main")).to_contain_text("О••••• Т.")
    hers.locator(f"main a[href='{reverse('accounts:stop')}']").first.click()
    hers.wait_for_url(re.compile(r"/stop/choose/"))
    hers.get_by_role("button", name=re.compile("О••••• Т.")).click()
    hers.locator("button[name=confirm]").click()
    expect(hers.locator("main")).to_contain_text("28.06.2019")

    # His page was still open: nothing is done, and he reads why, until when, and nothing of the child's places.
    his.get_by_role("button", name="Өтінішті себетке салу", exact=True).click()
    assert Application.objects.get().state == ApplicationState.WAITING
    his.goto(page)
    expect(his.locator("main")).to_contain_text("Маман шешім қабылдағанша көрсетілмейді")
    expect(his.locator("main")).to_contain_text("28.06.2019")
    hers.goto(page)
    expect(hers.locator("main")).to_contain_text("28.06.2019")

    # An official decides, with a reason that both read; his open page leads nowhere at once.
    desk = browser_of(official, viewport={"width": 1280, "height": 900})
    desk.goto(f"{reverse('admin:children_dispute_changelist')}?decision=open")
    desk.locator("#result_list tbody a").first.click()
    desk.locator(".works a").last.click()
    desk.locator("[name=reason]").fill("Туу туралы куәлікті ана көрсетті.")
    desk.locator("form .works button").last.click()
    expect(desk.locator(".messagelist .success")).to_be_visible()
    his.goto(page)
    expect(his.locator("h1")).not_to_contain_text(application.number)
    hers.goto(reverse("notifications:inbox"))
    expect(hers.locator("main")).to_contain_text("Туу туралы куәлікті ана көрсетті.")
    his.goto(reverse("notifications:inbox"))
    expect(his.locator("main")).to_contain_text("Туу туралы куәлікті ана көрсетті.")
    his.goto(reverse("accounts:journal"))
    expect(his.locator("main")).to_contain_text("мұрағат")
