"""The day of each role in a real browser, by the employee's own hand, with the presses of each task counted."""

import io
import re
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect
from pypdf import PdfReader

from accounts.models import Employee, User
from accounts.roles import Role
from applications.journal_actions import Action
from applications.models import Benefit, Bid, Contract, Referral
from applications.referrals import issuing
from applications.states import BenefitState, BidState, StandIn
from bulletin.models import Vacancy
from tests.applications.bidding.reference import place_bid
from tests.browser.barriers import against_axe
from tests.browser.desk import PHONE, Desk
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    GroupFactory,
    KindergartenFactory,
    StaffFactory,
    VacancyFactory,
    nth_iin,
)
from tests.staff import code_of, employee, give_app, inside, official_of, press, worker_of
from tests.thorough import part_for, whole_way

pytestmark = pytest.mark.browser

PASSWORD = "қолшатыр-1984"
DAYS = ["worker", "official", "auditor", "lost phone"]
BORN = date(timezone.now().year - 3, 7, 20)


def day_of(role: str) -> pytest.MarkDecorator:
    """In a quick run each day is in one language, the next in the other."""
    return pytest.mark.parametrize("language", part_for(role, ["kk", "ru"], DAYS))


@pytest.fixture
def sit_down(open_context, live_server):
    """Opens a desk for an employee; without one, a browser in which nobody is signed in."""

    def opened(user: User | None = None, *, language: str, scripts: bool = True) -> Desk:
        context = open_context(locale=f"{language}-KZ", java_script_enabled=scripts)
        return Desk(context, language=language, portal=live_server.url, user=user, scripts=scripts)

    return opened


@pytest.fixture
def calendar(transactional_db):
    year = timezone.now().year
    call_command("load_holidays", first_year=year, last_year=year + 1, verbosity=0)


def bid_for(vacancy: Vacancy, *, at=None) -> Bid:
    """The bid of a new family."""
    family = ApplicationFactory(locality=vacancy.locality, child__birth_date=BORN)
    return place_bid(family, vacancy, actor=family.filed_by, now=at or timezone.now())


def chief() -> User:
    user = StaffFactory(username="chief", is_superuser=True)
    give_app(user)
    return user


def give_name(user: User, last_name: str, first_name: str) -> None:
    Employee.objects.create(user=user, last_name=last_name, first_name=first_name, position="маман")


def set_up_at_a_phone(phone: Desk, link: str, *, portal: str, login: str) -> list[str]:
    """From the link to the backup codes."""
    page = phone.page
    page.set_viewport_size(PHONE)
    page.goto(re.sub(r"^\w+://[^/]+", portal, link))
    assert link.partition("=")[2] not in page.url
    phone.looked_at()
    for name in ("password", "repeated"):
        page.locator(f"#id_{name}").fill(PASSWORD)
    page.locator("#id_token").fill(code_of(TOTPDevice.objects.get(user__username=login)))
    phone.press("Set up and sign in")
    codes = page.locator("ol.codes li").all_inner_texts()
    assert len(set(codes)) == 10
    return codes


def sign_in(desk: Desk, *, login: str, token: str) -> None:
    desk.open("/admin/")
    for name, value in (("username", login), ("password", PASSWORD), ("otp_token", token)):
        desk.page.locator(f"[name={name}]").fill(value)
    with desk.page.expect_navigation():
        desk.page.locator("#login-form button[type=submit]").click()


