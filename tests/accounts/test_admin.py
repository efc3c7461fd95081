"""What employees see of people: masks, and nothing to change but blocking and groups."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction

from accounts import audit
from accounts.journal_actions import Action
from accounts.models import AuditEntry, PolicyConsent, SmsCode
from tests.factories import StaffFactory, UserFactory

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
LISTS = ["user", "profile", "auditentry", "smscode", "policyconsent"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(settings, client_of):
    settings.STAFF_SECOND_FACTOR = False
    return client_of(StaffFactory.create(username="root", is_superuser=True))


@pytest.fixture
def parent():
    user = UserFactory.create(phone="+77017779876", profile__iin="940225300009")
    audit.record(Action.REGISTERED, now=NOW, actor=user, subject=user, target="x")
    PolicyConsent.objects.create(user=user, version="1", given_at=NOW)
    SmsCode.objects.create(
        phone=user.phone, purpose="register", code_hash="x", session_hash="x", created_at=NOW, expires_at=NOW
    )
    return user


def rows_of(model, parent):
    return {
        "user": parent,
        "profile": parent.profile,
        "auditentry": AuditEntry.objects.get(),
        "smscode": SmsCode.objects.get(),
        "policyconsent": PolicyConsent.objects.get(),
    }[model]


@pytest.mark.parametrize("model", LISTS)
def test_no_page_shows_a_whole_number(admin_client, parent, model):
    row = rows_of(model, parent)
    for address in (f"/admin/accounts/{model}/", f"/admin/accounts/{model}/{row.pk}/change/"):
        answer = admin_client.get(address)
        assert answer.status_code == 200, address
        page = answer.content.decode()
        assert "940225300009" not in page
        assert "7017779876" not in page
        assert "777 98 76" not in page


@pytest.mark.parametrize("model", LISTS)
def test_nothing_is_added_or_deleted(admin_client, parent, model):
    row = rows_of(model, parent)
    assert admin_client.get(f"/admin/accounts/{model}/add/").status_code == 403
    assert admin_client.post(f"/admin/accounts/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", ["profile", "auditentry", "smscode", "policyconsent"])
def test_records_are_not_changed(admin_client, parent, model):
    row = rows_of(model, parent)
    assert admin_client.post(f"/admin/accounts/{model}/{row.pk}/change/", {}).status_code == 403


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("8 701 777 98 76", 1), ("940225300009", 1), ("940225 300009", 1), ("+7701777", 0), ("94022530000", 0),
        ("7017", 0), ("170720600007", 0),
    ],
)  # fmt: skip
def test_only_a_whole_number_finds_a_parent(admin_client, parent, term, found):
    answer = admin_client.get("/admin/accounts/user/", {"q": term})
    assert answer.context["cl"].result_count == found


def test_an_employee_is_found_by_a_part_of_the_name(admin_client, parent):
    StaffFactory.create(username="amina")
    assert admin_client.get("/admin/accounts/user/", {"q": "ami"}).context["cl"].result_count == 1


def test_block_a_parent(admin_client, parent):
    group = Group.objects.get(name="official")
    admin_client.post(f"/admin/accounts/user/{parent.pk}/change/", {"groups": [group.pk], "is_staff": "on"})
    parent.refresh_from_db()
    assert not parent.is_active
    assert not parent.is_staff
    assert not parent.groups.exists()


def test_an_audit_entry_is_neither_changed_nor_deleted(parent):
    entry = AuditEntry.objects.get()
    with pytest.raises(PermissionDenied):
        entry.save()
    with pytest.raises(PermissionDenied):
        entry.delete()
    for change in (lambda: AuditEntry.objects.update(reason="other"), AuditEntry.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_the_second_factor_is_asked_for(client_of, parent):
    client = client_of(StaffFactory.create(username="root", is_superuser=True))
    assert client.get("/admin/accounts/user/").status_code == 302
