"""The lists of the workplace: what a page of one costs does not grow with its rows."""

import html
import re
from datetime import date
from types import SimpleNamespace

import pytest
import time_machine
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import (
    AssistedMove,
    Employee,
    FirstSignIn,
    NumberMove,
    PolicyConsent,
    SmsCode,
    User,
)
from accounts.roles import Role
from applications.models import (
    Application,
    Bid,
    CityExport,
    Contract,
    Correction,
    Event,
    FormerDecision,
    FormerProtocol,
    GroupProposal,
    Headcount,
    ProfileProposal,
    Referral,
    Rules,
    RulesProposal,
)
from applications.queue.position import position
from applications.referrals import ending, issuing
from balabaqsha.first_rows import MOST_ROWS
from bulletin.models import Closing, Employment, Pause, Review, Vacancy
from children.models import Child
from notifications.models import Mail, Message
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    ComplaintFactory,
    DisputeFactory,
    GroupFactory,
    GuardianClaimFactory,
    HolidayFactory,
    KindergartenFactory,
    LocalityFactory,
    ObjectionFactory,
    PhotoFactory,
    ReportedIncidentFactory,
    StaffFactory,
    UndoRequestFactory,
    UserFactory,
    VacancyFactory,
    left_out,
)
from tests.shared import built_once
from tests.staff import employee, give_app, inside, official_of, worker_of
from tests.thorough import THOROUGH
from tests.unseen import pages_unseen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]


@pytest.fixture
def desk(clock):
    """The browser of one who may see every list."""
    chief = StaffFactory(is_superuser=True)
    give_app(chief)
    return inside(chief)


def add_a_place(scene, *, number):
    """A locality with a row for every list, none of which shares anything with the rows before."""
    locality = LocalityFactory(slug=f"place-{number}", name_kk=f"Орын {number}", name_ru=f"Место {number}")
    group = GroupFactory(kindergarten=KindergartenFactory(locality=locality))
    vacancy = VacancyFactory(group=group, birth_years=[2017], seats_total=9, opens_at=scene.vacancy.opens_at)
    staff = StaffFactory()

    def bid():
        application = ApplicationFactory(locality=locality, child__birth_date=date(2017, 7, 20))
        return place_bid(application, vacancy, actor=application.filed_by, now=scene.now)

    def referral():
        return issuing.activate_bid(bid(), actor=staff, now=scene.now)

    pending = bid()
    ending.sign_contract(referral(), actor=staff, now=scene.now)
    ended = referral()
    ending.expire_referral(ended, now=ended.valid_until)
    UndoRequestFactory(bid=ended.bid)
    BenefitFactory(application=pending.application, category__slug=f"category-{number}")
    Correction.objects.create(
        application=pending.application, new_birth_year=2016, previous_birth_year=2017,
        previous_filed_at=scene.now, reason="x", document_number="1", document_date=scene.now.date(),
        proposed_at=scene.now, proposed_by=staff,
    )  # fmt: skip
    Rules.objects.create(locality=locality, valid_from=date(2019, 1, 1))
    RulesProposal.objects.create(locality=locality, reason="x", proposed_at=scene.now, proposed_by=staff)
    # No more than one is open at a time.
    CityExport.objects.create(
        keys="age1", reason="x", proposed_at=scene.now, proposed_by=staff,
        state="declined", decided_at=scene.now, decided_by=StaffFactory(),
    )  # fmt: skip
    line = left_out(locality)
    FormerDecision.objects.create(
        line=line, kind="left_out", reason="x", decided_at=scene.now, decided_by=StaffFactory()
    )
    # No more than one of a file is open at a time.
    FormerProtocol.objects.create(
        batch=line.batch, proposed_at=scene.now, proposed_by=staff,
        state="declined", decided_at=scene.now, decided_by=StaffFactory(),
    )  # fmt: skip
    GroupProposal.objects.create(
        kindergarten=group.kindergarten, name="Алма", age_group="2-3", language="kk", capacity=20,
        proposed_at=scene.now, proposed_by=staff, group=group,
    )  # fmt: skip
    ProfileProposal.objects.create(
        kindergarten=group.kindergarten, licence="№ 1", proposed_at=scene.now, proposed_by=staff
    )
    PhotoFactory(kindergarten=group.kindergarten, sent_by=staff)
    Headcount.objects.create(
        group=group,
        school_year=2018,
        children=1,
        counted_at=scene.now,
        proposed_at=scene.now,
        proposed_by=staff,
    )
    Closing.objects.create(
        kindergarten=group.kindergarten, group=group, cause="repair", reason="x", starts_on=scene.now.date(),
        decided_at=scene.now, decided_by=staff,
    )  # fmt: skip
    Pause.objects.create(
        locality=locality, started_at=scene.now, started_by=staff, notice_kk="x", notice_ru="x"
    )
    ReportedIncidentFactory(locality=locality, started_at=scene.now)
    Employee.objects.create(user=staff, last_name="Ахметова", first_name="Айдана", position="әдіскер")
    Employment.objects.create(user=staff, kindergarten=group.kindergarten, since=date(2019, 1, 1))
    DisputeFactory(guardianship__child=pending.application.child, guardianship__user__language="kk")
    PolicyConsent.objects.create(user=staff, version="1", given_at=scene.now)
    SmsCode.objects.create(
        phone=f"+7701777000{number}", purpose=SmsCode.Purpose.RESET, code_hash="x", session_hash="x",
        created_at=scene.now, expires_at=scene.now,
    )  # fmt: skip
    HolidayFactory(date=date(2019, 11, number))
    move = NumberMove.objects.create(
        account=UserFactory(), kind="assisted", proof="document", new_phone=f"+7702777000{number}",
        asked_at=scene.now, asked_by=staff,
    )  # fmt: skip
    AssistedMove.objects.create(move=move, document=AssistedMove.Document.CARD, why="x")
    NumberMove.objects.create(account=UserFactory(), kind="recycling", proof="claim", asked_at=scene.now)
    FirstSignIn.objects.create(user=UserFactory(), registered_by=staff, registered_at=scene.now)
    GuardianClaimFactory()
    ObjectionFactory()
    ComplaintFactory(locality=scene.locality, sent_at=scene.now)
    Mail.objects.create(
        recipient=staff, address="a@example.kz", kind="bid_placed", language="kk", text="x",
        dedupe_key=f"mail {number}", created_at=scene.now, next_attempt_at=scene.now, give_up_at=scene.now,
    )  # fmt: skip
    Review.objects.create(
        author=UserFactory(), kindergarten=group.kindergarten, text="Жақсы", created_at=scene.now
    )


