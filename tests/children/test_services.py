"""Adding a child: on the registry's word only, once per family, one row per child."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.http import Http404
from django.utils import timezone

from accounts.crypto import keyed_hash
from accounts.models import AuditEntry
from accounts.registry import RegistryUnavailable
from accounts.registry.simulated_people import (
    FOREIGN_MOTHER_DOCUMENT,
    MANUAL_CHILD_IIN,
    MANUAL_PARENT_IIN,
    UNAVAILABLE_IINS,
    UNKNOWN_IINS,
    everyone,
)
from children.access import child_for, children_of, guardians_of
from children.disputes import stoppable
from children.journal_actions import Action
from children.models import Child, Guardianship
from children.services import ChildAlreadyAdded, ChildRefused, add_child, find_child, recheck_guardianship
from notifications.models import Message, Notice
from tests.factories import ChildFactory, GuardianshipFactory, UserFactory

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MOTHER_IIN = next(
    entry.person.iin
    for entry in everyone(today=NOW.date())
    if entry.person.iin != MANUAL_PARENT_IIN and any(ward.iin == MANUAL_CHILD_IIN for ward in entry.wards)
)
DOWN_CHILD_IIN = UNAVAILABLE_IINS[1]


@pytest.fixture
def father(db):
    return UserFactory(profile__iin=MANUAL_PARENT_IIN)


@pytest.fixture
def mother(db):
    return UserFactory(profile__iin=MOTHER_IIN)


def test_the_child_is_as_the_registry_says(father):
    child = add_child(father, iin=MANUAL_CHILD_IIN, nationality="kazakh", now=NOW)
    child.refresh_from_db()
    assert child.full_name == "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА"
    assert (str(child.birth_date), child.sex, child.nationality) == ("2017-07-20", "f", "kazakh")
    assert (child.iin, child.iin_hash) == (MANUAL_CHILD_IIN, keyed_hash("iin", MANUAL_CHILD_IIN))
    guardianship = child.guardianships.get()
    assert (guardianship.user, guardianship.source, guardianship.verified_at) == (father, "registry", NOW)


def test_the_iin_is_not_in_the_database_in_clear(father):
    child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT iin FROM children_child WHERE id = %s", [child.pk])
        assert MANUAL_CHILD_IIN not in cursor.fetchone()[0]


def test_it_enters_the_parents_journal_without_the_iin(father):
    add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
    entry = AuditEntry.objects.get(action=Action.CHILD_ADDED)
    assert (entry.actor, entry.subject, entry.at) == (father, father, NOW)
    assert entry.target == "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА"


@pytest.mark.parametrize("iin", [UNKNOWN_IINS[0], MANUAL_PARENT_IIN])
def test_unknown_and_not_a_ward_are_refused_in_the_same_words(father, iin):
    with pytest.raises(ChildRefused) as refused:
        add_child(father, iin=iin, now=NOW)
    stranger = UserFactory()
    with pytest.raises(ChildRefused) as not_mine:
        add_child(stranger, iin=MANUAL_CHILD_IIN, now=NOW)
    assert str(refused.value) == str(not_mine.value)
    assert not Child.objects.exists()


def test_a_childs_presence_on_the_portal_changes_nothing_for_a_stranger(father):
    add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
    with pytest.raises(ChildRefused) as refused:
        find_child(UserFactory(), iin=MANUAL_CHILD_IIN)
    assert type(refused.value) is ChildRefused


def test_registry_down(father):
    with pytest.raises(RegistryUnavailable):
        add_child(father, iin=DOWN_CHILD_IIN, now=NOW)
    assert not Child.objects.exists()


def test_a_mother_with_a_document_and_no_iin(db):
    mother = UserFactory(
        profile__iin="", profile__document_number=FOREIGN_MOTHER_DOCUMENT, profile__document_hash="d" * 64
    )
    ward = next(
        entry.wards[0]
        for entry in everyone(today=timezone.localdate())
        if entry.person.document_number == FOREIGN_MOTHER_DOCUMENT
    )
    assert add_child(mother, iin=ward.iin, now=NOW).first_name == ward.first_name


@pytest.mark.parametrize("ask", [add_child, find_child])
def test_the_same_child_twice(father, ask):
    child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
    with pytest.raises(ChildAlreadyAdded) as already:
        ask(father, iin=MANUAL_CHILD_IIN, **({"now": NOW} if ask is add_child else {}))
    assert already.value.child == child
    assert AuditEntry.objects.filter(action=Action.CHILD_ADDED).count() == 1


def test_the_second_guardian_joins_the_same_child(father, mother):
    first = add_child(father, iin=MANUAL_CHILD_IIN, nationality="kazakh", now=NOW)
    second = add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW + timedelta(days=1))
    assert second == first
    assert Child.objects.get().nationality == "kazakh"
    assert guardians_of(first) == [father, mother]
    assert list(children_of(mother)) == [first]


def test_a_name_that_changed_in_the_registry_is_brought_up_to_date(mother):
    ChildFactory(iin=MANUAL_CHILD_IIN, last_name="БҰРЫНҒЫ")
    assert add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW).last_name == "КАМЕНОВА"


class TestTheOthersAreTold:
    """Nobody is added as a guardian without the child's present guardians being told."""

    def test_by_inbox_sms_and_journal_with_the_name_masked(self, father, mother):
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        mother.profile.last_name, mother.profile.first_name = "САТЫБАЛДИЕВА", "ЖІБЕК"
        add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW + timedelta(days=1))
        notice, sms = Notice.objects.get(recipient=father), Message.objects.get(recipient=father)
        assert notice.kind == "guardian_added"
        assert "С••••• Ж." in notice.text_kk
        assert "С••••• Ж." in notice.text_ru
        for hidden in (mother.profile.last_name, mother.profile.first_name, mother.profile.iin):
            assert hidden not in notice.text_kk + notice.text_ru + sms.text
        assert (sms.recipient, sms.phone) == (father, father.phone)
        entry = father.journal.get(action=Action.GUARDIAN_ADDED)
        assert (entry.actor, entry.target) == (mother, child.full_name)
        assert not mother.journal.filter(action=Action.GUARDIAN_ADDED).exists()

    def test_every_one_of_them(self, father, mother):
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        grandmother = GuardianshipFactory(child=child).user
        add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW)
        told = Notice.objects.filter(kind="guardian_added")
        assert {notice.recipient for notice in told} == {father, grandmother}
        assert Message.objects.filter(kind="guardian_added").count() == 2

    def test_and_who_comes_later_that_they_are_there(self, father, mother):
        """By initials, by SMS as well, and where «Stop» is: it may be the first who is the stranger."""
        mother.profile.phone_tie = "yes"
        mother.profile.save()
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        father.profile.last_name, father.profile.first_name = "ОМАРОВ", "ТІМУР"
        father.profile.save()
        GuardianshipFactory(child=child, ended_at=NOW)
        add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW)
        notice = Notice.objects.get(recipient=mother)
        assert (notice.kind, notice.link) == ("guardians_before", "/stop/")
        assert "О••••• Т." in notice.text_kk
        assert "«Стоп»" in notice.text_ru
        sms = Message.objects.get(recipient=mother)
        for hidden in ("ОМАРОВ", "ТІМУР", father.profile.iin):
            assert hidden not in notice.text_kk + notice.text_ru + sms.text

    @pytest.mark.parametrize(
        ("of_mother", "of_father", "may_stop"),
        [("yes", "", True), ("yes", "no", True), ("yes", "yes", False), ("", "", False), ("no", "", False)],
    )
    def test_stop_is_promised_to_whom_it_is_open(self, father, mother, of_mother, of_father, may_stop):
        """Who came later may stop who was there only if the state knows the own phone, and not the other's."""
        for user, tie in ((mother, of_mother), (father, of_father)):
            user.profile.phone_tie = tie
            user.profile.save()
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW)
        assert stoppable(mother, now=NOW).filter(child=child).exists() == may_stop
        notice, sms = Notice.objects.get(recipient=mother), Message.objects.get(recipient=mother)
        for text in (notice.text_kk, sms.text):
            assert ("«Тоқтату»" in text) == may_stop
            assert may_stop or settings.CONTACT_PHONES[0] in text
        assert ("«Стоп»" in notice.text_ru) == may_stop
        assert "«Тоқтату»" in Message.objects.get(recipient=father).text

    def test_nobody_else(self, father, mother):
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        GuardianshipFactory(child=child, ended_at=NOW)
        GuardianshipFactory()
        add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW)
        assert Notice.objects.get(kind="guardian_added").recipient == father

    def test_also_when_somebody_comes_back(self, father, mother):
        add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW)
        Guardianship.objects.filter(user=mother).update(ended_at=NOW)
        add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW)
        assert Notice.objects.filter(recipient=father).count() == 2

    def test_the_first_guardian_and_a_second_press_tell_nobody(self, father):
        add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        with pytest.raises(ChildAlreadyAdded):
            add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        assert not Notice.objects.exists()
        assert not Message.objects.exists()


