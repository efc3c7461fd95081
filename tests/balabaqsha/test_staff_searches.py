"""Searches of employees: so many an hour, entered with their words masked, told to who is found by a whole number."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib import admin
from django.urls import reverse

from accounts import limits
from accounts.identity import document_hash
from accounts.journal_actions import Action
from accounts.limits import LOOK_UP_PER_EMPLOYEE, SEARCH_PER_EMPLOYEE, Limit
from accounts.models import AuditEntry
from accounts.roles import Role
from balabaqsha.staff_searches import GOES_ON, LONGEST_TERM, parse_term
from bulletin.models import Employment
from tests.factories import GuardianshipFactory, KindergartenFactory, StaffFactory, UserFactory
from tests.staff import employee, give_app, inside, worker_of

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
IIN, CHILD_IIN, UNKNOWN_IIN = "940225300009", "170720600007", "170720600806"
USERS, CHILDREN = "admin:accounts_user_changelist", "admin:children_child_changelist"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def official():
    return employee(Role.OFFICIAL, username="сара")


@pytest.fixture
def desk(official):
    return inside(official)


@pytest.fixture
def father():
    return UserFactory(phone="+77017779876", profile__iin=IIN)


@pytest.fixture
def mother(father):
    """The other guardian of the child."""
    child = GuardianshipFactory(user=father, child__iin=CHILD_IIN).child
    return GuardianshipFactory(child=child).user


def search(desk, text, name=USERS, **query):
    return desk.get(reverse(name), {"q": text, **query})


def entered(action=Action.SEARCHED):
    return [entry.target for entry in AuditEntry.objects.filter(action=action).order_by("id")]


@pytest.fixture
def small(monkeypatch):
    """Limits that are soon reached: three searches in an hour, two of them for whole numbers."""
    for name, times in (("SEARCH_PER_EMPLOYEE", 3), ("LOOK_UP_PER_EMPLOYEE", 2)):
        monkeypatch.setattr(limits, name, Limit(name, times, timedelta(hours=1)))


@pytest.mark.parametrize(
    ("text", "masked", "is_number"),
    [
        (IIN, "••••••••••09", True),
        ("9402 2530 0009", "••••••••••09", True),
        ("N1234567", "•••••567", True),
        ("8 701 777 98 76", "+7 701 ••• 98 76", True),
        ("+77017779876", "+7 701 ••• 98 76", True),
        ("940225300008", "9•••••••••••", False),
        ("каменова дания", "к••••••• д••••", False),
        ("Ә", "Ә", False),
        # The number of a paper is nobody's own, and names whose family was looked for.
        ("19-000417", "19-000417", False),
        ("' OR 1=1 --", "' O• 1•• -•", False),
    ],
)
def test_what_is_kept_of_a_term(text, masked, is_number):
    term = parse_term(text)
    assert (term.masked, term.is_number) == (masked, is_number)


class TestWhatIsEntered:
    def test_who_searched_which_list_and_no_whole_word(self, desk, official, father):
        search(desk, IIN)
        search(desk, "ОМАРОВА", CHILDREN)
        assert entered() == ["accounts.user ••••••••••09", "children.child О••••••"]
        first = AuditEntry.objects.filter(action=Action.SEARCHED).first()
        assert (first.actor, first.subject, first.at, first.address) == (official, None, NOW, "127.0.0.1")
        kept = "".join(f"{entry.target}{entry.reason}" for entry in AuditEntry.objects.all())
        assert IIN not in kept
        assert "ОМАРОВА" not in kept

    @pytest.mark.parametrize(
        ("prefix", "words"),
        [("", "Пайдаланушылар: ••••••••••09"), ("/ru", "Пользователи: ••••••••••09")],
    )
    def test_officials_read_it_in_their_language(self, desk, father, prefix, words):
        search(desk, IIN)
        page = desk.get(f"{prefix}/admin/accounts/auditentry/").content.decode()
        assert words in page

    def test_a_list_that_is_gone_is_named_as_it_was(self, desk):
        AuditEntry.objects.create(at=NOW, action=Action.SEARCHED, target="gone.model x•••")
        assert "gone.model x•••" in desk.get("/admin/accounts/auditentry/").content.decode()

    @pytest.mark.parametrize("text", ["", " ", "\t", "\u00a0"])
    def test_an_empty_search_is_none(self, desk, text):
        assert search(desk, text).status_code == 200
        assert entered() == []

    @pytest.mark.parametrize("text", ["\x00", "x" * 5000, "\ud800", "%", "🙂", "١٢٣"])
    def test_any_text_is_answered(self, desk, text):
        assert desk.get(reverse(USERS), {"q": text.encode("utf-8", "surrogatepass")}).status_code in (
            200,
            302,
        )
        assert all(len(target) <= LONGEST_TERM + 20 for target in entered())

    def test_going_on_in_a_search_is_none(self, desk, clock):
        for query in ({}, {"p": "1"}, {"o": "2"}, {"is_staff__exact": "0"}, {"all": ""}):
            search(desk, "ОМАРОВА", **query)
        clock.shift(GOES_ON - MICROSECOND)
        search(desk, "  ОМАРОВА ")
        assert len(entered()) == 1
        clock.shift(MICROSECOND)
        search(desk, "ОМАРОВА")
        assert len(entered()) == 2

    def test_another_word_or_list_is_a_search_of_its_own(self, desk):
        for text, name in (("А", USERS), ("Б", USERS), ("А", USERS), ("А", CHILDREN)):
            search(desk, text, name)
        assert len(entered()) == 4

    def test_who_may_not_see_the_list_has_not_searched(self, father):
        worker = inside(worker_of(KindergartenFactory()))
        assert search(worker, IIN).status_code == 403
        assert entered() == entered(Action.LOOKED_UP) == []

    @pytest.mark.parametrize("one", admin.site._registry.values(), ids=lambda one: one.opts.label_lower)
    def test_every_list_with_a_search(self, one):
        chief = StaffFactory(is_superuser=True)
        give_app(chief)
        address = reverse(f"admin:{one.opts.app_label}_{one.opts.model_name}_changelist")
        page = inside(chief).get(address, {"q": "ОМАРОВА"})
        assert page.status_code == 200
        is_searched = bool(one.get_search_fields(page.wsgi_request))
        assert entered() == ([f"{one.opts.label_lower} О••••••"] if is_searched else [])


class TestWhoIsTold:
    def test_a_parent_found_by_the_whole_iin(self, desk, official, father):
        search(desk, IIN)
        entry = AuditEntry.objects.get(action=Action.LOOKED_UP)
        assert (entry.subject, entry.actor, entry.target) == (father, official, father.profile.full_name)

    def test_every_guardian_of_a_child(self, desk, father, mother):
        search(desk, CHILD_IIN, CHILDREN)
        told = AuditEntry.objects.filter(action=Action.LOOKED_UP)
        assert {entry.subject for entry in told} == {father, mother}
        assert {entry.target for entry in told} == {"КАМЕНОВА ДАНИЯ ЕРМЕКОВНА"}

    def test_a_parent_found_by_the_whole_number_of_a_document(self, desk, father):
        father.profile.document_hash = document_hash("N1234567")
        father.profile.save()
        search(desk, "N1234567")
        assert AuditEntry.objects.get(action=Action.LOOKED_UP).subject == father

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            (UNKNOWN_IIN, USERS), (IIN[:-1], USERS), ("КАМЕНОВ", CHILDREN), ("+77017779876", USERS),
            (IIN, CHILDREN), (CHILD_IIN, USERS), (IIN, "admin:applications_application_changelist"),
        ],
    )  # fmt: skip
    def test_nobody_whom_the_list_does_not_show(self, desk, father, mother, text, name):
        search(desk, text, name)
        assert len(entered()) == 1
        assert entered(Action.LOOKED_UP) == []

    @pytest.mark.parametrize(
        ("prefix", "sentence"),
        [
            ("", "Қызметкер сізді ЖСН немесе құжат нөмірі бойынша іздеді"),
            ("/ru", "Сотрудник искал вас по ИИН или номеру документа"),
        ],
    )
    def test_the_family_reads_it(self, desk, father, client_of, prefix, sentence):
        search(desk, IIN)
        page = client_of(father).get(prefix + reverse("accounts:journal")).content.decode()
        assert sentence in page
        assert IIN not in page


class TestTheLimit:
    def test_the_figures(self):
        assert (SEARCH_PER_EMPLOYEE.times, SEARCH_PER_EMPLOYEE.window) == (120, timedelta(hours=1))
        assert (LOOK_UP_PER_EMPLOYEE.times, LOOK_UP_PER_EMPLOYEE.window) == (30, timedelta(hours=1))

    @pytest.mark.parametrize(
        ("prefix", "sentence"),
        [("", "Қайта іздеуге болатын уақыт:"), ("/ru", "Искать снова можно с:")],
    )
    def test_past_it_a_page_says_when_to_go_on(self, desk, small, clock, prefix, sentence):
        for text in "абв":
            assert search(desk, text).status_code == 200
            clock.shift(timedelta(minutes=1))
        answer = desk.get(f"{prefix}/admin/accounts/user/", {"q": "г"})
        page = answer.content.decode()
        assert answer.status_code == 429
        assert sentence in page
        assert '<time datetime="2026-11-23T12:00:00+05:00">12:00</time>' in page
        assert len(entered()) == 3

    def test_to_the_microsecond(self, official, desk, small, clock):
        for text in "абв":
            search(desk, text)
        clock.move_to(NOW + timedelta(hours=1) - MICROSECOND)
        assert search(inside(official), "г").status_code == 429
        clock.shift(MICROSECOND)
        assert search(inside(official), "г").status_code == 200

    def test_a_refused_search_is_not_made_and_does_not_pass_as_going_on(self, desk, small, father):
        for text in ("аа", "бб", "вв"):
            search(desk, text)
        for _again in range(2):
            assert search(desk, IIN).status_code == 429
        assert entered(Action.LOOKED_UP) == []

    @pytest.mark.parametrize("number", [IIN, "+77017779876", "N1234567"])
    def test_whole_numbers_are_fewer(self, desk, small, father, number):
        assert search(desk, UNKNOWN_IIN).status_code == 200
        assert search(desk, number).status_code == 200
        assert search(desk, CHILD_IIN).status_code == 429
        assert search(desk, "ОМАРОВА").status_code == 200

    def test_each_employee_has_an_own_one(self, desk, small):
        for text in "абвг":
            last = search(desk, text)
        assert last.status_code == 429
        assert search(inside(employee(Role.OFFICIAL)), "г").status_code == 200

    def test_over_all_lists_and_sessions_of_an_employee(self, official, desk, small):
        for text, name in (("а", USERS), ("б", CHILDREN), ("в", "admin:bulletin_kindergarten_changelist")):
            assert search(desk, text, name).status_code == 200
        assert search(inside(official), "г", CHILDREN).status_code == 429

    def test_the_list_itself_still_opens(self, desk, small):
        for text in "абвг":
            search(desk, text)
        assert desk.get(reverse(USERS), {"is_staff__exact": "1"}).status_code == 200

    def test_a_button_is_pressed_in_a_search_that_goes_on(self, desk, small):
        search(desk, "а")
        for _again in range(5):
            answer = desk.post(f"{reverse(USERS)}?q=а", {"action": "", "_selected_action": []})
            assert answer.status_code == 200
        assert len(entered()) == 1

    def test_the_choices_while_one_types_are_searches_too(self, small, monkeypatch):
        chief = StaffFactory(is_superuser=True)
        give_app(chief)
        monkeypatch.setattr(admin.site.get_model_admin(Employment), "autocomplete_fields", ["user"])
        desk = inside(chief)
        query = {"app_label": "bulletin", "model_name": "employment", "field_name": "user"}
        statuses = [
            desk.get(reverse("admin:autocomplete"), query | {"term": text}).status_code for text in "аабвг"
        ]
        assert statuses == [200, 200, 200, 200, 429]
        assert entered() == [f"accounts.user {text}" for text in "абв"]
