"""The pages of children: the whole way in, every bad input, and people who have no business here."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.identity import document_hash
from accounts.models import AuditEntry, Session
from accounts.registry import RegistryUnavailable
from accounts.registry.simulated_people import (
    FOREIGN_MOTHER_DOCUMENT,
    MANUAL_CHILD_IIN,
    MANUAL_PARENT_IIN,
    UNAVAILABLE_IINS,
    UNKNOWN_IINS,
    everyone,
)
from accounts.registry.simulator import SimulatedRegistry
from children import views
from children.models import Child, Guardianship
from children.services import ChildBusy, ChildRefused, still_to_add
from tests.children.test_services import MOTHER_IIN
from tests.factories import DisputeFactory, GuardianshipFactory, StaffFactory, UserFactory
from tests.unseen import pages_unseen

LIST, ADD, CONFIRM = "/cabinet/children/", "/cabinet/children/add/", "/cabinet/children/add/check/"
DOWN_IIN = UNAVAILABLE_IINS[1]


@pytest.fixture
def father(db):
    return UserFactory(profile__iin=MANUAL_PARENT_IIN)


@pytest.fixture
def browser(father, client_of):
    return client_of(father)


def check(client, iin):
    return client.post(ADD, {"iin": iin, "check": "1"})


def token_on(response):
    return re.search(r'name="token" value="([^"]+)"', response.content.decode())[1]


def save(client, *, token, **fields):
    return client.post(CONFIRM, {"save": "1", "token": token, "nationality": "", **fields})


def application_of(child):
    """Where a saved child leads to."""
    return f"{reverse('applications:new')}?for={child.pk}"


def checked(client, iin=MANUAL_CHILD_IIN):
    assert check(client, iin).url == CONFIRM
    return token_on(client.get(CONFIRM))


class TestTheWayIn:
    def test_iin_data_save(self, browser, father):
        assert 'class="empty"' in browser.get(LIST).content.decode()
        response = check(browser, "170720 600007")
        assert (response.status_code, response.url) == (302, CONFIRM)
        page = browser.get(CONFIRM)
        html = page.content.decode()
        for value in ("КАМЕНОВА", "ДАНИЯ", "ЕРМЕКОВНА", "20.07.2017"):
            assert value in html
        response = save(browser, token=token_on(page), nationality="kazakh")
        child = Child.objects.get()
        assert response.url == application_of(child)
        assert child.nationality == "kazakh"
        assert list(child.guardians.all()) == [father]
        assert "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА" in browser.get(LIST).content.decode()
        html = browser.get(reverse("children:child", args=[child.pk])).content.decode()
        assert "••••••••••07" in html
        assert MANUAL_CHILD_IIN not in html
        assert f"{reverse('applications:new')}?for={child.pk}" in html

    def test_in_russian_it_stays_russian(self, browser):
        response = browser.post(f"/ru{ADD}", {"iin": MANUAL_CHILD_IIN})
        assert response.url == f"/ru{CONFIRM}"
        token = token_on(browser.get(f"/ru{CONFIRM}"))
        response = browser.post(f"/ru{CONFIRM}", {"save": "1", "token": token})
        assert response.url.startswith("/ru/cabinet/applications/new/?for=")

    def test_nothing_is_saved_by_checking_or_cancelling(self, browser):
        checked(browser)
        assert not Child.objects.exists()
        assert browser.post(CONFIRM, {"cancel": "1"}).url == ADD
        assert browser.get(CONFIRM).url == ADD
        assert not Child.objects.exists()

    def test_the_iin_is_in_no_address_and_not_in_clear_in_the_session(self, browser):
        response = check(browser, MANUAL_CHILD_IIN)
        assert MANUAL_CHILD_IIN not in response.url
        content = Session.objects.get(pk=browser.session.session_key).get_decoded()
        assert MANUAL_CHILD_IIN not in str(content)
        assert "КАМЕНОВА" not in str(content)

    def test_what_was_checked_waits_half_an_hour(self, browser, father):
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            token = checked(browser)
            clock.shift(timedelta(minutes=30) - timedelta(microseconds=1))
            assert 'name="token"' in browser.get(CONFIRM).content.decode()
            clock.shift(timedelta(microseconds=1))
            assert browser.get(CONFIRM).url == ADD
            assert save(browser, token=token).url == ADD
        assert not Child.objects.exists()

    def test_back_and_another_iin(self, browser):
        """The back button, another child, then the old page's button: nothing is saved that was not shown."""
        old = checked(browser)
        wards = Child.objects.count()
        second = next(ward.iin for ward in wards_of(MANUAL_PARENT_IIN) if ward.iin != MANUAL_CHILD_IIN)
        new = checked(browser, second)
        assert save(browser, token=old).url == ADD
        assert Child.objects.count() == wards
        save(browser, token=new)
        assert Child.objects.get().iin == second


