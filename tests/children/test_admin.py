"""Officials look at children, read-only; employees of kindergartens and strangers don't."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.journal_actions import Action
from accounts.models import AuditEntry
from accounts.roles import Role
from tests.factories import GuardianshipFactory, KindergartenFactory
from tests.staff import employee, worker_of

LIST = "admin:children_child_changelist"
IIN = "170720600007"


@pytest.fixture
def guardianship(settings, db):
    settings.STAFF_SECOND_FACTOR = False
    return GuardianshipFactory(child__iin=IIN)


@pytest.fixture
def official(client_of, guardianship):
    return client_of(employee(Role.OFFICIAL))


def page_of(child):
    return reverse("admin:children_child_change", args=[child.pk])


def test_the_iin_is_masked_everywhere(official, guardianship):
    for address in (reverse(LIST), page_of(guardianship.child)):
        html = official.get(address).content.decode()
        assert "••••••••••07" in html
        assert IIN not in html


def test_an_official_finds_a_child_by_the_whole_iin_or_a_name(official, guardianship):
    def found(term):
        return official.get(reverse(LIST), {"q": term}).context["cl"].result_count

    assert [found(term) for term in (IIN, "1707 2060 0007", "каменова", "170720600806", "1707", "x")] == [
        1,
        1,
        1,
        0,
        0,
        0,
    ]


def test_looking_enters_the_familys_journal(official, guardianship):
    official.get(page_of(guardianship.child))
    entry = AuditEntry.objects.get(action=Action.PERSONAL_DATA_VIEWED)
    assert (entry.subject, entry.target) == (guardianship.user, guardianship.child.full_name)
    official.get(reverse(LIST))
    assert AuditEntry.objects.filter(action=Action.PERSONAL_DATA_VIEWED).count() == 1


def test_nothing_is_changed_here(official, guardianship):
    assert official.post(page_of(guardianship.child), {"last_name": "X"}).status_code == 403
    assert official.get(reverse("admin:children_child_add")).status_code == 403
    assert (
        official.post(reverse("admin:children_child_delete", args=[guardianship.child.pk])).status_code == 403
    )


def test_an_employee_of_a_kindergarten_sees_no_children_here(client_of, guardianship):
    """Nor would the right help whoever works in no locality."""
    worker = worker_of(KindergartenFactory())
    client = client_of(worker)
    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(page_of(guardianship.child)).status_code == 403
    worker.user_permissions.add(Permission.objects.get(codename="view_child"))
    assert client.get(reverse(LIST)).context["cl"].result_count == 0
    assert client.get(page_of(guardianship.child)).status_code == 404
