"""What the registry says of a parent is kept up to date; a new document is entered by its owner and proven by it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from accounts import registry_data, tasks
from accounts.crypto import keyed_hash
from accounts.identity import document_hash
from accounts.journal_actions import Action
from accounts.registry import Person, PersonNotFound, RegistryUnavailable
from accounts.registry.simulated_people import MANUAL_CHILD_IIN, MANUAL_PARENT_IIN
from accounts.registry.simulator import SimulatedRegistry
from accounts.registry_data import (
    FRESH_FOR,
    NotYourDocument,
    Refreshed,
    SameDocument,
    refresh_person,
    renew_document,
)
from children.models import Guardianship
from children.services import DocumentUnknown, recheck_guardianship
from notifications.models import Message, Notice
from tests.factories import GuardianshipFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2019, 6, 26, 10, 20, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FATHER = Person(MANUAL_PARENT_IIN, "N15036421", "КАМЕНОВ", "ЕРМЕК", "АХМЕТОВИЧ", date(1994, 2, 25), "m")
FOREIGNER = Person("", "AC2147093", "КАРИМОВА", "НИЛУФАР", "", date(1993, 11, 2), "f")


class Registry(SimulatedRegistry):
    """Knows the people given, and the children of whoever has one of their documents."""

    people: tuple[Person, ...] = ()
    wards: tuple[Person, ...] = ()
    is_down = False
    asked = 0

    def find_person(self, *, iin="", document_number=""):
        Registry.asked += 1
        if Registry.is_down:
            raise RegistryUnavailable("down")
        for person in Registry.people:
            if (iin and person.iin == iin) or (document_number and person.document_number == document_number):
                return person
        raise PersonNotFound

    def find_ward(self, *, guardian_iin="", guardian_document="", child_iin):
        self.find_person(iin=guardian_iin, document_number=guardian_document)
        for ward in Registry.wards:
            if ward.iin == child_iin:
                return ward
        raise PersonNotFound


@pytest.fixture(autouse=True)
def registry(monkeypatch, settings):
    settings.PERSON_REGISTRY = f"{__name__}.Registry"
    for name, value in {"people": (FATHER, FOREIGNER), "wards": (), "is_down": False, "asked": 0}.items():
        monkeypatch.setattr(Registry, name, value)
    return Registry


def account(person, **fields):
    """A parent's account as it was made when the registry said this."""
    return UserFactory(
        profile__iin=person.iin,
        profile__iin_hash=keyed_hash("iin", person.iin) if person.iin else None,
        profile__document_number=person.document_number,
        profile__document_hash=document_hash(person.document_number),
        profile__last_name=person.last_name,
        profile__first_name=person.first_name,
        profile__middle_name=person.middle_name,
        profile__birth_date=person.birth_date,
        profile__sex=person.sex,
        **fields,
    )


@pytest.fixture
def father(db):
    return account(replace(FATHER, last_name="БҰРЫНҒЫ", document_number="N1000001"))


@pytest.fixture
def foreigner(db):
    return account(FOREIGNER)


def profile_of(user):
    user.profile.refresh_from_db()
    return user.profile


