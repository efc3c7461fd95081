"""Assisted registration: person, child and application by an employee, the paper, and the first sign-in with it."""

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts import audit
from accounts.first_sign_in import (
    TRIES,
    VALID_FOR,
    NoPaper,
    PaperFault,
    ask_for_paper,
    issue_code,
    owner_of_paper,
    to_print,
)
from accounts.identity import iin_hash
from accounts.journal_actions import Action
from accounts.models import AuditEntry, FirstSignIn, User
from accounts.registry import simulated_people
from accounts.roles import Role
from applications.journal_actions import Action as OfApplications
from applications.models import Application, Event
from children.journal_actions import Action as OfChildren
from notifications.models import Message, Notice
from tests.factories import DisputeFactory, GuardianshipFactory, LocalityFactory, UserFactory, nth_iin
from tests.staff import employee, inside

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
REGISTER = "/admin/accounts/firstsignin/register/"
PASSWORD = "құпия сөз 1"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clerk():
    return employee(Role.CONTACT_CENTRE)


@pytest.fixture
def colleague():
    return employee(Role.CONTACT_CENTRE)


def family():
    """An adult of the simulated registry and a child of kindergarten age."""
    for entry in simulated_people.everyone(today=NOW.date()):
        for ward in entry.wards:
            if 2021 <= ward.birth_date.year <= 2024 and entry.person.iin:
                return entry.person, ward
    raise LookupError


def fields(person, child=None, **more):
    data = {"identity": person.iin, "language": "kk", "consent": "on"}
    if child is not None:
        data |= {"child": child.iin, "locality": LocalityFactory().slug, "languages": ["kk", "ru"]}
    return data | more


def paper_of(first) -> str:
    return f"/admin/accounts/firstsignin/{first.pk}/paper/"


def page_of(first) -> str:
    return reverse("admin:accounts_firstsignin_change", args=[first.pk])


def button_of(first, name) -> str:
    return reverse("admin:accounts_firstsignin_work", args=[first.pk, name])


def printed(desk, first) -> tuple[str, str, str]:
    answer = desk.post(paper_of(first))
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    login = re.search(r"(?<!\d)(\d{3}) (\d{3}) (\d{3})(?! ?\d)", text)
    code = re.search(r"(?<!\d)(\d{4}) (\d{3}) (\d{3})(?! ?\d)", text)
    assert login, text
    assert code, text
    return "".join(login.groups()), "".join(code.groups()), text


def test_the_whole_way(clerk, colleague):
    person, child = family()
    desk = inside(clerk)
    page = desk.post(REGISTER, fields(person, child))
    first = FirstSignIn.objects.get()
    assert page.url == f"/admin/accounts/firstsignin/{first.pk}/change/"
    user = first.user
    assert (user.phone, user.has_usable_password()) == (None, False)
    application = Application.objects.get()
    assert (application.filed_at, application.filed_by) == (NOW, user)
    event = Event.objects.get()
    assert (event.data, event.actor) == ({"channel": "assisted"}, clerk)
    # Nobody has signed in to the account yet, so nothing in its journal was done by its owner.
    written = audit.journal_of(user)
    assert {entry.actor for entry in written} == {clerk}
    assert {entry.action for entry in written} == {
        Action.REGISTERED_BY_EMPLOYEE,
        OfChildren.CHILD_ADDED,
        OfApplications.FILED_BY_EMPLOYEE,
    }
    assert user.consents.count() == 1
    assert not Message.objects.exists()
    # The paper: both languages, no IIN, and nothing of the code is kept.
    login, code, text = printed(inside(colleague), first)
    assert login == user.username
    assert application.number in text
    assert "Бір реттік код" in text
    assert "Одноразовый код" in text
    assert person.iin not in text
    first.refresh_from_db()
    assert code not in first.code_hash
    # The first sign-in, with the login as people write it.
    browser = Client()
    entered = {"login": f"{login[:3]}-{login[3:6]} {login[6:]}", "code": f" {code[:4]} {code[4:]}"}
    assert browser.post("/first/", entered).url == "/first/password/"
    # What stands on the paper, or is known of its owner, is no password; a manager of passwords keeps the login.
    for known in (login, person.iin, f"{person.last_name.lower()}12"):
        refused = browser.post("/first/password/", {"password": known, "repeated": known})
        assert refused.context["form"].has_error("password", "password_personal"), known
    manager = f'name="username" value="{login}" autocomplete="username"'
    assert manager in browser.get("/first/password/").content.decode()
    new = {"password": PASSWORD, "repeated": PASSWORD}
    assert browser.post("/first/password/", new).url == "/login/"
    assert (
        browser.post("/login/", {"phone": f"{login[:3]} {login[3:]}", "password": PASSWORD}).status_code
        == 302
    )
    assert browser.get("/cabinet/").status_code == 200
    assert login in browser.get("/cabinet/profile/").content.decode()
    assert manager in browser.get("/cabinet/profile/app/").content.decode()
    assert manager in browser.get("/cabinet/profile/password/").content.decode()
    # Once.
    assert Client().post("/first/", entered).status_code == 200
    assert inside(colleague).post(paper_of(first)).status_code == 302