def wards_of(iin):
    today = timezone.localdate()
    return [ward for entry in everyone(today=today) if entry.person.iin == iin for ward in entry.wards]


class TestBadIins:
    @pytest.mark.parametrize(
        "iin",
        [
            "",
            " ",
            "1707206000",
            "17072060000",
            "1707206000077",
            "170720600008",
            "170720600000",
            # No check digit makes these stems an IIN.
            *[f"17072060082{digit}" for digit in range(10)],
            "17072060000A",
            "<script>alert</script>",
            "'; DROP TABLE--",
            "9" * 5000,
            "\x00" * 12,
            "١٧٠٧٢٠٦٠٠٠٠٨",
        ],
    )
    def test_are_answered_beside_the_field(self, browser, iin):
        with pages_unseen():
            response = check(browser, iin)
        assert response.status_code == 200
        assert response.context["iin_form"].errors["iin"]
        assert not Child.objects.exists()

    @pytest.mark.parametrize("iin", ["", "<script>alert</script>", "\x00" * 12, "9" * 5000])
    def test_the_page_says_so(self, browser, iin):
        page = check(browser, iin).content.decode()
        assert 'class="error-summary"' in page
        assert "<script>alert" not in page

    def test_what_was_typed_is_still_there(self, browser):
        assert 'value="170720600008"' in check(browser, "170720600008").content.decode()

    def test_an_iin_valid_by_the_second_pass_reaches_the_registry(self, browser):
        response = check(browser, "170720600806")
        assert "170720600806" in UNKNOWN_IINS
        assert response.context["iin_form"].errors["iin"] == [str(ChildRefused())]

    def test_no_iin_field_at_all(self, browser):
        assert browser.post(ADD, {}).status_code == 200


class TestBeforeItIsSaved:
    @pytest.mark.parametrize("tie", ["no", "unknown"])
    def test_whoever_holds_a_number_that_is_not_known_as_theirs_reads_initials(self, browser, father, tie):
        type(father.profile).objects.update(phone_tie=tie)
        checked(browser)
        page = browser.get(CONFIRM).content.decode()
        assert "К••••• Д." in page
        assert "2017" in page
        for hidden in ("КАМЕНОВА", "ДАНИЯ", "ЕРМЕКОВНА", "20.07"):
            assert hidden not in page
        save(browser, token=token_on(browser.get(CONFIRM)))
        assert "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА" in browser.get(LIST).content.decode()

    def test_a_child_that_others_have_added_and_one_that_nobody_has_look_alike(self, browser, client_of):
        """Whether somebody else is on the portal with this child is told to nobody who only knows its IIN."""

        def page():
            check(browser, MANUAL_CHILD_IIN)
            with CaptureQueriesContext(connection) as asked:
                answer = check(browser, MANUAL_CHILD_IIN)
            html = browser.get(answer.url).content.decode()
            html = re.sub(r'(?:value|datetime|data-now)="[^"]+"|\d\d:\d\d(?::\d\d)?', "", html)
            return html, [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in asked.captured_queries]

        nobodys = page()
        mother = client_of(UserFactory(profile__iin=MOTHER_IIN))
        save(mother, token=checked(mother))
        assert Child.objects.exists()
        assert page() == nobodys