@day_of("worker")
def test_a_workers_first_day_from_the_invitation_to_a_printed_list(sit_down, live_server, calendar, language):
    kindergarten = KindergartenFactory(name_kk="Балапан", name_ru="Балапан")
    now, colleague = timezone.now(), worker_of(kindergarten)
    last = [
        VacancyFactory(
            group=GroupFactory(kindergarten=kindergarten),
            birth_years=[BORN.year],
            seats_total=2,
            opens_at=now - timedelta(days=20),
            vacant_from=now + timedelta(days=20),
        )
        for _number in range(5)
    ]
    for _family in range(2):
        issuing.activate_bid(bid_for(last[0]), actor=colleague, now=now)
    desk = sit_down(chief(), language=language)
    desk.start()
    desk.press(desk.link("/accounts/employee/"))
    desk.press(desk.link("/accounts/employee/add/"))
    desk.looked_at()
    for name, value in (
        ("last_name", "Ахметова"), ("first_name", "Айдана"), ("position", "әдіскер"), ("username", "aidana"),
        ("staff_iin", nth_iin(90_000)),
    ):  # fmt: skip
        desk.write(f"#id_{name}", value)
    desk.page.locator("#id_language").select_option(language)
    desk.choose(desk.page.get_by_label(desk.says(Role.KINDERGARTEN.label)))
    desk.choose(desk.page.locator(".field-kindergarten .select2-selection"))
    desk.write(".select2-search__field", "Балапан")
    option = desk.page.locator(".select2-results__option", has_text="Балапан").first
    expect(option).to_be_visible()
    assert against_axe(desk.page) == []
    desk.choose(option)
    desk.press(desk.page.locator("input[name=_save]"))
    link = desk.page.locator("code.link").inner_text()
    desk.looked_at()
    desk.took("an invitation")

    phone = sit_down(language=language, scripts=False)
    codes = set_up_at_a_phone(phone, link, portal=live_server.url, login="aidana")
    phone.looked_at()
    phone.press("I have kept the codes: to the workplace")
    expect(phone.page.locator("#user-tools")).to_contain_text("Ахметова А., әдіскер")

    # At the laptop, with the phone left at home.
    desk = sit_down(language=language)
    sign_in(desk, login="aidana", token=codes[0])
    desk.looked_at()

    desk.start()
    desk.press(desk.link("/bulletin/vacancy/"))
    desk.press("Add several at once")
    desk.press("Fill in as last time")
    desk.press("Create the drafts")
    desk.choose(desk.page.locator("#action-toggle"))
    desk.presses += 1
    desk.page.locator("select[name=action]").select_option("publish_selected")
    desk.press(desk.page.locator(".actions button[name=index]"))
    desk.press("Publish")
    expect(desk.page.locator(".messagelist .success")).to_be_visible()
    desk.took("five vacancies")
    assert Vacancy.objects.filter(state=Vacancy.State.PUBLISHED, opens_at__gt=now).count() == 5

    desk.start()
    desk.press(desk.page.locator("#content a[href*='/applications/referral/'][href$='/change/']").first)
    desk.looked_at()
    desk.press("The family came")
    desk.looked_at()
    desk.press("The family came")
    desk.took("a coming")
    assert Referral.objects.filter(came_on=timezone.localdate()).count() == 1

    desk.start()
    desk.press(desk.page.locator("#content a[href*='/applications/referral/'][href$='/change/']").first)
    desk.press("Sign the contract")
    desk.press("Sign the contract")
    desk.took("a contract")
    signed = Contract.objects.get()

    desk.start()
    desk.press(desk.link("/bulletin/kindergarten/"))
    desk.press(desk.page.locator("#result_list a[href$='/change/']").first)
    desk.press("Enrolled children, by group")
    desk.looked_at()
    # The browser's own menu.
    desk.presses += 1
    paper = PdfReader(io.BytesIO(desk.page.pdf(format="A4")))
    desk.took("a printed list")
    text = " ".join(sheet.extract_text() for sheet in paper.pages)
    assert len(paper.pages) == 1
    assert signed.referral.application.child.last_name in text
    assert "XLSX" not in text