# What a page may ask of the database, whoever opens it and however much there is (docs/performance.md).
BUDGET = 15
OWN_APPS = ("accounts", "applications", "bulletin", "children", "notifications")
ROLES = (Role.KINDERGARTEN, Role.OFFICIAL, Role.CONTACT_CENTRE, Role.AUDITOR, Role.ADMINISTRATOR)


def desks(scene):
    """The browsers of one employee of each role, and of one who may do everything."""
    chief = StaffFactory(is_superuser=True)
    give_app(chief)
    people: list[User] = [chief, worker_of(scene.group.kindergarten), official_of(scene.locality)]
    people += [employee(role) for role in ROLES if role not in (Role.KINDERGARTEN, Role.OFFICIAL)]
    return {((role := one.groups.first()) and role.name) or "superuser": inside(one) for one in people}


def pages_of(desk):
    """The start page, the list to print and every list that opens, each with a search where there is one."""
    addresses = {
        model: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    }
    pages = [reverse("admin:index")]
    if desk.get(awaited := reverse("admin:roster_awaited")).status_code == 200:
        pages.append(awaited)
    with pages_unseen():
        answers = {address: desk.get(address) for address in addresses.values()}
    for address, answer in answers.items():
        if answer.status_code == 200:
            has_search = (rows := answer.context.get("cl")) is not None and rows.search_fields
            pages += [address, *([f"{address}?q="] if has_search else [])]
    return pages


def of_each_page_some(pages):
    """What each role asks for: in a quick run its start page; each list the superuser, and as a search another role."""
    if THOROUGH:
        return pages
    index = reverse("admin:index")
    some = {role: [index] for role in pages}
    every = [page for page in dict.fromkeys(page for its in pages.values() for page in its) if page != index]
    for number, page in enumerate(every):
        readers = [role for role, its in pages.items() if page in its and role != "superuser"]
        if page.endswith("/"):
            some["superuser"].append(page)
        if page.endswith("?q=") or f"{page}?q=" not in every:
            some[readers[number % len(readers)] if readers else "superuser"].append(page)
    return some


def own_lists():
    """Of our own apps; the audit counts nothing of what is added here."""
    labels = (model._meta.label_lower for model in admin.site._registry)
    return [label for label in labels if label.startswith(OWN_APPS) and label != "accounts.auditentry"]


# The lists that hold a row for each family, bid or message of a city, and those of an official that ask of each row
# in turn whether it is of their locality.
LONG = {
    "superuser": (
        Application, Bid, Child, Contract, Event, Mail, Message, Referral, User, Vacancy,
    ),
    Role.OFFICIAL: (Application, Child, Event, Mail, Message, User),
}  # fmt: skip


@pytest.fixture(scope="class")
def workplace_once(scene_once, django_db_blocker):
    """A locality with a row for every list, the desk of each role, and the pages that open at it."""

    def build() -> SimpleNamespace:
        with time_machine.travel(NOW, tick=False):
            add_a_place(scene := scene_once(), number=1)
            everybody = desks(scene)
            pages = {role: pages_of(desk) for role, desk in everybody.items()}
            return SimpleNamespace(desks=everybody, pages=pages)

    with built_once(django_db_blocker, build) as workplace:
        yield workplace


