"""Invitations to the families of the former queue: in waves, each phone once, nobody who has come already."""

import pytest

from applications.city.inviting import invite
from applications.models import FormerRow
from notifications.models import Message
from tests.applications.city.conftest import command
from tests.applications.city.test_queue_file import about, load, official, rows_of  # noqa: F401 - fixtures
from tests.applications.conftest import NOW

pytestmark = pytest.mark.django_db

PHONE, OTHER = "+77017778899", "+77017778800"


@pytest.fixture
def brought(load, about):  # noqa: F811 - fixtures
    """Four families: two children with one phone, another phone, and a landline."""
    phones = (PHONE, PHONE, OTHER, "+77253331234")
    plain = {"state": "waiting", "until": ""}
    rows = [row | plain | {"phone": phone} for row, phone in zip(rows_of(4, **about), phones, strict=True)]
    load(rows)


def written():
    return sorted(one.phone.as_e164 for one in Message.objects.filter(kind="former_invited"))


def test_each_phone_once_in_waves(brought):
    assert [invite(limit=1, now=NOW) for _ in range(5)] == [1, 0, 1, 0, 0]
    assert written() == [OTHER, PHONE]


def test_all_at_once(brought):
    assert invite(limit=100, now=NOW) == 2
    assert written() == [OTHER, PHONE]
    for one in Message.objects.filter(kind="former_invited"):
        assert len(one.text) <= 70
        assert "http" not in one.text


def test_whoever_has_claimed_is_not_asked(brought, official):  # noqa: F811 - a fixture
    first = FormerRow.objects.order_by("line").first()
    FormerRow.objects.filter(pk=first.pk).update(
        claimed_at=NOW, claimed_by=official, proof=FormerRow.Proof.PHONE
    )
    assert invite(limit=100, now=NOW) == 1
    assert written() == [OTHER]


@pytest.mark.parametrize("limit", ["0", "-1", "100001"])
def test_the_command_refuses_a_wrong_number(limit):
    assert command("invite_imported", "--limit", limit)[0] == 2


def test_the_command(brought):
    assert command("invite_imported", "--limit", "10") == (0, "Phones written to: 2\n")