class TestRefreshing:
    def test_takes_over_a_new_name_and_document_and_says_so_once(self, father):
        assert refresh_person(father, now=NOW) is Refreshed.CHANGED
        profile = profile_of(father)
        assert (profile.last_name, profile.document_number) == ("КАМЕНОВ", "N15036421")
        assert profile.document_hash == document_hash("N15036421")
        assert refresh_person(father, now=NOW + FRESH_FOR) is Refreshed.SAME
        assert father.journal.filter(action=Action.REGISTRY_DATA_CHANGED).count() == 1
        assert Notice.objects.filter(recipient=father, kind="registry_data_changed").count() == 1

    def test_loses_nothing_to_an_answer_that_lacks_it_or_to_none(self, father, registry):
        registry.people = (replace(FATHER, document_number=""),)
        refresh_person(father, now=NOW)
        assert profile_of(father).document_number == "N1000001"
        registry.is_down = True
        assert refresh_person(father, now=NOW + FRESH_FOR) is Refreshed.UNANSWERED
        assert profile_of(father).registry_asked_at == NOW
        registry.is_down, registry.people = False, ()
        assert refresh_person(father, now=NOW + FRESH_FOR) is Refreshed.NOT_FOUND
        assert profile_of(father).last_name == "КАМЕНОВ"

    def test_an_iin_that_came_later_is_taken_over_unless_another_account_holds_it(self, foreigner, registry):
        registry.people = (replace(FOREIGNER, iin=MANUAL_PARENT_IIN),)
        other = account(FATHER)
        assert refresh_person(foreigner, now=NOW) is Refreshed.CONTRADICTS
        assert profile_of(foreigner).iin == ""
        other.profile.delete()
        assert refresh_person(foreigner, now=NOW) is Refreshed.CHANGED
        assert profile_of(foreigner).iin_hash == keyed_hash("iin", MANUAL_PARENT_IIN)

    def test_a_sign_in_asks_a_worker_once_a_month_and_never_the_registry(
        self, father, client, clock, monkeypatch, django_capture_on_commit_callbacks, registry
    ):
        woken = []
        monkeypatch.setattr(
            "notifications.broker._wake", lambda task, *args, priority=None: woken.append((task, args))
        )
        registry.is_down = True

        def sign_in():
            woken.clear()
            with django_capture_on_commit_callbacks(execute=True):
                answer = client.post(
                    reverse("accounts:login"), {"phone": father.username, "password": "parent-pass-1"}
                )
            assert answer.status_code == 302
            client.post(reverse("accounts:logout"))
            return [args for task, args in woken if task == "accounts.tasks.refresh_person"]

        assert sign_in() == [(str(father.pk),)]
        assert registry.asked == 0
        tasks.refresh_person(str(father.pk))
        assert registry.asked == 1
        assert sign_in() != []
        registry.is_down = False
        tasks.refresh_person(str(father.pk))
        asked_at = profile_of(father).registry_asked_at
        clock.move_to(asked_at + FRESH_FOR - MICROSECOND)
        assert sign_in() == []
        # A second worker, or a task that came twice, asks nothing.
        before = registry.asked
        tasks.refresh_person(str(father.pk))
        assert registry.asked == before
        clock.move_to(asked_at + FRESH_FOR)
        assert sign_in() != []


