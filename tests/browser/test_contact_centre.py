"""Who lost the number, and who never had one: two employees at their desks, and the family with a paper."""

import io
import re

import pytest
from django.conf import settings
from playwright.sync_api import expect
from pypdf import PdfReader

from accounts.models import AssistedMove, User
from accounts.registry import simulated_people
from accounts.roles import Role
from applications.models import Application
from balabaqsha.roles import set_up_roles
from tests.accounts.walk import newest_code
from tests.factories import LocalityFactory, UserFactory
from tests.staff import employee, inside
from tests.thorough import whole_way

NEW, PASSWORD = "+77023334455", "qupiya-soz-1"


@pytest.fixture
def desk(open_context, live_server):
    """Opens the workplace as a new employee of the contact centre."""
    set_up_roles()

    def opened():
        user = employee(Role.CONTACT_CENTRE)
        context = open_context(viewport={"width": 1024, "height": 800})
        value = inside(user).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
        return context.new_page()

    return opened


@whole_way
def test_a_lost_number_moves_with_two_employees(desk):
    owner = UserFactory()
    first, second = desk(), desk()
    first.goto("/admin/accounts/assistedmove/")
    first.get_by_role("link", name="Аккаунтқа жаңа нөмір беру").click()
    first.locator("#id_term").fill(owner.profile.iin)
    first.locator("#content-main").get_by_role("button", name="Табу").click()
    expect(first.get_by_text(owner.profile.full_name)).to_be_visible()
    first.locator("#id_why").fill("Телефоны жоғалды, жеке куәлігін көрсетті")
    first.locator("#id_phone").fill("8 702 333 44 55")
    first.get_by_role("button", name="Код жіберу").click()
    first.locator("#id_code").fill(newest_code(NEW))
    first.get_by_role("button", name="Ауыстыруды сұрау").click()
    expect(first.get_by_text("Сұралды: енді әріптесіңіз бекітеді")).to_be_visible()
    expect(first.get_by_role("link", name="Ауыстыруды бекіту", exact=True)).to_have_count(0)
    second.goto(f"/admin/accounts/assistedmove/{AssistedMove.objects.get().pk}/change/")
    second.get_by_role("link", name="Ауыстыруды бекіту", exact=True).click()
    second.get_by_role("button", name="Ауыстыруды бекіту", exact=True).click()
    expect(second.get_by_text("Бекітілді: аккаунттың нөмірі жаңа.")).to_be_visible()
    owner.refresh_from_db()
    assert owner.phone == NEW


@whole_way
def test_who_has_no_phone_is_registered_and_signs_in_with_the_paper(desk, page):
    place = LocalityFactory.create()
    person, child = next(
        (entry.person, ward)
        for entry in simulated_people.everyone(today=place.day(employee(Role.CONTACT_CENTRE).date_joined))
        for ward in entry.wards
        if entry.person.iin and 2021 <= ward.birth_date.year <= 2024
    )
    clerk, colleague = desk(), desk()
    clerk.goto("/admin/accounts/firstsignin/register/")
    clerk.locator("#id_identity").fill(person.iin)
    clerk.locator("#id_child").fill(child.iin)
    clerk.locator("#id_locality").select_option(place.slug)
    clerk.locator("input[name=languages][value=kk]").check()
    clerk.locator("#id_consent").check()
    clerk.get_by_role("button", name="Адамды тіркеу").click()
    expect(clerk.get_by_text("Қағазды сұраған қызметкер оны басып шығармайды")).to_be_visible()
    colleague.goto(clerk.url)
    for width in (360, 1024):
        colleague.set_viewport_size({"width": width, "height": 800})
        box = colleague.get_by_role("button", name="Қағазды басып шығару").bounding_box()
        assert box, width
        assert 0 <= box["x"] < box["x"] + box["width"] <= width
        assert colleague.evaluate("document.documentElement.scrollWidth") <= width
    with colleague.expect_download() as download:
        colleague.get_by_role("button", name="Қағазды басып шығару").click()
    with open(download.value.path(), "rb") as file:
        text = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(file.read())).pages)
    assert Application.objects.get().number in text
    login = User.objects.get(phone=None, is_staff=False).username
    code = re.search(r"(?<!\d)\d{4} \d{3} \d{3}(?!\d)", text)
    assert code
    page.goto("/login/")
    page.get_by_role("link", name="Қағазбен алғашқы кіру").click()
    page.locator("#id_login").fill(login)
    page.locator("#id_code").fill(code[0])
    page.get_by_role("button", name="Жалғастыру").click()
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_repeated").fill(PASSWORD)
    page.get_by_role("button", name="Сақтау").click()
    page.locator("#id_phone").fill(login)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Кіру").click()
    expect(page).to_have_url(re.compile(r"/cabinet/$"))
