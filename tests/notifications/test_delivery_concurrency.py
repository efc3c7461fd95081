"""Two workers, one outbox: each message leaves once. The control shows what happens without the claim."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction

from notifications.delivery import Counts, deliver_due, deliver_mails
from notifications.kinds import KINDS, sample_context
from notifications.models import Mail, Message
from notifications.outbox import due
from notifications.services import enqueue
from notifications.sms.base import get_backend
from tests.factories import UserFactory
from tests.notifications.gateways import ObedientBackend
from tests.patience import PATIENCE

pytestmark = [
    pytest.mark.concurrency,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("each_by_itself"),
]

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MESSAGES = 30


class SlowBackend(ObedientBackend):
    """Takes long enough for two workers to be inside it at once."""

    def send(self, phone, text, *, idempotency_key, **terms):
        time.sleep(0.005)
        return super().send(phone, text, idempotency_key=idempotency_key, **terms)


@pytest.fixture
def outbox(settings):
    settings.SMS_BACKEND = f"{__name__}.SlowBackend"
    settings.SMS_NOTICES_PER_RECIPIENT_PER_DAY = MESSAGES
    SlowBackend.reset()
    parent = UserFactory()
    for number in range(MESSAGES):
        enqueue(
            parent,
            "stop_lifted",
            context=sample_context(KINDS["stop_lifted"]),
            dedupe_key=str(number),
            now=NOW,
        )


def together(work, *, workers=2):
    """Run `work(barrier)` in so many threads at once; the first error of any of them is raised."""
    start = threading.Barrier(workers, timeout=PATIENCE)

    def run():
        try:
            start.wait()
            work(start)
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(run) for _ in range(workers)]:
            future.result()


def sends_per_message():
    return Counter(key for _phone, _text, key in SlowBackend.sent)


def test_control_without_a_claim_everything_is_sent_twice(outbox):
    def deliver_carelessly(barrier):
        rows = list(due(now=NOW))
        barrier.wait()
        for message in rows:
            get_backend().send(message.phone.as_e164, message.text, idempotency_key=str(message.pk))
            Message.objects.filter(pk=message.pk).update(state=Message.State.SENT)

    together(deliver_carelessly)
    assert set(sends_per_message().values()) == {2}


def test_each_message_is_sent_once(outbox):
    together(lambda barrier: deliver_due(now=NOW), workers=4)
    assert len(sends_per_message()) == MESSAGES
    assert set(sends_per_message().values()) == {1}
    assert set(Message.objects.values_list("state", "attempts")) == {(Message.State.SENT, 1)}


def test_nobody_waits_for_a_row_that_another_worker_holds(outbox):
    first = due(now=NOW).order_by("give_up_at", "created_at", "id").first()

    def work(barrier):
        # The first to come holds the row while the other one delivers.
        if holders.pop():
            with transaction.atomic():
                Message.objects.select_for_update().get(pk=first.pk)
                barrier.wait()
                barrier.wait()
        else:
            barrier.wait()
            counts.append(deliver_due(now=NOW).sent)
            barrier.wait()

    holders = [False, True]
    counts: list[int] = []
    together(work)
    assert counts == [MESSAGES - 1]
    assert deliver_due(now=NOW).sent == 1


class HangingMailServer(BaseEmailBackend):
    """Takes no e-mail before it is let."""

    asked, is_let = threading.Event(), threading.Event()

    def send_messages(self, email_messages):
        self.asked.set()
        assert self.is_let.wait(PATIENCE)
        return len(email_messages)


def test_a_mail_server_that_hangs_holds_one_worker_and_no_sms(outbox, settings):
    settings.SENDS_MAIL, settings.EMAIL_BACKEND = True, f"{__name__}.HangingMailServer"
    reader = UserFactory(email="aigul@mail.kz", mails_notices=True)
    for key in "ab":
        enqueue(
            reader,
            "stop_lifted",
            context=sample_context(KINDS["stop_lifted"]),
            dedupe_key=key,
            now=NOW,
        )

    def deliver():
        try:
            return deliver_mails(now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(deliver)
        try:
            assert HangingMailServer.asked.wait(PATIENCE)
            # A second one would be held, too, and then nobody were left.
            assert deliver_mails(now=NOW) == Counts()
            assert deliver_due(now=NOW) == Counts(sent=MESSAGES + 2)
            assert not Mail.objects.filter(state=Mail.State.SENT).exists()
        finally:
            HangingMailServer.is_let.set()
        assert first.result() == Counts(sent=2)
    assert deliver_mails(now=NOW) == Counts()