class TestRefusals:
    def test_unknown_and_not_yours_are_the_same_page(self, father, client_of):
        stranger = client_of(UserFactory())
        Child.objects.create(
            iin=MANUAL_CHILD_IIN,
            iin_hash="x" * 64,
            last_name="КАМЕНОВА",
            first_name="ДАНИЯ",
            birth_date="2017-07-20",
            sex="f",
            created_at=datetime.now(UTC),
        )

        def page(iin):
            html = check(stranger, iin).content.decode()
            html = re.sub(
                r'name="csrfmiddlewaretoken" value="[^"]+"|(?:datetime|data-now)="[^"]+"|\d\d:\d\d(?::\d\d)?',
                "",
                html,
            )
            return html.replace(iin, "")

        assert page(MANUAL_CHILD_IIN) == page(UNKNOWN_IINS[0]) == page(MANUAL_PARENT_IIN)

    def test_registry_down_loses_nothing_and_goes_on_later(self, browser):
        response = check(browser, DOWN_IIN)
        assert response.status_code == 200
        assert response.context["registry_down"]
        assert f'value="{DOWN_IIN}"' in response.content.decode()
        # Later, after having been elsewhere.
        assert f'value="{DOWN_IIN}"' in browser.get(ADD).content.decode()
        assert check(browser, MANUAL_CHILD_IIN).status_code == 302

    def test_registry_down_between_checking_and_saving(self, browser, settings):
        token = checked(browser)
        settings.PERSON_REGISTRY = f"{__name__}.DownRegistry"
        response = save(browser, token=token, nationality="uzbek")
        assert response.context["registry_down"]
        assert '<option value="uzbek" selected>' in response.content.decode()
        settings.PERSON_REGISTRY = "accounts.registry.simulator.SimulatedRegistry"
        save(browser, token=token_on(response), nationality="uzbek")
        assert Child.objects.get().nationality == "uzbek"

    def test_no_longer_a_guardian_when_saving(self, browser, father):
        token = checked(browser)
        type(father.profile).objects.filter(user=father).update(iin=UNKNOWN_IINS[2])
        assert save(browser, token=token).url == ADD
        assert not Child.objects.exists()

    def test_the_same_child_twice_leads_to_its_page(self, browser):
        save(browser, token=checked(browser))
        response = check(browser, MANUAL_CHILD_IIN)
        assert response.context["existing_url"] == reverse("children:child", args=[Child.objects.get().pk])
        assert f'href="{response.context["existing_url"]}"' in response.content.decode()

    def test_a_nationality_that_nobody_offered(self, browser):
        token = checked(browser)
        response = save(browser, token=token, nationality="martian")
        assert response.context["form"].errors["nationality"]
        assert not Child.objects.exists()
        save(browser, token=token)
        assert Child.objects.exists()

    def test_saving_without_checking(self, browser):
        for token in ("", "guessed", "x" * 4000, "ә"):
            assert save(browser, token=token).url == ADD
        assert not Child.objects.exists()

    def test_the_check_of_one_parent_is_worth_nothing_to_another(self, browser, client_of):
        token = checked(browser)
        assert save(client_of(UserFactory()), token=token).url == ADD
        assert not Child.objects.exists()


@pytest.mark.parametrize(("prefix", "sentence"), [("", "минуттан кейін"), ("/ru", "через минуту")])
def test_while_somebody_holds_the_child_nothing_is_lost(browser, monkeypatch, prefix, sentence):
    token = checked(browser)

    def busy(*args, **kwargs):
        raise ChildBusy

    with monkeypatch.context() as patch:
        patch.setattr(views, "add_child", busy)
        page = browser.post(prefix + CONFIRM, {"token": token})
        assert (page.status_code, sentence in page.content.decode()) == (200, True)
        assert f'value="{token}"' in page.content.decode()
    assert save(browser, token=token).status_code == 302
    assert Child.objects.count() == 1


class DownRegistry(SimulatedRegistry):
    def find_ward(self, **asked):
        raise RegistryUnavailable

    find_wards = find_ward