def test_ten_days_five_tries_and_the_last_paper_only(clerk, colleague):
    person, _child = family()
    desk = inside(clerk)
    desk.post(REGISTER, fields(person))
    first = FirstSignIn.objects.get()
    login, former, _text = printed(inside(colleague), first)
    ask_for_paper(first, why="Қағазын жоғалтты", actor=clerk, address=None, now=NOW)
    code = issue_code(first, actor=colleague, address=None, now=NOW)
    assert owner_of_paper(login, former, now=NOW) is None
    assert owner_of_paper(login, code, now=NOW + VALID_FOR) is None
    assert owner_of_paper(login, code, now=NOW + VALID_FOR - MICROSECOND) == first.user
    for _ in range(TRIES - 1):
        assert owner_of_paper(login, "0" * 10, now=NOW) is None
    assert owner_of_paper(login, code, now=NOW) is None


def test_nobody_alone_holds_the_paper_of_somebody_else(clerk, colleague):
    person, child = family()
    desk, beside = inside(clerk), inside(colleague)
    desk.post(REGISTER, fields(person, child))
    first = FirstSignIn.objects.get()
    page = f"/admin/accounts/firstsignin/{first.pk}"
    # Whoever registered, and whoever asks for another paper, does not print it.
    assert paper_of(first) not in desk.get(f"{page}/change/").content.decode()
    assert desk.post(paper_of(first)).status_code == 302
    assert paper_of(first) in beside.get(f"{page}/change/").content.decode()
    printed(beside, first)
    assert [one.post(paper_of(first)).status_code for one in (desk, beside)] == [302, 302]
    assert beside.post(f"{page}/do/ask/", {"why": "Қағазын жоғалтты"}).status_code == 302
    assert beside.post(paper_of(first)).status_code == 302
    assert AuditEntry.objects.filter(action=Action.PAPER_PRINTED).count() == 1
    printed(desk, first)
    assert AuditEntry.objects.get(action=Action.PAPER_ASKED_FOR).actor == colleague


def test_wrong_unknown_and_void_papers_have_one_answer(clerk, colleague):
    person, _child = family()
    desk = inside(clerk)
    desk.post(REGISTER, fields(person))
    login, code, _text = printed(inside(colleague), FirstSignIn.objects.get())
    answers = set()
    for entered in ((login, "0" * 10), ("912345678", code), ("+77017779876", code), ("x", "y")):
        page = Client().post("/first/", dict(zip(("login", "code"), entered, strict=True)))
        answers.add((page.status_code, page.context["form"].non_field_errors().as_text()))
    assert len(answers) == 1


def test_a_paper_printed_anew_voids_a_password_page_that_is_open(clerk, colleague):
    person, _child = family()
    desk = inside(clerk)
    desk.post(REGISTER, fields(person))
    first = FirstSignIn.objects.get()
    login, code, _text = printed(inside(colleague), first)
    browser = Client()
    browser.post("/first/", {"login": login, "code": code})
    ask_for_paper(first, why="Қағазын жоғалтты", actor=clerk, address=None, now=NOW)
    issue_code(first, actor=colleague, address=None, now=NOW)
    answer = browser.post("/first/password/", {"password": PASSWORD, "repeated": PASSWORD})
    assert answer.url == "/first/"
    assert not User.objects.get(pk=first.user_id).has_usable_password()


