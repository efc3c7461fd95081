"""Delivering the outbox: claim, send, retry with growing pauses, and finally give up.

Delivery is at least once. A row is claimed under a row lock that other workers skip, leased for some minutes, and
sent outside any transaction, so a slow gateway holds no lock. If a worker dies, the next one sends its row again under
the same idempotency key.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom

from django.db import transaction
from django.db.models import QuerySet

from notifications.budget import Purse, has_had_enough, raise_alarm
from notifications.kinds import PastBudget, fate_of, is_secret, secret_kinds
from notifications.models import Message
from notifications.selectors import is_told
from notifications.sms.base import SEND_SECONDS, Outcome, SendResult, SmsBackend, get_backend
from notifications.sweeps import renew_connection

logger = logging.getLogger(__name__)

# No row is claimed later than this after the start, so that every send ends well before its lease does.
CLAIMING = timedelta(seconds=60)
LEASE = CLAIMING + timedelta(seconds=SEND_SECONDS) + timedelta(seconds=90)
SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=32)
JITTER = 0.25

_random = SystemRandom()


@dataclass
class Counts:
    """What one delivery did: messages accepted by a gateway, postponed, given up, left to the inbox."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    withheld: int = 0


def deliver_due(*, now: datetime) -> Counts:
    """Send what is due at `now`, the messages closest to being given up first; returns the counts.

    Any number of workers may deliver at once: each claimed row is sent by one of them. It works for at most a minute,
    or until no gateway may be asked, and leaves the rest to the next call. Never call it inside a transaction: the lock
    would be held while sending.
    """
    backend = get_backend()
    counts, purse = Counts(), Purse()
    renew_connection()
    started = time.monotonic()
    while (worked := time.monotonic() - started) < CLAIMING.total_seconds():
        # Slow gateways must not delay a message past the instant from which it is worthless.
        present = now + timedelta(seconds=worked)
        message = _claim(now=present)
        if message is None or not _deliver(message, backend=backend, purse=purse, counts=counts, now=present):
            break
    if purse.before is not None:
        raise_alarm(purse.before, now=now)
    return counts


def due(*, now: datetime) -> QuerySet[Message]:
    """The messages that a worker may claim at `now`: waiting, or left behind by a worker whose lease ran out."""
    return Message.objects.filter(
        state__in=[Message.State.QUEUED, Message.State.SENDING], next_attempt_at__lte=now
    )


def waiting_codes() -> QuerySet[Message]:
    """The codes that have not gone out and have not been given up, due or put off: somebody waits for each."""
    return Message.objects.filter(
        state__in=[Message.State.QUEUED, Message.State.SENDING], kind__in=secret_kinds()
    )


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: 1, 2, 4 … 32 minutes, plus a random part of up to a quarter.

    The random part keeps rows that failed together from coming back together.
    """
    pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** min(attempts - 1, 10))
    longer: timedelta = pause * (1 + _random.uniform(0, JITTER))
    return longer


def _claim(*, now: datetime) -> Message | None:
    """Take one due row for this worker until the lease ends, or None if there is none."""
    with transaction.atomic():
        rows = due(now=now).select_for_update(skip_locked=True)
        message = rows.order_by("give_up_at", "created_at", "id").first()
        if message is None:
            return None
        message.state = Message.State.SENDING
        message.attempts += 1
        message.next_attempt_at = now + LEASE
        message.save(update_fields=["state", "attempts", "next_attempt_at"])
        return message


def _deliver(message: Message, *, backend: SmsBackend, purse: Purse, counts: Counts, now: datetime) -> bool:
    """Send a claimed message and record the result; False if there is no point in trying others."""
    if now >= message.give_up_at:
        counts.failed += _finish(message, state=Message.State.FAILED, error=message.error or "too late")
        return True
    if why := _why_withheld(message, purse=purse, now=now):
        counts.withheld += _record(
            message, state=Message.State.WITHHELD, attempts=message.attempts - 1, error=why
        )
        logger.warning("Message %s (%s) is left to the inbox: %s", message.pk, message.kind, why)
        return True
    result = _send(message, backend=backend)
    if result.outcome is Outcome.NOT_ASKED:
        # No attempt was made, so none is counted and the message stays due.
        _record(message, state=Message.State.QUEUED, attempts=message.attempts - 1, next_attempt_at=now)
        return False
    next_attempt_at = now + pause_after(message.attempts)
    if result.outcome is Outcome.ACCEPTED:
        counts.sent += _finish(
            message, state=Message.State.SENT, provider_id=result.provider_id, sent_at=now, error=""
        )
    elif result.outcome is Outcome.REFUSED or next_attempt_at >= message.give_up_at:
        counts.failed += _finish(message, state=Message.State.FAILED, error=result.error)
        logger.error("Message %s (%s) is given up: %s", message.pk, message.kind, result.error)
    else:
        counts.retried += _record(
            message, state=Message.State.QUEUED, next_attempt_at=next_attempt_at, error=result.error
        )
        logger.warning("Message %s (%s) is put off: %s", message.pk, message.kind, result.error)
    return True


def _why_withheld(message: Message, *, purse: Purse, now: datetime) -> str:
    """Why a notice is not sent by SMS; empty if it is sent, as every code is."""
    if not is_told(message):
        return "the recipient is no longer told of this"
    fate = fate_of(message.kind)
    is_open = purse.is_open(now=now)
    if fate is PastBudget.WITHHELD and not is_open:
        return "the day's budget is spent"
    if fate in (PastBudget.WITHHELD, PastBudget.WARNING) and has_had_enough(message, now=now):
        return "too many notices to this number today"
    return ""


def _send(message: Message, *, backend: SmsBackend) -> SendResult:
    if message.text is None:
        return SendResult(Outcome.UNAVAILABLE, error="no key opens the text")
    try:
        return backend.send(message.phone.as_e164, message.text, idempotency_key=str(message.pk))
    except Exception as error:  # noqa: BLE001
        # One broken gateway must not stop the rest. The trace may hold phone and text, so only the class is logged.
        return SendResult(Outcome.UNAVAILABLE, error=f"{type(error).__name__} in the gateway's code")


def _finish(message: Message, **changes: object) -> int:
    if is_secret(message.kind):
        changes["text"] = ""
    return _record(message, **changes)


def _record(message: Message, **changes: object) -> int:
    """Write the outcome unless the lease ran out and another worker claimed the row since; 1 if written."""
    mine = Message.objects.filter(pk=message.pk, state=Message.State.SENDING, attempts=message.attempts)
    return mine.update(**changes)