class TestLimits:
    def test_five_misses_in_an_hour_then_a_pause(self, browser, settings):
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            for _ in range(5):
                assert check(browser, UNKNOWN_IINS[0]).status_code == 200
                clock.shift(timedelta(seconds=1))
            response = check(browser, MANUAL_CHILD_IIN)
            assert response.status_code == 429
            # The IIN waits in the form for the parent to come back.
            assert f'value="{MANUAL_CHILD_IIN}"' in browser.get(ADD).content.decode()
            clock.shift(timedelta(hours=1))
            assert check(browser, MANUAL_CHILD_IIN).status_code == 302

    def test_misses_of_one_network_stop_only_who_has_missed_too_on_an_unknown_device(self, client_of, db):
        families = [client_of(UserFactory()) for _ in range(13)]
        for family in families[:-1]:
            with pages_unseen():
                assert [check(family, UNKNOWN_IINS[0]).status_code for _miss in range(4)] == [200] * 4
        for _miss in range(2):
            assert check(families[-1], UNKNOWN_IINS[0]).status_code == 200
        refused = check(families[-1], MANUAL_CHILD_IIN)
        assert refused.status_code == 429
        known = Client()
        user = UserFactory()
        known.post("/login/", {"phone": str(user.phone), "password": "parent-pass-1"})
        for iin in (UNKNOWN_IINS[0], UNKNOWN_IINS[0]):
            assert check(known, iin).status_code == 200
        assert check(client_of(UserFactory()), MANUAL_CHILD_IIN).status_code == 200

    def test_without_redis_they_go_on_for_a_minute(self, browser, redis_away):
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            assert check(browser, MANUAL_CHILD_IIN).status_code == 302
            clock.shift(timedelta(minutes=1) - timedelta(microseconds=1))
            assert check(browser, MANUAL_CHILD_IIN).status_code == 302
            clock.shift(timedelta(microseconds=1))
            refused = check(browser, MANUAL_CHILD_IIN)
            assert refused.status_code == 503
            assert "онсыз мұнда ештеңе ізделмейді" in refused.content.decode()

    def test_hits_typos_and_a_registry_that_is_down_cost_nothing(self, browser):
        with pages_unseen():
            for _ in range(6):
                check(browser, MANUAL_CHILD_IIN)
                check(browser, "170720600008")
                check(browser, DOWN_IIN)
        assert check(browser, UNKNOWN_IINS[0]).status_code == 200


class TestOtherGuardians:
    def test_who_else_acts_for_the_child_is_on_its_page_masked(self, browser, father):
        own = GuardianshipFactory(user=father)
        address = reverse("children:child", args=[own.child.pk])
        assert "/stop/" not in browser.get(address).content.decode().split("<footer")[0].split("</header>")[1]
        other = GuardianshipFactory(
            child=own.child, user__profile__last_name="ОМАРОВ", user__profile__first_name="ТІМУР"
        )
        GuardianshipFactory(child=own.child, user__profile__last_name="ЮСУПОВ", ended_at=other.verified_at)
        page = browser.get(address).content.decode()
        assert "О••••• Т." in page
        for hidden in ("ОМАРОВ", "ТІМУР", "Ю•••••"):
            assert hidden not in page
        assert 'href="/stop/"' in page.split("<footer")[0].split("</header>")[1]


@pytest.fixture
def known_father(father):
    """The state knows the father's phone as his own."""
    type(father.profile).objects.filter(user=father).update(phone_tie="yes")
    return father


def offered_on(page):
    return page.context["offered"]


