"""E-mail beside SMS: who gets it, how it is delivered, what a bad mail server can do."""

import smtplib
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core import mail as django_mail
from django.core.mail.backends.locmem import EmailBackend as Locmem

from notifications import delivery
from notifications.checks import mails_leave_the_house
from notifications.delivery import Counts, deliver_mails
from notifications.kinds import KINDS, sample_context
from notifications.mail_backends import smtp
from notifications.mailing import message
from notifications.models import Mail, Message
from notifications.retention import old_mails, purge_mails
from notifications.services import enqueue, enqueue_to_mail, send_again
from tests.factories import UserFactory
from tests.patience import PATIENCE

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ADDRESS = "kamenov@mail.kz"


class Obstinate(Locmem):
    """Raises what a test put on its list, one for each e-mail; after that it sends."""

    faults: list[Exception] = []

    def send_messages(self, messages):
        if self.faults:
            raise self.faults.pop(0)
        return super().send_messages(messages)


@pytest.fixture
def server(settings, monkeypatch):
    monkeypatch.setattr(delivery, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    settings.EMAIL_BACKEND = f"{__name__}.Obstinate"
    monkeypatch.setattr(Obstinate, "faults", [])
    return Obstinate


@pytest.fixture
def parent(db):
    return UserFactory(language="ru", email=ADDRESS, mails_notices=True)


def tell(recipient, kind="referral_issued", *, key="key"):
    enqueue(recipient, kind, context=sample_context(KINDS[kind]), dedupe_key=key, now=NOW)


def test_what_goes_by_sms_goes_by_mail_to_who_wants_it_once_and_in_their_language(parent):
    tell(parent)
    tell(parent)
    tell(UserFactory(email="other@mail.kz"))
    tell(parent, "application_archived")
    one = Mail.objects.get(kind="referral_issued")
    assert one.text == Message.objects.get(kind="referral_issued", recipient=parent).text
    assert (one.recipient, one.address, one.language) == (parent, ADDRESS, "ru")
    assert deliver_mails(now=NOW).sent == Mail.objects.count()
    sent = next(
        each for each in django_mail.outbox if each.extra_headers["Message-ID"].startswith(f"<{one.pk}@")
    )
    assert sent.to == [ADDRESS]
    assert sent.subject == "BALABAQSHA: Выдано направление"
    assert "Контакт-центр" in sent.body
    assert "http" not in sent.body
    assert "КАМЕНОВ" not in sent.body
    assert deliver_mails(now=NOW + timedelta(days=1)) == Counts()


def test_no_mail_server_no_mail(parent, settings):
    settings.SENDS_MAIL = False
    tell(parent)
    enqueue_to_mail(
        ADDRESS, "contact_code", context={"code": "1", "minutes": 10}, language="kk", dedupe_key="k", now=NOW
    )
    assert not Mail.objects.exists()


def test_a_fault_is_tried_again_and_a_mailbox_that_does_not_exist_is_given_up(parent, server):
    tell(parent)
    server.faults += [
        ConnectionRefusedError(),
        smtplib.SMTPRecipientsRefused({ADDRESS: (450, b"later")}),
        # Our own credentials are wrong: that mends itself once the operator mends them.
        smtplib.SMTPAuthenticationError(535, b"who are you"),
        smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such user")}),
    ]
    now = NOW
    for error in ("mail: ConnectionRefusedError", "mail: 450", "mail: 535"):
        assert deliver_mails(now=now) == Counts(retried=1)
        row = Mail.objects.get()
        assert (row.state, row.error, row.text != "") == (Mail.State.QUEUED, error, True)
        assert deliver_mails(now=row.next_attempt_at - MICROSECOND) == Counts()
        now = row.next_attempt_at
    assert deliver_mails(now=now) == Counts(failed=1)
    row = Mail.objects.get()
    assert (row.state, row.error, row.attempts) == (Mail.State.FAILED, "mail: 550", 4)
    assert send_again(row, now=now)
    assert deliver_mails(now=now) == Counts(sent=1)
    assert len(django_mail.outbox) == 1


def test_a_code_is_wiped_once_sent_and_worth_ten_minutes(db, server):
    def ask(key):
        context = {"code": "483920", "minutes": 10}
        enqueue_to_mail(ADDRESS, "contact_code", context=context, language="kk", dedupe_key=key, now=NOW)

    ask("first")
    deliver_mails(now=NOW)
    assert "483920" in django_mail.outbox[0].body
    assert Mail.objects.get().text == ""
    ask("second")
    assert deliver_mails(now=NOW + timedelta(minutes=10)) == Counts(failed=1)
    assert set(Mail.objects.values_list("text", flat=True)) == {""}


def test_nothing_of_a_mail_can_be_read_in_the_database(parent):
    tell(parent)
    row = Mail.objects.extra(select={"raw": "address || text"}).values_list("raw", flat=True)[0]
    assert ADDRESS not in row
    assert "BALABAQSHA" not in row
    Mail.objects.update(created_at=NOW, state=Mail.State.SENT)
    assert not old_mails(now=NOW + timedelta(days=30)).exists()
    assert purge_mails(now=NOW + timedelta(days=30) + MICROSECOND) == 1


@contextmanager
def dripping(first: bytes):
    """A mail server that says `first`, and then a sign now and then, until the visitor is gone."""
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _address = listening.accept()
            with connection:
                connection.sendall(first)
                try:
                    while not gone.wait(0.02):
                        connection.sendall(b"2")
                except OSError:
                    gone.set()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        assert gone.wait(PATIENCE), "the connection was never cut"
        thread.join()


@pytest.mark.parametrize("first", [b"", b"220 ready\r\n250"])
def test_a_server_that_drips_holds_nobody(parent, settings, first):
    settings.EMAIL_BACKEND = "notifications.mail_backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS, settings.MAIL_SECONDS = "127.0.0.1", False, 0.2
    tell(parent)
    with dripping(first) as settings.EMAIL_PORT:
        assert deliver_mails(now=NOW).retried == 1
    assert Mail.objects.get().error.startswith("mail: ")


def test_the_deadline_holds_even_where_nothing_can_be_cut(settings):
    settings.MAIL_SECONDS = 0
    backend = smtp.EmailBackend(host="127.0.0.1", port=1)
    with pytest.raises(TimeoutError):
        backend.connection_class().getreply()


def test_an_address_can_add_no_header(db):
    row = Mail(address="a@mail.kz\nBcc: all@mail.kz", kind="contact_code", language="kk", text="x")
    with pytest.raises(ValueError, match=r"[Hh]eader"):
        message(row).message()


def test_a_real_portal_mails_over_tls_from_an_address_of_its_own(settings):
    settings.DEMO = settings.DEBUG = False
    settings.EMAIL_BACKEND = "notifications.mail_backends.smtp.EmailBackend"
    settings.SENDS_MAIL, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = True, False, False
    settings.DEFAULT_FROM_EMAIL, settings.MAIL_DOMAIN = "noreply@localhost", "localhost"
    assert [one.id for one in mails_leave_the_house(app_configs=None)] == [
        "notifications.E009",
        "notifications.E010",
    ]
    settings.EMAIL_USE_TLS = True
    settings.DEFAULT_FROM_EMAIL, settings.MAIL_DOMAIN = "noreply@bala.kz", "bala.kz"
    assert mails_leave_the_house(app_configs=None) == []
    settings.EMAIL_BACKEND = "notifications.mail_backends.file.EmailBackend"
    assert [one.id for one in mails_leave_the_house(app_configs=None)] == ["notifications.E008"]