def test_nobody_prints_a_paper_for_their_own_family(clerk, colleague):
    """They could sign in with it as whoever it is for."""
    person, child = family()
    inside(clerk).post(REGISTER, fields(person, child))
    first = FirstSignIn.objects.get()
    # Nor the other guardian of the same child.
    other = UserFactory(profile__iin=nth_iin(77))
    GuardianshipFactory(child=first.user.guardianships.get().child, user=other)
    for iin in (person.iin, nth_iin(77)):
        colleague.staff_iin_hash = iin_hash(iin)
        colleague.save()
        desk = inside(colleague)
        assert paper_of(first) not in desk.get(page_of(first)).content.decode()
        assert desk.post(paper_of(first)).status_code == 302
        assert desk.post(button_of(first, "decline"), {"reason": "Бұл менің туысым"}).status_code == 302
        with pytest.raises(NoPaper):
            issue_code(first, actor=colleague, address=None, now=NOW)
    first.refresh_from_db()
    assert (first.code_hash, first.asked_by) == ("", clerk)


def test_who_has_forgotten_the_password_gets_another_paper(clerk, colleague):
    """The account has no number to which a code could go: without this it would be lost."""
    person, _child = family()
    desk, beside = inside(clerk), inside(colleague)
    desk.post(REGISTER, fields(person))
    first = FirstSignIn.objects.get()
    login, code, _text = printed(beside, first)
    browser = Client()
    browser.post("/first/", {"login": login, "code": code})
    browser.post("/first/password/", {"password": PASSWORD, "repeated": PASSWORD})
    browser.post("/login/", {"phone": login, "password": PASSWORD})

    assert beside.post(paper_of(first)).status_code == 302
    assert (
        desk.post(button_of(first, "ask"), {"why": "Құпия сөзді ұмытты, куәлігін көрсетті"}).status_code
        == 302
    )
    assert Notice.objects.filter(recipient=first.user, kind="paper_anew").count() == 1
    assert desk.post(paper_of(first)).status_code == 302
    first.refresh_from_db()
    assert (first.used_at, first.asked_by) == (NOW, clerk)
    again, code, _text = printed(beside, first)
    assert again == login
    # The password holds until the new paper is used, which ends every session.
    assert browser.get("/cabinet/").status_code == 200
    other = Client()
    other.post("/first/", {"login": login, "code": code})
    other.post("/first/password/", {"password": "жаңа құпия 7", "repeated": "жаңа құпия 7"})
    assert browser.get("/cabinet/").status_code == 302
    assert other.post("/login/", {"phone": login, "password": "жаңа құпия 7"}).status_code == 302
    assert AuditEntry.objects.get(action=Action.PAPER_ASKED_FOR).actor == clerk
    # Declined, and impossible once the account has a number: then a password is set by SMS.
    desk.post(button_of(first, "ask"), {"why": "Тағы ұмытты"})
    assert beside.post(button_of(first, "decline")).status_code == 200
    assert beside.post(button_of(first, "decline"), {"reason": "Құжат басқа адамдікі"}).status_code == 302
    assert beside.post(paper_of(first)).status_code == 302
    desk.post(button_of(first, "ask"), {"why": "Тағы ұмытты"})
    User.objects.filter(pk=first.user_id).update(phone="+77017779876", username="+77017779876")
    assert beside.post(paper_of(first)).status_code == 302
    assert AuditEntry.objects.filter(action=Action.PAPER_PRINTED).count() == 2


def test_no_paper_while_something_holds_changes_of_the_account(clerk, colleague):
    person, child = family()
    inside(clerk).post(REGISTER, fields(person, child))
    first = FirstSignIn.objects.get()
    place = first.user.guardianships.get()
    DisputeFactory(guardianship=place)
    with pytest.raises(NoPaper) as refused:
        issue_code(first, actor=colleague, address=None, now=NOW)
    assert refused.value.fault == PaperFault.HELD
    assert str(refused.value) in inside(colleague).post(paper_of(first), follow=True).content.decode()


