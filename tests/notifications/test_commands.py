"""The operator's two commands."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.kinds import KINDS, sample_context
from notifications.models import Message
from notifications.services import enqueue
from tests.notifications.gateways import BAD_NUMBER, OBEDIENT, SECOND, TROUBLE, ObedientBackend, SecondBackend


@pytest.fixture(autouse=True)
def gateway(settings):
    settings.SMS_BACKEND = OBEDIENT
    ObedientBackend.reset()
    return ObedientBackend


def run(*arguments, **options):
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def outbox(parent, clock):
    for key in ("one", "two"):
        enqueue(
            parent,
            "stop_lifted",
            context=sample_context(KINDS["stop_lifted"]),
            dedupe_key=key,
            now=timezone.now(),
        )


def test_send_pending_messages(outbox, gateway):
    assert run("send_pending_messages", dry_run=True) == "due: 2\n"
    assert gateway.sent == []
    gateway.reset(TROUBLE)
    assert run("send_pending_messages") == "sent: 1, put off: 1, given up: 0\n"
    assert run("send_pending_messages") == "sent: 0, put off: 0, given up: 0\n"
    assert Message.objects.filter(state=Message.State.SENT).count() == 1


@pytest.mark.parametrize("phone", ["+77017779876", "8 (701) 777-98-76", "7 701 7779876"])
def test_send_test_sms_takes_any_spelling(gateway, phone):
    assert run("send_test_sms", phone) == "accepted: obedient:1\n"
    assert gateway.sent[0][0] == "+77017779876"


def test_send_test_sms_through_another_gateway(gateway):
    SecondBackend.reset()
    run("send_test_sms", "+77017779876", backend=SECOND)
    assert gateway.sent == []
    assert len(SecondBackend.sent) == 1


@pytest.mark.parametrize("phone", ["", "hello", "+7701", "+7 701 777 98 76 00 00"])
def test_send_test_sms_refuses_what_is_no_phone(gateway, phone):
    with pytest.raises(CommandError, match="Not a phone number"):
        run("send_test_sms", phone)
    assert gateway.sent == []


def test_send_test_sms_tells_what_went_wrong(gateway):
    gateway.reset(BAD_NUMBER)
    with pytest.raises(CommandError, match="refused: obedient: 7"):
        run("send_test_sms", "+77017779876")
    with pytest.raises(CommandError, match="No such gateway"):
        run("send_test_sms", "+77017779876", backend="notifications.sms.none.None")


class TestSendtestemail:
    @pytest.mark.parametrize("address", ["nope", "a@", "@b.kz", "a b@c.kz", ""])
    def test_what_is_no_address_is_said(self, address, mailoutbox):
        with pytest.raises(CommandError, match="Not an e-mail address") as refused:
            run("sendtestemail", address)
        assert (refused.value.returncode, mailoutbox) == (2, [])

    def test_it_says_where_it_went(self, mailoutbox, settings):
        assert run("sendtestemail", "a@b.kz") == f"handed over to {settings.EMAIL_BACKEND}\n"
        assert [mail.to for mail in mailoutbox] == [["a@b.kz"]]

    def test_a_server_that_is_not_there(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1
        with pytest.raises(CommandError, match="Not sent: ConnectionRefusedError"):
            run("sendtestemail", "a@b.kz")