class TestANewDocument:
    def test_of_a_foreigner_keeps_the_child(self, foreigner, registry):
        child = Person(MANUAL_CHILD_IIN, "", "КАРИМОВ", "АМИР", "", date(2016, 2, 3), "m")
        guardianship = GuardianshipFactory(user=foreigner, child__iin=MANUAL_CHILD_IIN)
        registry.people, registry.wards = (replace(FOREIGNER, document_number="AD7000001"),), (child,)
        # The old passport is known no longer: nothing is ended, and she is told once what to do.
        for _ in range(2):
            with pytest.raises(DocumentUnknown):
                recheck_guardianship(guardianship, now=NOW)
        assert Guardianship.objects.get().ended_at is None
        assert Message.objects.filter(recipient=foreigner, kind="document_unknown").count() == 1
        renew_document(foreigner, "AD7000001", address=None, now=NOW)
        present = Guardianship.objects.get()
        assert recheck_guardianship(present, now=NOW)
        assert foreigner.journal.filter(action=Action.DOCUMENT_RENEWED).exists()
        assert Message.objects.filter(recipient=foreigner, kind="document_renewed").exists()
        # Whom the registry knows, and not as this child's guardian, is one no longer.
        registry.wards = ()
        assert not recheck_guardianship(present, now=NOW)

    @pytest.mark.parametrize(
        "other",
        [
            {"first_name": "ДИЛФУЗА"},
            {"birth_date": date(1993, 11, 3)},
            {"sex": "m"},
        ],
    )
    def test_that_is_somebody_elses_is_refused(self, foreigner, registry, other):
        registry.people = (FOREIGNER, replace(FOREIGNER, document_number="AD7000001", **other))
        with pytest.raises(NotYourDocument):
            renew_document(foreigner, "AD7000001", address=None, now=NOW)
        assert profile_of(foreigner).document_number == FOREIGNER.document_number

    def test_of_an_account_with_an_iin_goes_by_the_iin_alone(self, father, registry):
        registry.people = (replace(FATHER, iin="", document_number="N2"), FATHER)
        with pytest.raises(NotYourDocument):
            renew_document(father, "N2", address=None, now=NOW)
        assert renew_document(father, "N15036421", address=None, now=NOW).last_name == "КАМЕНОВ"
        # Nothing is new about it a second time.
        with pytest.raises(SameDocument):
            renew_document(father, "N15036421", address=None, now=NOW)
        assert father.journal.filter(action=Action.DOCUMENT_RENEWED).count() == 1

    def test_that_another_account_holds_is_refused_in_the_same_words(self, foreigner, registry):
        namesake = account(replace(FOREIGNER, document_number="AD7000001"))
        registry.people = (FOREIGNER, replace(FOREIGNER, document_number="AD7000001"))
        with pytest.raises(NotYourDocument):
            renew_document(foreigner, "AD7000001", address=None, now=NOW)
        assert profile_of(namesake).document_number == "AD7000001"

    def test_nor_while_the_hashes_are_brought_under_a_new_key(self, foreigner, registry, settings):
        """The other account's row is still under the key of before, so no unique column sees the two."""
        account(replace(FOREIGNER, document_number="AD7000001"))
        registry.people = (FOREIGNER, replace(FOREIGNER, document_number="AD7000001"))
        settings.IIN_HASH_KEY_OLD, settings.IIN_HASH_KEY = settings.IIN_HASH_KEY, "another-key-for-hashes"
        with pytest.raises(NotYourDocument):
            renew_document(foreigner, "AD7000001", address=None, now=NOW)
        assert profile_of(foreigner).document_number == FOREIGNER.document_number

    def test_the_page_asks_for_the_password_and_counts_misses(self, foreigner, registry, client_of):
        browser, address = client_of(foreigner), reverse("accounts:document")
        registry.people = (replace(FOREIGNER, document_number="AD7000001"),)
        answer = browser.post(address, {"number": "ad 700 0001", "password": "wrong"})
        assert answer.status_code == 200
        assert profile_of(foreigner).document_number == FOREIGNER.document_number
        for typed in ("AD7000009", "AD7000009"):
            answer = browser.post(address, {"number": typed, "password": "parent-pass-1"})
            assert "танымайды" in answer.content.decode()
        answer = browser.post(address, {"number": "аd 700 0001", "password": "parent-pass-1"})
        assert answer.url == reverse("accounts:profile")
        assert profile_of(foreigner).document_number == "AD7000001"


def test_a_document_entered_while_the_registry_answered_about_the_old_one_stays(
    foreigner, registry, monkeypatch
):
    """The answer is about a document that is hers no longer."""
    registry.people = (FOREIGNER, replace(FOREIGNER, document_number="AD7000001"))
    find = registry.find_person

    def slowly(self, **asked):
        person = find(self, **asked)
        if asked.get("document_number") == FOREIGNER.document_number:
            monkeypatch.setattr(Registry, "find_person", find)
            renew_document(foreigner, "AD7000001", address=None, now=NOW)
        return person

    monkeypatch.setattr(Registry, "find_person", slowly)
    assert refresh_person(foreigner, now=NOW) is Refreshed.SAME
    assert profile_of(foreigner).document_number == "AD7000001"
    assert not registry_data.is_due(profile_of(foreigner), now=NOW)