def test_a_person_without_an_iin_is_typed_from_the_document(clerk):
    desk = inside(clerk)
    typed = {"identity": "AB1234567", "language": "ru", "consent": "on"}
    assert desk.post(REGISTER, typed).context["form"].non_field_errors()
    more = {"last_name": "Смит", "first_name": "Анна", "birth_date": "1990-05-01", "sex": "f"}
    assert desk.post(REGISTER, typed | more).status_code == 302
    profile = FirstSignIn.objects.get().user.profile
    assert (profile.last_name, profile.iin, profile.document_number) == ("СМИТ", "", "AB1234567")
    # Nobody twice, and nobody without the consent.
    assert desk.post(REGISTER, typed | more).context["form"].non_field_errors()
    assert desk.post(REGISTER, typed | more | {"consent": ""}).context["form"].has_error("consent")


def test_nobody_registers_themselves_and_a_refused_child_leaves_the_account(clerk):
    person, child = family()
    clerk.staff_iin_hash = iin_hash(person.iin)
    clerk.save()
    assert inside(clerk).post(REGISTER, fields(person, child)).context["form"].non_field_errors()
    assert not FirstSignIn.objects.exists()
    clerk.staff_iin_hash = None
    clerk.save()
    strangers = next(
        ward for entry in simulated_people.everyone(today=NOW.date()) if entry.person != person for ward in entry.wards
        if ward.iin != child.iin and ward not in next(
            one.wards for one in simulated_people.everyone(today=NOW.date()) if one.person == person
        )
    )  # fmt: skip
    assert inside(clerk).post(REGISTER, fields(person, strangers)).status_code == 302
    assert FirstSignIn.objects.count() == 1
    assert not Application.objects.exists()


def signed_in(login, code) -> Client:
    """The browser of the owner, who has set the first password with the paper."""
    browser = Client()
    browser.post("/first/", {"login": login, "code": code})
    browser.post("/first/password/", {"password": PASSWORD, "repeated": PASSWORD})
    browser.post("/login/", {"phone": login, "password": PASSWORD})
    return browser


class TestWhoIsRegistered:
    """They come again, without the paper or the password: every way at the desk leads to the next step."""

    def test_leads_to_their_page_and_is_found_by_what_they_know(self, clerk, colleague):
        person, child = family()
        desk = inside(clerk)
        desk.post(REGISTER, fields(person, child))
        first = FirstSignIn.objects.get()
        login, number = first.user.username, Application.objects.get().number
        refused = desk.post(REGISTER, fields(person)).content.decode()
        assert f'href="{page_of(first)}"' in refused
        listed = reverse("admin:accounts_firstsignin_changelist")
        for said in (
            login,
            f"{login[:3]} {login[3:6]} {login[6:]}",
            number,
            person.iin,
            person.last_name[:4].lower(),
        ):
            assert page_of(first) in desk.get(listed, {"q": said}).content.decode(), said
        for other in ("987654321", "20990101-0001", nth_iin(55), person.first_name):
            assert page_of(first) not in desk.get(listed, {"q": other}).content.decode(), other
        # The search for a lost number finds the login number, and leads to the paper as well.
        lost = desk.post(reverse("admin:accounts_assistedmove_find"), {"term": login}, follow=True)
        assert f'href="{page_of(first)}"' in lost.content.decode()
        # Who has a number is helped where a number is lost.
        User.objects.filter(pk=first.user_id).update(phone="+77017779876", username="+77017779876")
        refused = desk.post(REGISTER, fields(person)).content.decode()
        assert f'href="{reverse("admin:accounts_assistedmove_find")}"' in refused

    def test_the_page_says_who_did_what(self, clerk, colleague):
        person, _child = family()
        desk, beside = inside(clerk), inside(colleague)
        desk.post(REGISTER, fields(person))
        first = FirstSignIn.objects.get()
        printed(beside, first)
        desk.post(button_of(first, "ask"), {"why": "Қағазын жоғалтты"})
        beside.post(button_of(first, "decline"), {"reason": "Құжат басқа адамдікі"})
        history = reverse("admin:accounts_firstsignin_history", args=[first.pk])
        for address in (page_of(first), history):
            html = desk.get(address).content.decode()
            for action in (
                Action.REGISTERED_BY_EMPLOYEE,
                Action.PAPER_PRINTED,
                Action.PAPER_ASKED_FOR,
                Action.PAPER_DECLINED,
            ):
                assert str(action.label) in html, (address, action)
            assert {str(clerk), str(colleague)} <= set(re.findall(r"staff-[\w-]+", html)) | {str(clerk)}
            assert "Құжат басқа адамдікі" in html