@whole_way
@day_of("official")
def test_an_officials_day_from_an_overdue_answer_to_a_decision(sit_down, calendar, language):
    now = timezone.now()
    group = GroupFactory()
    worker_of(group.kindergarten)
    vacancy = VacancyFactory(group=group, birth_years=[BORN.year], opens_at=now - timedelta(days=40))
    bid = bid_for(vacancy, at=now - timedelta(days=20))
    BenefitFactory(application=bid.application)
    family = sit_down(bid.application.filed_by, language=language)
    address = reverse("applications:application", args=[bid.application_id])
    family.open(address.removeprefix("/ru"))
    words = family.page.locator("main")
    expect(words).to_contain_text("білім бөлімі" if language == "kk" else "отдел образования")

    desk = sit_down(official_of(vacancy.locality), language=language)
    desk.start()
    desk.looked_at()
    desk.press(desk.link("answer=overdue"))
    desk.looked_at()
    desk.press(desk.page.locator("#result_list tbody th a").first)
    desk.looked_at()
    desk.press("Refuse")
    desk.looked_at()
    reason = "Топ жөндеуге жабылды" if language == "kk" else "Группа закрыта на ремонт"
    desk.write("[name=reason]", reason)
    desk.press("Refuse")
    desk.took("an overdue answer")
    bid.refresh_from_db()
    assert (bid.state, bid.stand_in) == (BidState.REJECTED, StandIn.LATE)
    family.page.reload()
    expect(words).to_contain_text(reason)
    expect(words).to_contain_text(family.says("The education department refused your bid"))

    desk.start()
    desk.press(desk.link("check=waiting"))
    desk.press(desk.page.locator("#result_list tbody th a").first)
    desk.looked_at()
    desk.press("Verify")
    desk.press("Verify")
    desk.took("a benefit")
    assert Benefit.objects.get().state == BenefitState.VERIFIED


@whole_way
@day_of("auditor")
def test_an_auditor_finds_who_looked_at_a_child(sit_down, calendar, language):
    application = ApplicationFactory(child__birth_date=BORN)
    clerk = employee(Role.CONTACT_CENTRE)
    give_name(clerk, "Жүнісова", "Сара")
    card = reverse("admin:family_of_child", args=[application.child_id])
    press(inside(clerk), card, {"reason": Action.LOOKED_OTHERWISE.value, "words": "Көршісі сұрады"})
    desk = sit_down(employee(Role.AUDITOR), language=language)
    desk.start()
    desk.looked_at()
    desk.press(desk.link("/accounts/auditentry/"))
    desk.write("#id_q", str(application.filed_by.phone))
    desk.press("Enter")
    desk.looked_at()
    row = desk.page.locator("tbody tr", has_text="Көршісі сұрады")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Жүнісова С.")
    desk.took("who looked")


@whole_way
@day_of("lost phone")
def test_an_administrator_resets_a_lost_device(sit_down, live_server, calendar, language):
    loser = employee(Role.OFFICIAL, username="gulnar", language=language)
    give_name(loser, "Сейтова", "Гүлнар")
    elsewhere = sit_down(loser, language=language)
    elsewhere.start()
    expect(elsewhere.page.locator("#user-tools")).to_contain_text("Сейтова Г.")
    desk = sit_down(employee(Role.ADMINISTRATOR), language=language)
    desk.start()
    desk.looked_at()
    desk.press(desk.link("/accounts/employee/"))
    desk.press(desk.page.locator("#result_list tbody th a", has_text="Сейтова"))
    desk.looked_at()
    desk.press(desk.page.locator(".field-account a"))
    desk.looked_at()
    desk.press("Reset password and second factor")
    desk.looked_at()
    reason = "Телефоны жоғалды" if language == "kk" else "Потерян телефон"
    desk.write("[name=reason]", reason)
    desk.press("Reset password and second factor")
    link = desk.page.locator("code.link").inner_text()
    desk.took("a lost phone")
    elsewhere.page.reload()
    expect(elsewhere.page.locator("#login-form")).to_be_visible()

    phone = sit_down(language=language)
    page = phone.page
    page.goto(re.sub(r"^\w+://[^/]+", live_server.url, link))
    expect(page.locator(".consequence--danger")).to_contain_text(reason)
    set_up_at_a_phone(phone, link, portal=live_server.url, login="gulnar")
    phone.press("I have kept the codes: to the workplace")
    expect(page.locator("#user-tools")).to_contain_text("Сейтова Г.")
