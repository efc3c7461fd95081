"""The manual's family, from registration to a signed contract, on the manual's day, in both languages."""

from datetime import date, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect
from pypdf import PdfReader

from accounts.crypto import keyed_hash
from applications.jobs import deadlines
from applications.models import Application, Referral, StopListEntry
from applications.referrals.issuing import activate_bid
from applications.states import ApplicationState
from applications.waiting.filing import file_application
from bulletin.models import AgeGroup
from children.models import Child
from tests.applications.bidding.reference import place_bid
from tests.browser.conftest import ZONE
from tests.browser.walk import PASSWORD, PHONE, Employee, Family, wait_for
from tests.factories import (
    ChildFactory,
    GroupFactory,
    GuardianshipFactory,
    KindergartenFactory,
    LocalityFactory,
    UserFactory,
    VacancyFactory,
)
from tests.staff import worker_of
from tests.thorough import part_for, whole_way

pytestmark = pytest.mark.browser

FAMILIES_AHEAD = 390
WAYS = ["contract", "nobody came", "extended"]


def walked(way: str) -> pytest.MarkDecorator:
    """To the contract, and what else becomes of a referral: in a quick run each in one language."""
    return pytest.mark.parametrize("language", part_for(way, ["kk", "ru"], WAYS))


@pytest.fixture
def city(summer_2019, worker):
    """Turkistan as the manual shows it: 390 families in the queue of 2017, «Солнце» with 22 of 23 places free."""
    call_command("load_holidays", first_year=2019, last_year=2020, verbosity=0)
    locality = LocalityFactory()
    kindergarten = KindergartenFactory(
        locality=locality,
        name_kk='ЖМ "Амина балабақшасы"',
        name_ru="ЧУ «Детский сад «Амина»",
        address_kk="Түркістан қ., Уәлиқожа ата к-сі, 134",
        address_ru="г. Туркестан, ул. Уалихожа ата, 134",
    )
    group = GroupFactory(
        kindergarten=kindergarten, name="Солнце", age_group=AgeGroup.FIRST_JUNIOR, language="ru", capacity=25
    )
    vacancy = VacancyFactory(
        group=group,
        birth_years=[2017],
        seats_total=23,
        seats_taken=1,
        opens_at=datetime(2019, 6, 26, 9, tzinfo=ZONE),
        vacant_from=datetime(2019, 6, 26, 18, tzinfo=ZONE),
    )
    families_ahead(locality)
    return SimpleNamespace(vacancy=vacancy, group=group, employee=worker_of(kindergarten))


def families_ahead(locality):
    parent = UserFactory()
    filed = datetime(2018, 1, 1, tzinfo=ZONE)
    children = Child.objects.bulk_create(
        Child(
            iin="",
            iin_hash=keyed_hash("iin", f"ahead-{number}"),
            last_name="АЛДЫҢҒЫ",
            first_name="БАЛА",
            birth_date=date(2017, 1, 1),
            sex="f",
            created_at=filed,
        )
        for number in range(FAMILIES_AHEAD)
    )
    Application.objects.bulk_create(
        Application(
            number=f"18-{number:06}",
            child=child,
            locality=locality,
            birth_year=2017,
            languages=["kk"],
            filed_at=filed + timedelta(hours=number),
            sequence=2_000_000 + number,
            filed_by=parent,
            interest_confirmed_at=filed,
            runs_out_at=None,
        )
        for number, child in enumerate(children)
    )


@pytest.fixture
def family(page, language):
    return Family(page, language)


@pytest.fixture
def employee(open_context, city, language):
    person = Employee(open_context(viewport={"width": 1280, "height": 900}).new_page(), language)
    person.sign_in(city.employee)
    return person


def paper_is_made():
    return wait_for(lambda: Referral.objects.exclude(pdf="").first())


