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
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Case, Q, QuerySet, When

from notifications import gateways
from notifications.alone import alone
from notifications.budget import Purse, has_had_enough, raise_alarm
from notifications.kinds import (
    PastBudget,
    fate_of,
    is_secret,
    kinds_past_budget,
    kinds_that_can_not_wait,
    secret_kinds,
)
from notifications.mailing import send_mail
from notifications.models import Mail, Message, Outgoing
from notifications.selectors import is_told
from notifications.services import is_still_theirs
from notifications.sms.base import SEND_SECONDS, Outcome, SendResult, get_backend, hand_over
from notifications.sms.failover import FailoverBackend
from notifications.sweeps import renew_connection
from notifications.troubles import Trouble

logger = logging.getLogger(__name__)

# No row is claimed later than this after the start, so that every send ends well before its lease does.
CLAIMING = timedelta(seconds=60)
LEASE = CLAIMING + timedelta(seconds=SEND_SECONDS) + timedelta(seconds=90)
SHORTEST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=32)
JITTER = 0.25
# What may have arrived is sent so often at most, with longer pauses: an SMS twice is better than none, and no worse.
MOST_UNCLEAR = 4

_random = SystemRandom()


@dataclass
class Counts:
    """What one delivery did: messages accepted by a gateway or mail server, postponed, given up, left to the inbox."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    withheld: int = 0


class _Post(Protocol):
    """One way out of the house."""

    model: type[Outgoing]
    # How gateways did.
    tally: gateways.Tally

    def why_withheld(self, row: Any, *, now: datetime) -> str:
        """Why a notice is not sent; empty if it is sent."""
        ...

    def send(self, row: Any) -> SendResult: ...


class _SmsPost:
    model: type[Outgoing] = Message

    def __init__(self) -> None:
        self._backend = get_backend()
        self.purse = Purse()
        self.tally = gateways.Tally()

    def why_withheld(self, row: Message, *, now: datetime) -> str:
        """As every code is, a notice is sent while there is a budget for it."""
        if not is_told(row):
            return Trouble.NOT_TOLD.value
        if row.is_copy and not is_still_theirs(row):
            return Trouble.NOT_PROVEN.value
        fate = fate_of(row.kind)
        is_open = self.purse.is_open(now=now)
        if fate is PastBudget.WITHHELD and not is_open:
            return Trouble.BUDGET.value
        if fate in (PastBudget.WITHHELD, PastBudget.WARNING) and has_had_enough(row, now=now):
            return Trouble.ENOUGH.value
        return ""

    def send(self, row: Message) -> SendResult:
        backend = self._backend
        if row.avoids and isinstance(backend, FailoverBackend):
            backend = backend.asking_last(row.avoids)
        return hand_over(backend, row.phone.as_e164, row.text or "", idempotency_key=str(row.pk))


class _MailPost:
    """E-mails cost nothing, so no budget holds them."""

    model: type[Outgoing] = Mail

    def __init__(self) -> None:
        self.tally = gateways.Tally()

    def why_withheld(self, row: Mail, *, now: datetime) -> str:
        return "" if is_told(row) else Trouble.NOT_TOLD.value

    def send(self, row: Mail) -> SendResult:
        return send_mail(row)


def deliver_due(*, now: datetime) -> Counts:
    """Send the SMS that are due at `now`, those that somebody waits for first (`_next`); returns the counts.

    Any number of workers may deliver at once: each claimed row is sent by one of them. It works for at most a minute,
    or until no gateway may be asked, and leaves the rest to the next call. Never call it inside a transaction: the lock
    would be held while sending.
    """
    renew_connection()
    gateways.refresh(now=now)
    post = _SmsPost()
    counts = _deliver_all(post, now=now)
    post.tally.write(now=now)
    if post.purse.before is not None:
        raise_alarm(post.purse.before, now=now)
    return counts


def deliver_mails(*, now: datetime) -> Counts:
    """The same for e-mails, but by one worker at a time: a mail server that is slow holds no second one.

    Called beside another call it does nothing. What comes just as that one ends is left to the next call.
    """
    renew_connection()
    with alone("mails") as is_alone:
        return _deliver_all(_MailPost(), now=now) if is_alone else Counts()


def _deliver_all(post: _Post, *, now: datetime) -> Counts:
    counts = Counts()
    started = time.monotonic()
    while (worked := time.monotonic() - started) < CLAIMING.total_seconds():
        # Slow gateways must not delay a message past the instant from which it is worthless.
        present = now + timedelta(seconds=worked)
        row = _claim(post.model, now=present)
        if row is None or not _deliver(row, post=post, counts=counts, now=present):
            break
    return counts


def due(*, now: datetime) -> QuerySet[Message]:
    """The SMS that a worker may claim at `now`: waiting, or left behind by a worker whose lease ran out."""
    return _due(Message, now=now)


def mails_due(*, now: datetime) -> QuerySet[Mail]:
    """The same for e-mails."""
    return _due(Mail, now=now)


def _due(model: type[Any], *, now: datetime) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(
        state__in=[Outgoing.State.QUEUED, Outgoing.State.SENDING], next_attempt_at__lte=now
    )
    return rows


def waiting_codes() -> QuerySet[Message]:
    """The codes that have not gone out and have not been given up, due or put off: somebody waits for each."""
    return Message.objects.filter(
        state__in=[Message.State.QUEUED, Message.State.SENDING], kind__in=secret_kinds()
    )


def pause_after(attempts: int, *, factor: int = 2) -> timedelta:
    """How long to wait after so many failed attempts: 1, 2, 4 … 32 minutes, plus a random part of up to a quarter.

    The random part keeps rows that failed together from coming back together.
    """
    pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * factor ** min(attempts - 1, 10))
    longer: timedelta = pause * (1 + _random.uniform(0, JITTER))
    return longer


def _claim(model: type[Outgoing], *, now: datetime) -> Outgoing | None:
    """Take one due row for this worker until the lease ends, or None if there is none."""
    with transaction.atomic():
        row = _next(_due(model, now=now).select_for_update(skip_locked=True), now=now)
        if row is None:
            return None
        row.state = Outgoing.State.SENDING
        row.attempts += 1
        row.next_attempt_at = now + LEASE
        row.save(update_fields=["state", "attempts", "next_attempt_at"])
        return row


def _next(rows: QuerySet[Any], *, now: datetime) -> Outgoing | None:
    """Of `rows` a code that still opens something, else a warning, else a notice, and last what can wait.

    One order for all of them would sort the whole outbox for every row. These few are looked for by indexes.
    """
    code = Q(kind__in=secret_kinds(), give_up_at__gt=now)
    warning = Q(kind__in=kinds_past_budget(PastBudget.WARNING))
    age = ["give_up_at", "created_at", "id"]
    row: Outgoing | None = (
        rows.filter(code | warning).order_by(Case(When(code, then=0), default=1), *age).first()
        or rows.filter(kind__in=kinds_that_can_not_wait()).order_by(*age).first()
        or rows.order_by(*age).first()
    )
    return row


def _deliver(row: Outgoing, *, post: _Post, counts: Counts, now: datetime) -> bool:
    """Send a claimed row and record the result; False if there is no point in trying others."""
    if now >= row.give_up_at:
        counts.failed += _finish(row, state=Outgoing.State.FAILED, error=row.error or Trouble.LATE.value)
        return True
    if why := post.why_withheld(row, now=now):
        counts.withheld += _record(row, state=Outgoing.State.WITHHELD, attempts=row.attempts - 1, error=why)
        logger.warning("Message %s (%s) is left to the inbox: %s", row.pk, row.kind, why)
        return True
    result = _send(row, post=post)
    if result.outcome is Outcome.NOT_ASKED:
        # No attempt was made, so none is counted and the message stays due.
        _record(row, state=Outgoing.State.QUEUED, attempts=row.attempts - 1, next_attempt_at=now)
        return False
    is_unclear = result.outcome is Outcome.UNCLEAR
    row.unclear += is_unclear
    pause = pause_after(row.unclear, factor=8) if is_unclear else pause_after(row.attempts)
    if result.outcome is Outcome.ACCEPTED:
        accepted = gateways.as_taken(row, result, now=now) if isinstance(row, Message) else {}
        counts.sent += _finish(row, state=Outgoing.State.SENT, sent_at=now, error="", **accepted)
    elif result.outcome is Outcome.REFUSED or now + pause >= row.give_up_at or row.unclear >= MOST_UNCLEAR:
        error = Trouble.UNCLEAR.value if row.unclear >= MOST_UNCLEAR else result.error
        counts.failed += _finish(row, state=Outgoing.State.FAILED, error=error, unclear=row.unclear)
        logger.error("Message %s (%s) is given up: %s", row.pk, row.kind, result.error)
    else:
        counts.retried += _record(
            row,
            state=Outgoing.State.QUEUED,
            next_attempt_at=now + pause,
            error=result.error,
            unclear=row.unclear,
        )
        logger.warning("Message %s (%s) is put off: %s", row.pk, row.kind, result.error)
    post.tally.add(row.kind, result.tries, now=now)
    return True


def _send(row: Outgoing, *, post: _Post) -> SendResult:
    if row.text is None:
        return SendResult(Outcome.UNAVAILABLE, error=Trouble.NO_KEY_OF_TEXT.value)
    try:
        return post.send(row)
    except Exception as error:  # noqa: BLE001
        # One broken gateway must not stop the rest. The trace may hold phone and text, so only the class is logged.
        return SendResult(Outcome.UNCLEAR, error=f"{type(error).__name__} in the gateway's code")


def _finish(row: Outgoing, **changes: object) -> int:
    if is_secret(row.kind):
        changes["text"] = ""
    return _record(row, **changes)


def _record(row: Outgoing, **changes: object) -> int:
    """Write the outcome unless the lease ran out and another worker claimed the row since; 1 if written."""
    mine: QuerySet[Any] = type(row)._default_manager.filter(
        pk=row.pk, state=Outgoing.State.SENDING, attempts=row.attempts
    )
    return mine.update(**changes)
