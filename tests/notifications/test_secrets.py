"""A code that is under way stands in the clear nowhere: not in a row, a session, a log or a call of a worker."""

import logging
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.urls import reverse

from accounts import sms_codes
from accounts.models import SmsCode
from notifications import broker
from notifications.delivery import Counts, deliver_due
from notifications.kinds import KINDS, sample_context
from notifications.models import Message
from notifications.services import enqueue, send_again
from tests.factories import StaffFactory, UserFactory
from tests.notifications.gateways import OBEDIENT, ObedientBackend

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CODE = "483920"
PHONE = "+77017779876"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def gateway(settings):
    settings.SMS_BACKEND = OBEDIENT
    ObedientBackend.reset()
    return ObedientBackend


@pytest.fixture
def parent():
    return UserFactory(phone=PHONE)


def tables_that_say(word: str) -> set[str]:
    """The tables of the whole database in which a row holds `word` on its own."""
    with connection.cursor() as cursor:
        found = set()
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}" t WHERE t::text ~ %s)', [rf"\m{word}\M"])
            if cursor.fetchone()[0]:
                found.add(table)
    return found


def ask_for_a_code(client, purpose):
    if purpose == "register":
        return client.post(reverse("accounts:register"), {"phone": PHONE, "consent": "on"})
    return client.post(reverse("accounts:reset"), {"phone": PHONE})


@pytest.mark.parametrize("purpose", ["register", "reset"])
def test_a_code_under_way_is_told_by_nothing(purpose, request, client, monkeypatch, caplog):
    monkeypatch.setattr(sms_codes.secrets, "randbelow", lambda _end: int(CODE))
    calls = []
    monkeypatch.setattr(broker, "_wake", lambda *args: calls.append(args))
    caplog.set_level(logging.DEBUG)
    if purpose == "reset":
        request.getfixturevalue("parent")
    assert ask_for_a_code(client, purpose).status_code == 302
    message = Message.objects.get()
    assert CODE in message.text
    assert SmsCode.objects.count() == 1
    assert tables_that_say(CODE) == set()
    assert CODE not in str(client.session.items())
    assert CODE not in caplog.text
    assert CODE not in str(calls)
    # The control: the same search finds what is there.
    Message.objects.update(error=f"smsc: {CODE}")
    assert tables_that_say(CODE) == {"notifications_message"}


@pytest.mark.parametrize("outcome", ["sent", "given up"])
def test_it_is_wiped_when_its_time_is_over(parent, outcome):
    enqueue(parent, "reset_code", context=sample_context(KINDS["reset_code"]), dedupe_key="k", now=NOW)
    deliver_due(now=NOW if outcome == "sent" else NOW + timedelta(minutes=10))
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM notifications_message")
        assert cursor.fetchall() == [("",)]


class TestAKeyThatIsMissing:
    @pytest.fixture
    def unreadable(self, parent, settings):
        """A message whose key is gone, and after it one that can be read."""
        kept = settings.IIN_KEYS
        for number, keys in enumerate(([Fernet.generate_key().decode()], kept)):
            settings.IIN_KEYS = keys
            context = sample_context(KINDS["stop_lifted"])
            moment = NOW + timedelta(seconds=number)
            enqueue(parent, "stop_lifted", context=context, dedupe_key=str(number), now=moment)
        return Message.objects.order_by("created_at").first()

    def test_one_row_holds_up_nothing_and_waits_for_its_key(self, unreadable, gateway, settings):
        later = NOW + timedelta(minutes=1)
        assert deliver_due(now=later) == Counts(sent=1, retried=1)
        unreadable.refresh_from_db()
        assert (unreadable.state, unreadable.error) == (Message.State.QUEUED, "no key opens the text")
        assert [text for _phone, text, _key in gateway.sent] == [
            Message.objects.get(state=Message.State.SENT).text
        ]

    def test_it_is_given_up_when_it_is_worth_nothing_any_more(self, unreadable, gateway):
        Message.objects.exclude(pk=unreadable.pk).delete()
        for hours in (1, 23, 36):
            deliver_due(now=NOW + timedelta(hours=hours))
        unreadable.refresh_from_db()
        assert unreadable.state == Message.State.FAILED
        assert gateway.sent == []
        assert send_again(unreadable, now=NOW + timedelta(hours=37)) is None

    def test_the_workplace_says_so(self, unreadable, settings, client_of):
        settings.STAFF_SECOND_FACTOR = False
        desk = client_of(StaffFactory(is_superuser=True))
        assert desk.get(reverse("admin:notifications_message_changelist")).status_code == 200
        for prefix, sentence in (("", "кілті жоқ"), ("/ru", "нет ключа")):
            page = desk.get(f"{prefix}/admin/notifications/message/{unreadable.pk}/change/")
            assert sentence in page.content.decode()

    def test_a_former_key_still_opens(self, parent, settings):
        enqueue(parent, "stop_lifted", context=sample_context(KINDS["stop_lifted"]), dedupe_key="k", now=NOW)
        text = Message.objects.get().text
        settings.IIN_KEYS = [Fernet.generate_key().decode(), *settings.IIN_KEYS]
        assert Message.objects.get().text == text


def test_what_was_there_before_is_encrypted_by_the_migration(parent):
    migration = import_module("notifications.migrations.0002_encrypted_texts")
    loader = MigrationLoader(connection, replace_migrations=False)
    before = loader.project_state(("notifications", "0001_initial")).apps
    texts = [f"{CODE} – код", "", "Жолдама берілді", *(f"{number}" for number in range(migration.CHUNK + 1))]
    rows = before.get_model("notifications", "Message").objects
    for number, text in enumerate(texts):
        rows.create(
            phone=PHONE, kind="reset_code", language="kk", text=text, dedupe_key=number, next_attempt_at=NOW,
            give_up_at=NOW, created_at=NOW + timedelta(seconds=number),
        )  # fmt: skip
    assert tables_that_say(CODE) == {"notifications_message"}
    migration.encrypt_texts(before, SimpleNamespace(connection=connection))
    assert tables_that_say(CODE) == set()
    written = apps.get_model("notifications", "Message").objects.order_by("created_at")
    assert [message.text for message in written] == texts
    migration.decrypt_texts(before, SimpleNamespace(connection=connection))
    assert list(rows.order_by("created_at").values_list("text", flat=True)) == texts
