"""New keys while the portal runs: broken off, gone on with, and found under both hashes meanwhile."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import first_sign_in, rotation, second_way, services
from accounts.models import FirstSignIn, Profile, User
from accounts.registry import Person
from children.access import is_own_child
from children.models import Child
from children.services import add_child
from notifications.clock import read_clock
from notifications.models import Message
from notifications.services import enqueue
from tests.factories import (
    ChildFactory,
    GuardianshipFactory,
    ProfileFactory,
    StaffFactory,
    UserFactory,
    nth_iin,
)

pytestmark = pytest.mark.django_db

NEW_KEY, NEW_HASH_KEY = Fernet.generate_key().decode(), "another-hash-key-of-forty-signs-or-more-0001"


@pytest.fixture
def city():
    """Rows of every kind, under the keys of before."""
    ProfileFactory(iin="", document_number="N1234567", iin_hash=None, document_hash="d" * 64)
    ProfileFactory.create_batch(5)
    ChildFactory.create_batch(5)
    employee = StaffFactory()
    services.enter_staff_iin(employee, nth_iin(3), actor=employee, address=None, now=read_clock())
    enqueue(UserFactory(), "password_changed", context={}, dedupe_key="x", now=read_clock())


@pytest.fixture
def new_keys(city, settings):
    """The new keys go first, those of before still read and are searched."""
    settings.IIN_KEYS = [NEW_KEY, *settings.IIN_KEYS]
    settings.IIN_HASH_KEY, settings.IIN_HASH_KEY_OLD = NEW_HASH_KEY, settings.IIN_HASH_KEY


def rotate(**options):
    said = io.StringIO()
    call_command("rotate_iin_keys", pause=0, stdout=said, **options)
    return said.getvalue()


def every_text():
    return sorted(
        [
            *Profile.objects.values_list("iin", flat=True),
            *Profile.objects.values_list("document_number", flat=True),
            *Child.objects.values_list("iin", flat=True),
            *User.objects.values_list("kept_iin", flat=True),
            *Message.objects.values_list("text", flat=True),
        ]
    )


def test_broken_off_and_gone_on_with_until_the_keys_of_before_can_go(new_keys, settings, monkeypatch):
    before = every_text()
    with pytest.raises(CommandError, match="under a key of before"):
        rotate(check=True)
    real = rotation._write
    written: list[str] = []

    def breaks_off(column, changes):
        if column.label == "accounts.Profile.iin":
            if len(written) == 3:
                raise KeyboardInterrupt
            written.extend(changes.keys)
        real(column, changes)

    monkeypatch.setattr(rotation, "_write", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        rotate(portion=1)
    monkeypatch.undo()
    with pytest.raises(CommandError):
        rotate(check=True)
    assert "accounts.Profile.iin: 6 rows, 3 changed" in rotate(portion=2)
    assert "6 rows, 0 changed" in rotate()
    assert "Everything is under the first keys" in rotate(check=True)

    settings.IIN_KEYS, settings.IIN_HASH_KEY_OLD = [NEW_KEY], ""
    assert every_text() == before
    child, profile = Child.objects.first(), Profile.objects.exclude(iin="").first()
    assert Child.objects.get(iin_hash=services.iin_hash(child.iin)) == child
    assert Profile.objects.get(iin_hash=services.iin_hash(profile.iin)) == profile
    assert User.objects.get(staff_iin_hash=services.iin_hash(nth_iin(3))).is_staff


def same_person(row):
    """What the registry says of somebody who is stored already."""
    return Person(
        iin=row.iin,
        document_number="",
        last_name="Б",
        first_name="Б",
        middle_name="",
        birth_date=row.birth_date,
        sex="f",
    )


def test_both_hashes_are_searched_until_it_is_done(new_keys, monkeypatch):
    known = Profile.objects.exclude(iin="").first()
    person = same_person(known)
    with pytest.raises(services.IdentityTaken):
        services.register(
            phone="+77059990011",
            password_hash="!",
            person=person,
            consent=services.Consent("1", read_clock()),
            language="kk",
            address=None,
            now=read_clock(),
        )
    # A child that was added under the key of before is the same child.
    child, parent = Child.objects.first(), UserFactory()
    GuardianshipFactory(child=child)
    ward = same_person(child)
    monkeypatch.setattr("children.services.ask_registry", lambda _user, iin: ward)
    assert add_child(parent, iin=child.iin, now=read_clock()) == child
    # An employee entered under the new key is still the guardian entered under that of before.
    employee, guardian = StaffFactory(), GuardianshipFactory(child=child, user=known.user)
    services.enter_staff_iin(employee, known.iin, actor=employee, address=None, now=read_clock())
    assert employee.staff_iin_hash != known.iin_hash
    assert is_own_child(employee, guardian.child)
    assert employee.is_same_person(known.user)


def test_codes_on_paper_outlive_the_keys(settings):
    """Recovery codes have no end, and a paper of a first sign-in may lie on the way for ten days."""
    now, address = read_clock(), None
    owner = UserFactory(phone=None, username="912345678")
    codes = second_way.renew_codes(owner, address=address, now=now)
    first = FirstSignIn.objects.create(user=owner, registered_at=now, asked_at=now)
    paper = first_sign_in.issue_code(first, actor=StaffFactory(), address=address, now=now)

    def opens(code):
        used = second_way.try_code("number", owner, code, now=now)
        return used and first_sign_in.owner_of_paper(owner.username, paper, now=now) == owner

    settings.IIN_KEYS = [NEW_KEY, *settings.IIN_KEYS]
    settings.IIN_HASH_KEY, settings.IIN_HASH_KEY_OLD = NEW_HASH_KEY, settings.IIN_HASH_KEY
    assert opens(codes[0])
    rotate()
    settings.IIN_KEYS, settings.IIN_HASH_KEY_OLD = [NEW_KEY], ""
    assert opens(codes[1])
    assert not opens(codes[0])


def test_what_somebody_writes_meanwhile_is_kept(new_keys, monkeypatch):
    real = rotation._write
    changed = Profile.objects.exclude(iin="").first()

    def late(column, changes):
        if column.label == "accounts.Profile.iin":
            changed.iin = nth_iin(4242)
            changed.save(update_fields=["iin"])
        real(column, changes)

    monkeypatch.setattr(rotation, "_write", late)
    rotate()
    assert Profile.objects.get(pk=changed.pk).iin == nth_iin(4242)


def test_what_no_key_reads_is_named_and_left(city, settings):
    settings.IIN_KEYS = [NEW_KEY]
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(iin) FROM children_child")
        before = cursor.fetchone()
    with pytest.raises(CommandError, match=r"children.Child.iin: 5 rows that no key"):
        rotate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(iin) FROM children_child")
        assert cursor.fetchone() == before


def test_an_employee_of_whom_only_the_hash_was_kept_is_named(city):
    StaffFactory(staff_iin_hash="a" * 64)
    with pytest.raises(CommandError, match="1 employees whose IIN must be entered again"):
        rotate()