class TestTypedFromADocument:
    @pytest.mark.parametrize(
        ("born", "is_of_age"),
        [("2010-11-22", True), ("2010-11-23", False), ("2030-02-01", False), ("1915-01-01", False)],
    )
    def test_a_parent_is_of_age_on_the_day(self, clerk, born, is_of_age):
        answer = inside(clerk).post(REGISTER, TYPED | {"birth_date": born})
        assert answer.status_code == (302 if is_of_age else 200)
        assert FirstSignIn.objects.exists() == is_of_age

    def test_reads_who_entered_it_and_the_contact_centre_corrects_it(self, clerk, colleague):
        desk = inside(clerk)
        desk.post(REGISTER, TYPED)
        first = FirstSignIn.objects.get()
        login, code, _text = printed(inside(colleague), first)
        browser = signed_in(login, code)
        profile = browser.get("/ru/cabinet/profile/").content.decode()
        assert "Сотрудник контакт-центра ввёл эти данные с вашего документа" in profile
        assert "Эти данные поступают из государственного реестра" not in profile
        mended = {"last_name": "Смит", "first_name": "Анна", "birth_date": "1991-05-01", "sex": "f"}
        wrong = mended | {"birth_date": "2020-05-01", "reason": "Жылы қате жазылған"}
        assert desk.post(button_of(first, "correct"), wrong).status_code == 200
        assert (
            desk.post(button_of(first, "correct"), mended | {"reason": "Жылы қате жазылған"}).status_code
            == 302
        )
        user = User.objects.get(pk=first.user_id)
        assert user.profile.birth_date.year == 1991
        assert AuditEntry.objects.get(action=Action.TYPED_CORRECTED).actor == clerk
        assert "Жылы қате жазылған" in Notice.objects.get(kind="typed_corrected").text
        # What the registry says is nobody's to correct.
        user.profile.is_typed = False
        user.profile.save()
        desk.post(button_of(first, "correct"), mended | {"first_name": "Ева", "reason": "Аты басқа"})
        user.profile.refresh_from_db()
        assert user.profile.first_name == "АННА"


TYPED = {
    "identity": "ZZ5550011",
    "language": "ru",
    "consent": "on",
    "last_name": "Смит",
    "first_name": "Анна",
    "birth_date": "1990-05-01",
    "sex": "f",
}


class TestTheEmployeesOwnFamily:
    """As the registry knows it: the employee need not be a parent on the portal."""

    def test_nobody_registers_or_prints_for_it(self, clerk, colleague):
        couple, child = parents()
        wife, husband = couple
        for one in (clerk, colleague):
            one.staff_iin_hash, one.kept_iin = None, ""
            one.save()
        enter(clerk, husband.iin)
        for data in (fields(wife, child), fields(wife)):
            answer = inside(clerk).post(REGISTER, data)
            assert answer.context["form"].non_field_errors()
        assert not User.objects.filter(profile__isnull=False).exists()
        # A colleague registers her, and neither prints the paper: one has asked, one is of the family.
        inside(colleague).post(REGISTER, fields(wife))
        first = FirstSignIn.objects.get()
        assert inside(clerk).post(paper_of(first)).status_code == 302
        assert not AuditEntry.objects.filter(action=Action.PAPER_PRINTED).exists()
        third = employee(Role.CONTACT_CENTRE)
        printed(inside(third), first)


def enter(user, iin):
    """The employee as the next request knows them."""
    user.kept_iin, user.staff_iin_hash = iin, iin_hash(iin)
    user.save()
    return User.objects.get(pk=user.pk)


