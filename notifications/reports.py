"""What became of the SMS that gateways took: asked for, or told by them, and what is done about one that is lost.

A gateway is asked after half a minute, before two minutes are over, after ten minutes and after an hour; then the
message stays `sent`. What a gateway tells by itself is asked about at once instead of being believed, unless it can't
be asked; then its report is signed by us.
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from notifications.alone import alone
from notifications.broker import wake_soon
from notifications.gateways import FIRST_ASKED, reporters
from notifications.kinds import KINDS
from notifications.models import Message
from notifications.selectors import untold
from notifications.services import (
    call_off_repetition,
    is_still_theirs,
    is_worth_repeating,
    repeat,
    repeat_to_second_phone,
    was_repeated,
)
from notifications.sms.base import Arrival, Report, Reporter, chosen
from notifications.sms.http import GatewayError, short
from notifications.sweeps import renew_connection, sweep

logger = logging.getLogger(__name__)

REPORTS_TASK: Final = "notifications.tasks.ask_for_reports"
ASKED_AFTER: Final = (FIRST_ASKED, timedelta(seconds=90), timedelta(minutes=10), timedelta(hours=1))
# A message that has not arrived by then is sent by another way.
PATIENCE: Final = timedelta(minutes=10)
# For how long a gateway that does not answer is asked about a message.
GIVES_UP: Final = timedelta(days=1)
_MOST_AT_ONCE: Final = 2000
_SECONDS: Final = 50.0


def next_asked(sent_at: datetime, *, now: datetime) -> datetime | None:
    """When to ask about a message that has not arrived by `now`; None if not any more."""
    return next((sent_at + after for after in ASKED_AFTER if sent_at + after > now), None)


def ask_for_reports(*, now: datetime) -> int:
    """Ask the gateways about the messages whose time has come, the longest due first; returns how many answers came.

    One worker does it at a time, for about a minute at most. A message is due again later before its gateway is asked,
    so one whose answer can't be read holds up nothing.
    """
    renew_connection()
    with alone("delivery reports") as is_alone:
        return _ask_all(now=now) if is_alone else 0


def _ask_all(*, now: datetime) -> int:
    ends = time.monotonic() + _SECONDS
    due = Message.objects.filter(ask_at__lte=now).order_by("ask_at", "id")[:_MOST_AT_ONCE]
    rows = sorted(due, key=lambda row: row.provider_id.partition(":")[0])
    known, answers = reporters(), 0
    for name, of_one in groupby(rows, key=lambda row: row.provider_id.partition(":")[0]):
        if name not in known:
            _put_off(list(of_one), until=None)
            continue
        for portion in _portions(list(of_one), known[name].most_asked):
            if time.monotonic() > ends:
                return answers
            try:
                answers += _ask_about(portion, known[name], now=now)
            except GatewayError as error:
                logger.warning("SMS gateway %s gave no reports: %s", name, error)
                break
            except Exception:
                logger.exception("could not ask the SMS gateway %s for reports", name)
                renew_connection()
    return answers


def _ask_about(mine: list[Message], gateway: Reporter, *, now: datetime) -> int:
    # Claimed first: whoever dies on the way leaves them due later.
    _put_off([row for row in mine if _is_young(row, now)], until=now + timedelta(minutes=5))
    _put_off([row for row in mine if not _is_young(row, now)], until=None)
    asked = {_number(row): row.to for row in mine if _number(row)}
    told = gateway.reports(asked) if asked else {}
    # Of what has no number nobody will ever say more: once patience is over it goes by another way, if it matters.
    reports = {"": Report(Arrival.UNDER_WAY)} | told
    sweep(mine, lambda row: take(row, reports.get(_number(row), Report(Arrival.UNKNOWN)), now=now))
    return len(told)


@transaction.atomic
def take(message: Message, report: Report, *, now: datetime) -> bool:
    """Write what became of a message that a gateway took; True if that is news. Safe to call twice, in any order.

    What did not arrive is repeated in the same transaction: if either can't be written, the next report finds it as it
    was.
    """
    mine = Message.objects.filter(pk=message.pk)
    if report.arrival is Arrival.DELIVERED:
        # Whatever was said before: what is there did arrive.
        open_ones = mine.filter(state__in=[Message.State.SENT, Message.State.UNDELIVERED])
        at = min(max(report.at or now, message.sent_at or now), now)
        is_news = bool(open_ones.update(state=Message.State.DELIVERED, delivered_at=at, ask_at=None))
        if is_news:
            call_off_repetition(message)
        return is_news
    sent = mine.filter(state=Message.State.SENT)
    if report.arrival is Arrival.UNDELIVERED:
        is_news = bool(sent.update(state=Message.State.UNDELIVERED, ask_at=None))
        if is_news:
            logger.warning("Message %s (%s) did not arrive", message.pk, message.kind)
            try_another_way(message, now=now)
        return is_news
    sent_at = message.sent_at or now
    sent.update(ask_at=next_asked(sent_at, now=now))
    if report.arrival is Arrival.UNDER_WAY and now >= sent_at + PATIENCE:
        try_another_way(message, now=now)
    return False


def ask_soon(provider_id: str, *, now: datetime) -> bool:
    """A gateway says that it knows more about this message: ask it now. False if nothing is waiting for that."""
    waiting = Message.objects.filter(provider_id=provider_id, state=Message.State.SENT)
    if not waiting.exclude(ask_at__lte=now).update(ask_at=now):
        return False
    wake_soon(REPORTS_TASK)
    return True


def try_another_way(message: Message, *, now: datetime) -> bool:
    """Send what did not arrive once more, if it matters: to the second phone of who chose that, or by another gateway.

    True if that was written. Once in all: what is repeated is never repeated.
    """
    if message.instead_of or not is_worth_repeating(message, now=now) or KINDS[message.kind].can_wait:
        return False
    if was_repeated(message) or untold([message]) or not is_still_theirs(message):
        return False
    if repeat_to_second_phone(message, now=now):
        return True
    if len(chosen()) < 2:
        return False
    repeat(message, avoiding=message.provider_id.partition(":")[0], now=now)
    return True


def message_of(key: UUID) -> Message | None:
    """The message with this key, for a report about it."""
    return Message.objects.filter(pk=key).first()


def _put_off(rows: list[Any], *, until: datetime | None) -> None:
    Message.objects.filter(pk__in=[row.pk for row in rows], ask_at__isnull=False).update(ask_at=until)


def _is_young(row: Message, now: datetime) -> bool:
    return row.sent_at is not None and now < row.sent_at + GIVES_UP


def _portions(rows: list[Message], size: int) -> Iterator[list[Message]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _number(row: Message) -> str:
    """The gateway's number for a message; empty where it gave none that can be asked about."""
    number = short(row.provider_id.partition(":")[2])
    return "" if number == "?" else number