class TestAccess:
    def test_only_a_guardian_finds_the_child(self, father, mother):
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        assert child_for(father, child.pk) == child
        with pytest.raises(Http404):
            child_for(mother, child.pk)

    def test_a_guardian_of_yesterday_does_not(self, father):
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        Guardianship.objects.update(ended_at=NOW)
        assert not children_of(father).exists()
        assert guardians_of(child) == []

    def test_another_childs_live_guardianship_does_not_help(self, father):
        ended = GuardianshipFactory(user=father, ended_at=NOW).child
        live = GuardianshipFactory(user=father).child
        GuardianshipFactory(child=ended)
        assert list(children_of(father)) == [live]

    def test_who_ceased_and_became_guardian_again_sees_the_child_once(self, father):
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        Guardianship.objects.update(ended_at=NOW)
        add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        assert list(children_of(father)) == [child]
        assert guardians_of(child) == [father]

    def test_closed_accounts_are_told_nothing(self, father, mother):
        child = add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        add_child(mother, iin=MANUAL_CHILD_IIN, now=NOW)
        mother.is_active = False
        mother.save()
        assert guardians_of(child) == [father]


class TestRecheck:
    def test_what_the_registry_confirms_holds(self, father):
        add_child(father, iin=MANUAL_CHILD_IIN, now=NOW)
        guardianship = Guardianship.objects.get()
        assert recheck_guardianship(guardianship, now=NOW + timedelta(days=1))
        guardianship.refresh_from_db()
        assert (guardianship.ended_at, guardianship.verified_at) == (None, NOW + timedelta(days=1))

    def test_a_name_that_changed_is_brought_up_to_date(self, father):
        child = GuardianshipFactory(
            user=father, child__iin=MANUAL_CHILD_IIN, child__last_name="БҰРЫНҒЫ"
        ).child
        recheck_guardianship(Guardianship.objects.get(), now=NOW, dry_run=True)
        child.refresh_from_db()
        assert child.last_name == "БҰРЫНҒЫ"
        recheck_guardianship(Guardianship.objects.get(), now=NOW)
        child.refresh_from_db()
        assert child.last_name == "КАМЕНОВА"

    def test_what_it_no_longer_confirms_ends(self, db):
        guardianship = GuardianshipFactory(child__iin=MANUAL_CHILD_IIN)
        assert not recheck_guardianship(guardianship, now=NOW, dry_run=True)
        guardianship.refresh_from_db()
        assert guardianship.ended_at is None
        assert not recheck_guardianship(guardianship, now=NOW)
        guardianship.refresh_from_db()
        assert guardianship.ended_at == NOW

    def test_what_an_official_confirmed_is_not_the_registrys_to_end(self, db):
        guardianship = GuardianshipFactory(source=Guardianship.Source.OFFICIAL)
        assert recheck_guardianship(guardianship, now=NOW)

    def test_nothing_ends_while_the_registry_is_down(self, father):
        guardianship = GuardianshipFactory(user=father, child__iin=DOWN_CHILD_IIN)
        with pytest.raises(RegistryUnavailable):
            recheck_guardianship(guardianship, now=NOW)
        guardianship.refresh_from_db()
        assert guardianship.ended_at is None