def parents():
    """Two adults of the simulated registry, and a child of both."""
    everyone = simulated_people.everyone(today=NOW.date())
    for one in everyone:
        for other in everyone:
            shared = [ward for ward in one.wards if ward in other.wards]
            if one is not other and one.person.iin and other.person.iin and shared:
                return (one.person, other.person), shared[0]
    raise LookupError


class TestTheOwner:
    """Who signs in with a login number reads of every step, and can stop it."""

    @pytest.fixture
    def scene(self, clerk, colleague):
        person, child = family()
        desk, beside = inside(clerk), inside(colleague)
        desk.post(REGISTER, fields(person, child))
        first = FirstSignIn.objects.get()
        login, code, _text = printed(beside, first)
        assert not Notice.objects.filter(kind="paper_printed").exists()
        return first, desk, beside, signed_in(login, code)

    def test_is_told_of_every_paper(self, scene, time_machine):
        first, desk, beside, _browser = scene
        told = Notice.objects.filter(recipient=first.user)
        for number in (1, 2):
            time_machine.move_to(NOW + timedelta(minutes=number), tick=False)
            # The second time the newest paper was never used; the owner has a password all the same.
            desk.post(button_of(first, "ask"), {"why": f"Құпия сөзді ұмытты, {number}"})
            assert told.filter(kind="paper_anew").count() == number
            printed(beside, first)
            assert told.filter(kind="paper_printed").count() == number
        desk.post(button_of(first, "ask"), {"why": "Құпия сөзді тағы ұмытты"})
        beside.post(button_of(first, "decline"), {"reason": "Құжат басқа адамдікі"})
        assert "Құжат басқа адамдікі" in told.get(kind="paper_declined").text

    @pytest.mark.parametrize("is_printed", [False, True])
    def test_stops_it(self, scene, is_printed):
        first, desk, beside, browser = scene
        desk.post(button_of(first, "ask"), {"why": "Құпия сөзді ұмытты"})
        login, code = first.user.username, ""
        if is_printed:
            login, code, _text = printed(beside, first)
        assert 'value="paper"' in browser.get("/stop/choose/").content.decode()
        browser.post("/stop/choose/", {"kind": "paper", "key": str(first.pk), "confirm": "1"})
        assert beside.post(paper_of(first)).status_code == 302
        assert owner_of_paper(login, code, now=NOW) is None
        first.refresh_from_db()
        assert first.asked_at is None
        assert browser.get("/cabinet/").status_code == 200
        assert 'value="paper"' not in browser.get("/stop/choose/").content.decode()
        assert str(Action.PAPER_STOPPED.label) in desk.get(page_of(first)).content.decode()

    def test_a_dispute_hides_it_in_an_employees_words(self, scene):
        first, desk, beside, _browser = scene
        desk.post(button_of(first, "ask"), {"why": "Құпия сөзді ұмытты"})
        assert "<strong>1</strong>" in beside.get("/admin/").content.decode()
        DisputeFactory(guardianship=first.user.guardianships.get())
        html = beside.get(page_of(first)).content.decode()
        assert paper_of(first) not in html
        assert str(NoPaper(PaperFault.HELD)) in html
        assert "<strong>1</strong>" not in beside.get("/admin/").content.decode()


def test_the_count_holds_only_what_the_employee_can_print(clerk, colleague):
    person, child = family()
    inside(clerk).post(REGISTER, fields(person, child))
    first = FirstSignIn.objects.get()
    assert list(to_print(colleague)) == [first]
    assert not to_print(clerk).exists()
    assert (
        "күтуде" in inside(colleague).get(reverse("admin:accounts_firstsignin_changelist")).content.decode()
    )
    other = UserFactory(profile__iin=nth_iin(77))
    GuardianshipFactory(child=first.user.guardianships.get().child, user=other)
    for iin in (person.iin, nth_iin(77)):
        assert not to_print(enter(colleague, iin)).exists()
    colleague = enter(colleague, nth_iin(78))
    assert to_print(colleague).exists()
    User.objects.filter(pk=first.user_id).update(phone="+77017779876", username="+77017779876")
    assert not to_print(colleague).exists()