@walked("contract")
def test_from_registration_to_the_contract(city, family, employee, summer_2019, language, tmp_path):
    words = family.words
    family.register()
    family.add_daughter()
    family.file_application()
    family.sees("391")
    family.open_application()
    family.sees("391", words["interested"])
    assert family.steps() == [words["done"], words["current"], words["ahead"], words["ahead"]]
    family.open("/cabinet/applications/")
    family.sees("26.06.2019", "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА", words["waiting"], words["interested"])

    summer_2019.at(6, 26, 16, 21)
    family.bid()
    assert family.steps() == [words["done"], words["done"], words["current"], words["ahead"]]
    family.page.go_back()
    expect(family.page.locator("main")).to_be_visible()

    summer_2019.at(6, 26, 16, 23)
    employee.activate()
    paper_is_made()
    family.open_application()
    family.sees("03.07.2019", words["extend"])
    paper = family.download_referral(tmp_path)
    assert paper.name.startswith("zholdama-")
    text = " ".join(page.extract_text() for page in PdfReader(paper).pages)
    assert len(PdfReader(paper).pages) == 1
    assert "03.07.2019" in text
    assert "КАМЕНОВА" in text

    summer_2019.at(6, 26, 16, 25)
    employee.sign_contract()
    family.open_application()
    assert family.steps() == [words["done"]] * 4
    family.sees(
        "Солнце", city.group.kindergarten.name_ru if language == "ru" else city.group.kindergarten.name_kk
    )

    contract, referral, bid, filed = family.notices()
    assert "16:25" in contract
    assert "ДАНИЯ" in contract
    assert "16:23" in referral
    assert "03.07.2019" in referral
    assert "16:21" in bid
    assert "16:20" in filed
    assert "391" in filed


def referred(city):
    """The manual's family with its referral, made by the same services; the walk before shows the way there by hand."""
    now = timezone.now()
    father = UserFactory(phone=PHONE, password=make_password(PASSWORD))
    daughter = ChildFactory(last_name="КАМЕНОВА", first_name="ДАНИЯ", birth_date=date(2017, 7, 20))
    GuardianshipFactory(user=father, child=daughter)
    application = file_application(
        child=daughter,
        locality=city.group.kindergarten.locality,
        languages=["kk", "ru"],
        actor=father,
        now=now,
    )
    activate_bid(place_bid(application, city.vacancy, actor=father, now=now), actor=city.employee, now=now)
    return paper_is_made()


@whole_way
@walked("nobody came")
def test_nobody_came(city, family, summer_2019, language):
    """Expiry by itself, the stop-list until 18.07.2019 (the 8th is a day off), and the return at the old date."""
    referred(city)
    city.vacancy.refresh_from_db()
    assert city.vacancy.seats_free == 21

    summer_2019.at(7, 3, 23, 59)
    assert deadlines.settle_what_ran_out(now=datetime.now(ZONE)) == 0
    summer_2019.at(7, 4, 0, 1)
    assert deadlines.settle_what_ran_out(now=datetime.now(ZONE)) == 1
    city.vacancy.refresh_from_db()
    assert city.vacancy.seats_free == 22
    sign_in(family)
    family.open_application()
    family.sees(family.words["stopped"], "18.07.2019")

    summer_2019.at(7, 19, 0, 1)
    sign_in(family)
    family.open_application()
    family.sees("391", family.words["waiting"])
    application = Application.objects.get(child__first_name="ДАНИЯ")
    assert application.state == ApplicationState.WAITING
    assert application.filed_at.astimezone(ZONE).date() == date(2019, 6, 26)
    assert StopListEntry.objects.get().lifted_at == datetime(2019, 7, 19, tzinfo=ZONE)


@whole_way
@walked("extended")
def test_extended_to_the_second_of_august(city, family, summer_2019, language, tmp_path):
    referred(city)
    summer_2019.at(7, 3, 20, 0)
    sign_in(family)
    proof = tmp_path / "anyqtama.jpg"
    proof.write_bytes(jpeg())
    family.extend_referral(proof, until="02.08.2019")
    family.sees("02.08.2019")
    wait_for(lambda: Referral.objects.exclude(pdf="").first())
    text = PdfReader(family.download_referral(tmp_path)).pages[0].extract_text()
    assert "02.08.2019" in text
    family.open_application()
    expect(family.control("extend")).to_have_count(0)
    summer_2019.at(8, 2, 23, 0)
    assert deadlines.settle_what_ran_out(now=datetime.now(ZONE)) == 0


def sign_in(family):
    """After some days the session is over: in again with phone and password."""
    family.page.context.clear_cookies()
    family.open("/login/")
    family.fill(phone=PHONE, password=PASSWORD)
    family.page.locator("main form button[type=submit], main form button:not([type])").first.click()
    family.page.wait_for_url("**/cabinet/**")


def jpeg() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (600, 800), "white").save(stream, "JPEG")
    return stream.getvalue()