class TestCost:
    @pytest.fixture
    def workplace(self, workplace_once, scene):
        return workplace_once()

    @pytest.mark.no_cover
    def test_a_page_costs_the_same_for_few_and_many_rows(self, scene, workplace):
        pages = of_each_page_some(workplace.pages)
        assert len(pages["superuser"]) > 40

        def costs(word):
            # Another word each time: the first page of a search is what enters it.
            taken, rows = {}, {}
            for role, page in ((role, page) for role, its in pages.items() for page in its):
                address = page + word if page.endswith("?q=") else page
                with CaptureQueriesContext(connection) as queries:
                    answer = workplace.desks[role].get(address)
                assert answer.status_code == 200, address
                taken[role, page] = [query["sql"][:150] for query in queries]
                if role == "superuser" and page.endswith("/") and (shown := answer.context.get("cl")):
                    rows[shown.opts.label_lower] = shown.result_count
            return taken, rows

        few, rows_of_few = costs("АХМЕТОВА")
        for number in (2, 3, 4):
            add_a_place(scene, number=number)
        many, rows_of_many = costs("АХМЕТ")
        assert not [label for label in own_lists() if rows_of_many[label] <= rows_of_few[label]]
        dear = {page: asked for page, asked in many.items() if len(asked) > BUDGET}
        assert not dear, "\n".join(
            f"{page}: {len(asked)}\n  " + "\n  ".join(asked) for page, asked in dear.items()
        )
        grown = {page: asked for page, asked in many.items() if len(asked) > len(few[page])}
        assert not grown, "\n".join(f"{page}\n  " + "\n  ".join(asked) for page, asked in grown.items())

    def test_a_search_by_a_number_costs_no_more(self, workplace):
        """It asks besides whose number it is; and of one that is somebody's, whether the list finds them."""
        for role, pages in of_each_page_some(workplace.pages).items():
            for page in (page for page in pages if page.endswith("?q=")):
                cache.clear()
                with CaptureQueriesContext(connection) as queries:
                    assert workplace.desks[role].get(f"{page}N1234567").status_code == 200
                asked = [query["sql"][:150] for query in queries]
                assert len(asked) <= BUDGET, "\n  ".join([f"{role} {page}: {len(asked)}", *asked])

    @pytest.mark.parametrize(
        ("role", "model"), [(role, model) for role, models in LONG.items() for model in models]
    )
    def test_a_long_list_is_read_in_the_order_of_an_index(self, role, model, workplace):
        """However many rows there are, the first thousand are read and no others."""
        listed = workplace.desks[role].get(
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        )
        keys = listed.context["cl"].queryset.values_list("pk")[: MOST_ROWS + 1]
        with connection.cursor() as cursor:
            # So few rows would be sorted. Rows that an index gives in order but for equal ones are sorted in
            # small heaps.
            cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
        plan = keys.explain()
        assert not re.search(r"(^|-> +)Sort ", plan), plan
        assert re.search(r"Index (Only )?Scan", plan), plan


def test_each_bid_shows_its_own_number(desk, scene):
    for number in (1, 2):
        add_a_place(scene, number=number)
    answer = desk.get(reverse("admin:applications_bid_changelist"))
    rows = list(answer.context["cl"].result_list)
    shown = [answer.context["cl"].model_admin.number(row) for row in rows]
    expected = [position(row.application, now=scene.now) for row in rows]
    assert shown == [str(place.number) if place else "—" for place in expected]
    assert {"1", "—"} <= set(shown)


class TestTheBidsForOneVacancy:
    """Where the number of bids in the list of vacancies leads."""

    LIST = "admin:applications_bid_changelist"

    @pytest.fixture
    def vacancies(self, scene, clock):
        for number in (1, 2):
            add_a_place(scene, number=number)
        return {
            bid.vacancy for bid in Bid.objects.filter(vacancy__group__kindergarten__slug__contains="kinder")
        }

    def test_the_list_says_whose_they_are_and_how_to_see_all(self, desk, vacancies):
        page = desk.get(reverse("admin:bulletin_vacancy_changelist")).content.decode()
        for vacancy in vacancies:
            address = f"{reverse(self.LIST)}?vacancy={vacancy.pk}"
            assert f'href="{address}"' in page
            answer = desk.get(address)
            assert {bid.vacancy for bid in answer.context["cl"].result_list} == {vacancy}
            chosen = rf'aria-current="true">{re.escape(str(vacancy))}</a>'
            assert re.search(chosen, html.unescape(answer.content.decode()))
        assert "vacancy=" not in desk.get(reverse(self.LIST)).content.decode()

    def test_an_unknown_one_leads_to_the_whole_list(self, desk, vacancies):
        for value in ("x", "", "00000000-0000-4000-8000-000000000000", "\x00"):
            answer = desk.get(reverse(self.LIST), {"vacancy": value})
            assert (answer.status_code, answer.url) == (302, f"{reverse(self.LIST)}?e=1"), value

    def test_that_of_another_kindergarten_is_unknown(self, vacancies):
        one, other = list(vacancies)[:2]
        desk = inside(worker_of(one.group.kindergarten))
        assert desk.get(reverse(self.LIST), {"vacancy": one.pk}).status_code == 200
        assert desk.get(reverse(self.LIST), {"vacancy": other.pk}).status_code == 302