class TestOfferedChildren:
    """Whom the state knows by phone, the portal offers the children of; they need not type an IIN."""

    def test_one_button_instead_of_an_iin(self, browser, known_father):
        page = browser.get(ADD)
        youngest = offered_on(page)[0]
        assert youngest.person.full_name in page.content.decode()
        assert youngest.person.iin not in page.content.decode()
        assert browser.post(ADD, {"offered": youngest.token}).url == CONFIRM
        token = token_on(browser.get(CONFIRM))
        save(browser, token=token)
        child = Child.objects.get()
        assert child.iin == youngest.person.iin
        assert [guardian.pk for guardian in child.guardians.all()] == [known_father.pk]
        left = {one.person.iin for one in offered_on(browser.get(ADD))}
        assert left == {one.person.iin for one in offered_on(page)} - {child.iin}

    def test_the_youngest_come_first_and_school_children_not_at_all(self, browser, known_father):
        born = [one.person.birth_date for one in offered_on(browser.get(ADD))]
        assert born == sorted(born, reverse=True)
        oldest = timezone.localdate().year - 7
        assert len(born) == sum(ward.birth_date.year >= oldest for ward in wards_of(MANUAL_PARENT_IIN)) > 0

    @pytest.mark.parametrize("tie", ["no", "unknown", "unasked"])
    def test_nobody_else_is_shown_a_child_that_they_did_not_name(self, browser, father, tie, monkeypatch):
        type(father.profile).objects.filter(user=father).update(phone_tie=tie)
        asked = []

        def find_wards(self, **about):
            asked.append(about)
            return wards_of(MANUAL_PARENT_IIN)

        monkeypatch.setattr(SimulatedRegistry, "find_wards", find_wards)
        page = browser.get(ADD)
        assert offered_on(page) == []
        assert asked == []
        for ward in wards_of(MANUAL_PARENT_IIN):
            assert ward.first_name not in page.content.decode()

    def test_a_registry_that_has_just_not_answered_is_not_waited_for_again(
        self, browser, known_father, monkeypatch
    ):
        asked = []

        def find_wards(self, **about):
            asked.append(about)
            raise RegistryUnavailable

        monkeypatch.setattr(SimulatedRegistry, "find_wards", find_wards)
        page = check(browser, DOWN_IIN)
        assert page.context["registry_down"]
        assert (offered_on(page), asked) == ([], [])

    def test_they_are_looked_up_together(self, known_father, django_assert_num_queries):
        wards = wards_of(MANUAL_PARENT_IIN)
        assert len(wards) > 1
        with django_assert_num_queries(2):
            still_to_add(known_father, wards, today=timezone.localdate())

    def test_a_guardian_without_an_iin_types(self, client_of, db):
        mother = UserFactory(
            profile__iin="",
            profile__document_number=FOREIGN_MOTHER_DOCUMENT,
            profile__document_hash=document_hash(FOREIGN_MOTHER_DOCUMENT),
            profile__phone_tie="yes",
        )
        assert offered_on(client_of(mother).get(ADD)) == []

    def test_the_registry_is_asked_once_in_half_an_hour(self, browser, known_father, monkeypatch):
        asked = []

        def find_wards(self, *, guardian_iin):
            asked.append(guardian_iin)
            return wards_of(guardian_iin)

        monkeypatch.setattr(SimulatedRegistry, "find_wards", find_wards)
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            first = offered_on(browser.get(ADD))
            clock.shift(timedelta(minutes=30) - timedelta(microseconds=1))
            assert offered_on(browser.get(ADD)) == first
            assert len(asked) == 1
            clock.shift(timedelta(microseconds=1))
            browser.get(ADD)
            assert len(asked) == 2

    def test_a_child_that_is_offered_is_no_guess(self, browser, known_father):
        """Whoever has missed five times in the hour still adds the children that the registry names by itself."""
        unknown = UNKNOWN_IINS[0]
        while check(browser, unknown).status_code != 429:
            pass
        shown = offered_on(browser.get(ADD))[0]
        confirm = reverse("children:confirm")
        assert browser.post(ADD, {"offered": shown.token})["Location"] == confirm
        token = browser.get(confirm).context["form"]["token"].value()
        browser.post(confirm, {"save": "1", "token": token})
        assert Child.objects.get().first_name == shown.person.first_name
        assert check(browser, unknown).status_code == 429

    def test_what_is_offered_is_not_in_clear_in_the_session(self, browser, known_father):
        shown = offered_on(browser.get(ADD))[0].person
        content = str(Session.objects.get(pk=browser.session.session_key).get_decoded())
        assert shown.iin not in content
        assert shown.first_name not in content

    def test_without_an_answer_the_iin_is_typed(self, browser, known_father, settings):
        answers = settings.PERSON_REGISTRY
        settings.PERSON_REGISTRY = f"{__name__}.DownRegistry"
        page = browser.get(ADD)
        assert page.status_code == 200
        assert offered_on(page) == []
        assert 'name="iin"' in page.content.decode()
        # It answers again: nobody has to wait for half an hour.
        settings.PERSON_REGISTRY = answers
        assert offered_on(browser.get(ADD)) != []

    @pytest.mark.parametrize("token", ["", "guessed", "x" * 4000, "ә"])
    def test_a_button_that_nobody_offered(self, browser, known_father, token):
        browser.get(ADD)
        assert browser.post(ADD, {"offered": token}).status_code == 200
        assert not Child.objects.exists()

    def test_the_buttons_of_one_parent_are_worth_nothing_to_another(self, browser, known_father, client_of):
        token = offered_on(browser.get(ADD))[0].token
        assert client_of(UserFactory()).post(ADD, {"offered": token}).status_code == 200

    def test_a_child_about_which_an_official_decides_is_not_offered(self, browser, known_father):
        ward = offered_on(browser.get(ADD))[0].person
        own = GuardianshipFactory(user=known_father, child__iin=ward.iin, ended_at=datetime.now(UTC))
        DisputeFactory(guardianship=own)
        assert ward.iin not in {one.person.iin for one in offered_on(browser.get(ADD))}


