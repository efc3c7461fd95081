"""A move by document leaves nothing open to whoever had the account before: no way in, and no say in how it is told.

Two tables name every column and every model that could: what is new is classified here before the suite is green.
"""

import re
from datetime import UTC, datetime, time

import pytest
from django.apps import apps
from django.contrib.auth import SESSION_KEY, get_user
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Profile, RecoveryCode, User
from accounts.numbers import moves
from accounts.numbers.moves import Kind, Proof
from applications.calendar_address import address_of, make_address
from notifications.models import PushSubscription
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NEW, SECOND_PHONE = "+77017770001", "+77017770002"

# What the former holder may have put there, and what it is afterwards.
PUT: dict[str, tuple[object, object]] = {
    "User.email": ("former@example.kz", ""),
    "User.mails_notices": (True, False),
    "User.telegram": ("12345", ""),
    "User.chosen_ways": ({"places": ["email"]}, {}),
    "User.second_phone_if_lost": (True, False),
    "User.quiet_from": (time(20), None),
    "User.quiet_to": (time(12), None),
    "Profile.second_phone": (SECOND_PHONE, ""),
    "Profile.second_phone_proven_at": (NOW, None),
}
# The move itself sets these.
MOVED = {"User.password", "User.username", "User.phone", "User.phone_proven_at", "Profile.phone_tie"}
# They open nothing and lead nowhere: who the person is, what the account is, and how it looks.
STAY = {
    "User.id", "User.last_login", "User.is_superuser", "User.language", "User.is_staff", "User.is_active",
    "User.date_joined", "User.staff_iin_hash", "User.kept_iin", "User.leaving_since", "User.forgotten_at",
    "Profile.id", "Profile.user", "Profile.iin", "Profile.iin_hash", "Profile.document_number",
    "Profile.document_hash", "Profile.last_name", "Profile.first_name", "Profile.middle_name",
    "Profile.birth_date", "Profile.sex", "Profile.photo", "Profile.is_typed", "Profile.registry_asked_at",
    "Profile.address",
}  # fmt: skip

# Models of one user with a column that looks like a secret: those that open something, and why the others don't.
OPEN = {
    "accounts.Session", "accounts.RecoveryCode", "otp_totp.TOTPDevice", "applications.CalendarAddress",
    "notifications.PushSubscription",
}  # fmt: skip
OPEN_NOTHING = {
    "applications.CityExport": "its keys are those of whoever receives the city",
    "applications.Complaint": "its hash finds what a visitor's phone, which each time a code proves, has sent",
    "applications.FormerRow": "its hashes find what a former queue said of a child",
    "children.GuardianClaim": "its hash finds the child that it is about",
    "accounts.FirstSignIn": "its code is good with the login of the paper alone, which the move replaces",
    "accounts.NumberMove": "it is the move, and forgets its password when it is done",
    "accounts.Profile": "it has a table of its own above",
    "accounts.StaffLink": "it is an employee's, for the workplace",
}
_SECRET = re.compile(r"digest|hash|key|secret|token|password|(^|_)(stamp|code)")


@pytest.fixture
def owner():
    return UserFactory(profile__second_phone="")


@pytest.fixture
def move_by_document(owner):
    def move():
        asked = moves.ask(
            owner,
            kind=Kind.ASSISTED,
            proof=Proof.DOCUMENT,
            new_phone=NEW,
            asked_by=None,
            address=None,
            now=NOW,
        )
        moves.perform(asked, by=UserFactory(), reason="Құжат", address=None, now=NOW)
        assert asked.__class__.objects.get(pk=asked.pk).done_at

    return move


def columns(row, name):
    return row if name.startswith("User.") else row.profile


def test_every_column_of_a_person_is_classified():
    known = {
        f"{model.__name__}.{one.name}" for model in (User, Profile) for one in model._meta.concrete_fields
    }
    assert known == {*PUT, *MOVED, *STAY}


def test_every_model_with_a_secret_is_classified():
    found = set()
    for model in apps.get_models():
        fields = model._meta.concrete_fields
        if any(one.remote_field and one.remote_field.model is User for one in fields) and any(
            _SECRET.search(one.name) for one in fields if one.name != "dedupe_key"
        ):
            found.add(model._meta.label)
    assert found == {*OPEN, *OPEN_NOTHING}


@pytest.mark.parametrize("name", PUT)
def test_what_was_put_there_is_gone(name, owner, move_by_document):
    for each, (before, _after) in PUT.items():
        setattr(columns(owner, each), each.partition(".")[2], before)
    owner.save()
    owner.profile.save()
    move_by_document()
    after = getattr(columns(User.objects.get(pk=owner.pk), name), name.partition(".")[2])
    assert after == PUT[name][1]


class TestNothingStaysOpen:
    def test_sessions(self, owner, client, move_by_document):
        client.force_login(owner)
        request = HttpRequest()
        request.session = client.session
        assert SESSION_KEY in request.session
        assert get_user(request) == owner
        move_by_document()
        assert get_user(request).is_anonymous

    def test_codes_and_app(self, owner, move_by_document):
        RecoveryCode.objects.create(user=owner, code_digest="x", code_hash="x", made_at=NOW)
        TOTPDevice.objects.create(user=owner, name="app", confirmed=True)
        move_by_document()
        assert not RecoveryCode.objects.filter(user=owner).exists()
        assert not TOTPDevice.objects.filter(user=owner).exists()

    def test_the_screens_of_devices(self, owner, move_by_document):
        PushSubscription.objects.create(recipient=owner, stamp=owner.get_session_auth_hash(), created_at=NOW)
        assert owner.has_push_device
        move_by_document()
        assert not PushSubscription.objects.filter(recipient=owner).exists()

    def test_the_address_of_a_calendar(self, owner, move_by_document):
        secret = make_address(owner, address=None, now=NOW)
        assert address_of(secret) is not None
        move_by_document()
        assert address_of(secret) is None
