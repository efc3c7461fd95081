"""Rows that were copied in are what an INSERT would have made of them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from accounts.models import AuditEntry
from applications.models import FormerLine, FormerRow
from bulletin.models import ImportBatch, ImportedRow, Vacancy
from notifications.copied_rows import copy_rows, copy_values
from notifications.models import Message
from tests.factories import ApplicationFactory, GroupFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2019, 6, 26, 12, 0, 0, 1, tzinfo=UTC)
HOSTILE = [
    "",
    r"\N",
    "\\",
    "\\.",
    "a\tb",
    "a\nb\r\nc",
    '"',
    "{x,y}",
    "NULL",
    "Әлия «Ұ» 🐪",
    "it's",
    "%s",
    "\\t",
]


@pytest.fixture
def batch():
    return ImportBatch.objects.create(kind="queue", file_name="x.csv", sha256="0" * 64, loaded_at=NOW)


@pytest.mark.parametrize("text", HOSTILE, ids=map(ascii, HOSTILE))
def test_any_text_comes_in_as_it_is(batch, text):
    told = {"a": [text, None, 1, 2.5, True, {"b": text}]}
    row = ImportedRow(batch=batch, line=7, model="x.y", key=text[:40], before=None, after=told)
    copy_rows([row])
    kept = ImportedRow.objects.get()
    assert (kept.line, kept.key, kept.before, kept.after) == (7, text[:40], None, told)
    with connection.cursor() as cursor:
        cursor.execute("SELECT before IS NULL FROM bulletin_importedrow")
        assert cursor.fetchone() == (True,)


def test_what_is_encrypted_can_be_read_and_never_looks_alike(batch):
    phone = "+77017778899"
    some = ApplicationFactory.create_batch(3)
    copy_rows(
        FormerRow(application=one, batch=batch, line=line, locality=one.locality, phone=phone)
        for line, one in enumerate(some)
    )
    assert set(FormerRow.objects.values_list("phone", flat=True)) == {phone}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT phone), count(DISTINCT guardian_iin) FROM applications_formerrow"
        )
        assert cursor.fetchone() == (3, 1)


def test_each_kind_of_value():
    group = GroupFactory()
    about = {"opens_at": NOW, "vacant_from": NOW}
    vacancy = Vacancy(group=group, birth_years=[2016, 2017], seats_total=3, **about)
    entry = AuditEntry(action="x", at=NOW, address="2001:db8::1", target="t", changes={"a": [1, "2"]})
    copy_rows([vacancy])
    copy_rows([entry])
    kept = Vacancy.objects.get()
    assert (kept.pk, kept.group, kept.birth_years) == (vacancy.pk, group, [2016, 2017])
    assert (kept.opens_at, kept.vacant_from, kept.closes_at) == (NOW, NOW, None)
    written = AuditEntry.objects.get()
    assert (written.at, written.address, written.changes) == (NOW, "2001:db8::1", {"a": [1, "2"]})


def test_more_than_a_portion_and_the_keys_go_on(batch, monkeypatch):
    monkeypatch.setattr("notifications.copied_rows._PORTION", 4)
    copy_rows(FormerLine(batch=batch, line=line, problem="left") for line in range(10))
    assert list(FormerLine.objects.values_list("line", flat=True)) == list(range(10))
    FormerLine.objects.create(batch=batch, line=10, problem="left")


def test_rows_may_bring_their_keys(batch):
    copy_rows([FormerLine(pk=70, batch=batch, line=1, problem="left")], keys=True)
    assert FormerLine.objects.get().pk == 70


def test_constraints_hold(batch):
    rows = [FormerLine(batch=batch, line=1, problem="left") for _ in range(2)]
    with pytest.raises(IntegrityError, match="one_outcome_per_former_line"), transaction.atomic():
        copy_rows(rows)
    assert not FormerLine.objects.exists()


def test_what_the_database_would_work_out_is_refused(batch):
    batch.pk, batch.loaded_at = None, Now()
    with pytest.raises(TypeError):
        copy_rows([batch])


@pytest.mark.parametrize("text", HOSTILE, ids=map(ascii, HOSTILE))
def test_bare_values_are_what_objects_would_be(text):
    """As they are, encrypted where the field is, and with the defaults of what is not named."""
    user, about = UserFactory(), UUID(int=7)
    names = (
        "recipient_id",
        "kind",
        "language",
        "text",
        "about",
        "dedupe_key",
        "next_attempt_at",
        "give_up_at",
    )
    row = (user.pk, "stop_lifted", "kk", text, about, f"x{text}", NOW, NOW)
    copy_values(Message, (*names, "created_at", "phone"), [(*row, NOW, "+77011234567")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM notifications_message")
        assert (cursor.fetchone()[0] == text) is (text == "")
    copied = Message.objects.get()
    Message.objects.all().delete()
    values = dict(zip(names, row, strict=True)) | {"created_at": NOW, "phone": "+77011234567"}
    Message.objects.create(pk=copied.pk, **values)
    assert {**vars(copied), "_state": None} == {**vars(Message.objects.get()), "_state": None}