class TestDoubleClick:
    def test_the_second_press_ends_on_the_same_page(self, browser):
        token = checked(browser)
        first, second = save(browser, token=token), save(browser, token=token)
        assert first.url == second.url == application_of(Child.objects.get())
        assert Guardianship.objects.count() == 1
        assert AuditEntry.objects.filter(action="child_added").count() == 1

    def test_both_presses_at_once(self, browser):
        """The second request read the session before the first one wrote it."""
        token = checked(browser)
        stored = Session.objects.get(pk=browser.session.session_key).session_data
        first = save(browser, token=token)
        Session.objects.update(session_data=stored)
        assert save(browser, token=token).url == first.url
        assert Guardianship.objects.count() == 1


class TestStrangers:
    def test_404_for_somebody_elses_child_and_for_none(self, browser, client_of):
        child = GuardianshipFactory().child
        for client in (browser, client_of(UserFactory())):
            assert client.get(reverse("children:child", args=[child.pk])).status_code == 404
            assert client.get(reverse("children:child", args=[uuid4()])).status_code == 404
            assert child.last_name not in client.get(LIST).content.decode()

    def test_404_when_guardianship_has_ended(self, browser, father):
        guardianship = GuardianshipFactory(user=father)
        address = reverse("children:child", args=[guardianship.child.pk])
        assert browser.get(address).status_code == 200
        Guardianship.objects.update(ended_at=datetime.now(UTC))
        assert browser.get(address).status_code == 404

    def test_a_visitor_is_sent_to_sign_in(self, db):
        for address in (LIST, ADD, CONFIRM, reverse("children:child", args=[uuid4()])):
            assert Client().get(address).url.startswith(reverse("accounts:login"))
        assert Client().post(ADD, {"iin": MANUAL_CHILD_IIN}).url.startswith(reverse("accounts:login"))

    def test_an_employee_without_a_profile_is_told_so(self, client_of, db):
        client = client_of(StaffFactory())
        for address in (LIST, ADD, CONFIRM, reverse("children:child", args=[uuid4()])):
            assert client.get(address).status_code == 403

    def test_a_forged_post_is_refused(self, father):
        client = Client(enforce_csrf_checks=True)
        client.force_login(father, backend="django.contrib.auth.backends.ModelBackend")
        assert client.post(ADD, {"iin": MANUAL_CHILD_IIN}).status_code == 403

    def test_lists_are_not_written_to(self, browser):
        assert browser.post(LIST).status_code == 405


def test_the_second_guardian_sees_the_same_child(browser, client_of):
    mother = client_of(UserFactory(profile__iin=MOTHER_IIN))
    first = save(browser, token=checked(browser)).url
    assert save(mother, token=checked(mother)).url == first
    assert mother.get(first).status_code == browser.get(first).status_code == 200


def test_the_list_costs_the_same_few_queries_however_many_children(
    browser, father, django_assert_max_num_queries
):
    for _ in range(8):
        GuardianshipFactory(user=father)
    with django_assert_max_num_queries(9):
        assert browser.get(LIST).status_code == 200
