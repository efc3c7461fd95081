"""The rows of the outbox as workers take, return and record them. Who is handed a row has it until its lease ends."""

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

from django.db import connection, transaction
from django.db.models import Count, F, Min, Q, QuerySet

from notifications.kinds import (
    PastBudget,
    goes_with_others,
    kinds_past_budget,
    kinds_that_can_wait,
    secret_kinds,
)
from notifications.models import Mail, Message, Outgoing, PushMessage, TelegramMessage
from notifications.sms.base import SEND_SECONDS
from notifications.sweeps import renew_connection
from notifications.troubles import Trouble

logger = logging.getLogger(__name__)

# What is claimed and not begun after so long is given back: another worker, or another turn, may be faster.
WAITS_SECONDS: Final = 10.0
# From the claim: a row waits, is sent, and its outcome is recorded. A killed worker's rows are due again after it.
LEASE: Final = timedelta(seconds=WAITS_SECONDS + SEND_SECONDS + 5)

_UNDER_WAY: Final = (Outgoing.State.QUEUED, Outgoing.State.SENDING)
# What decides whether a message goes out again; each of these is the portal's own word.
_BARE: Final = ("state", "attempts", "next_attempt_at", "sent_at", "unclear", "text")
_AGE: Final = ("give_up_at", "created_at", "id")

Row = TypeVar("Row", bound=Outgoing)


class Change(NamedTuple):
    """What became of a claimed row: the columns to write."""

    row: Outgoing
    columns: Mapping[str, Any]


def due(*, now: datetime) -> QuerySet[Message]:
    """The SMS that a worker may claim at `now`: waiting, or left behind by a worker whose lease ran out."""
    return _due(Message, now=now)


def mails_due(*, now: datetime) -> QuerySet[Mail]:
    """The same for e-mails."""
    return _due(Mail, now=now)


def telegrams_due(*, now: datetime) -> QuerySet[TelegramMessage]:
    """The same for messages to Telegram."""
    return _due(TelegramMessage, now=now)


def pushes_due(*, now: datetime) -> QuerySet[PushMessage]:
    """The same for notices on screens."""
    return _due(PushMessage, now=now)


def waiting_codes() -> QuerySet[Message]:
    """The codes that have not gone out and have not been given up, due or put off: somebody waits for each."""
    return Message.objects.filter(state__in=_UNDER_WAY, kind__in=secret_kinds())


def waiting_by_kind(model: type[Any]) -> QuerySet[Any, Any]:
    """Of each kind that has not gone out and has not been given up: how many, and when the oldest was written."""
    rows: QuerySet[Any, Any] = model.objects.filter(state__in=_UNDER_WAY).order_by().values("kind")
    rows = rows.annotate(found=Count("pk"), oldest=Min("created_at"))
    return rows.values_list("kind", "found", "oldest")


def is_any_due(model: type[Outgoing], *, now: datetime) -> bool:
    return bool(_due(model, now=now).exists())


def claim_codes(model: type[Row], *, most: int, now: datetime) -> list[Row]:
    """Take up to so many of the due codes that still open something, until the lease ends; the oldest first."""
    codes = _due(model, now=now).filter(kind__in=secret_kinds(), give_up_at__gt=now)
    return _take(codes.order_by(*_AGE), most=most, now=now)


def claim(model: type[Row], *, most: int, now: datetime) -> list[Row]:
    """Take up to so many of the due rows, until the lease ends.

    First warnings, then what happened to a family, and last what can wait. Alike are taken as they would be given up.
    One order for all of them would sort the whole outbox for every portion; these few are looked for by indexes.
    """
    rows = _due(model, now=now)
    turns = (Q(kind__in=kinds_past_budget(PastBudget.WARNING)), ~Q(kind__in=kinds_that_can_wait()), Q())
    taken: list[Row] = []
    for turn in turns:
        if len(taken) < most:
            taken += _take(rows.filter(turn).order_by(*_AGE), most=most - len(taken), now=now)
    return taken


def nothing_tried(row: Outgoing, *, now: datetime) -> dict[str, Any]:
    """The columns of a row that is due again, with its attempts as they were before the claim."""
    return {"state": Outgoing.State.QUEUED, "attempts": row.attempts - 1, "next_attempt_at": now}


def put_off(row: Outgoing, *, until: datetime) -> dict[str, Any]:
    """The columns of a row that may not go yet. What waits for the morning may go with others then, too."""
    error = Trouble.WITH_OTHERS.value if goes_with_others(row.kind) else ""
    return nothing_tried(row, now=until) | {"error": error}


def record(changes: list[Change]) -> list[bool]:
    """Write what became of claimed rows, all together; of each, whether it was written.

    It is not if the lease ran out and another worker has claimed the row since. A row whose outcome can't be written in
    full holds up no other, and keeps its state at least: what was sent must not be sent again for that.
    """
    groups = _alike(changes)
    try:
        # One statement needs no transaction around it, which would be two more.
        with transaction.atomic() if len(groups) > 1 else nullcontext():
            written = {key for group in groups for key in _write(group)}
            return [change.row.pk in written for change in changes]
    except Exception:
        logger.exception("The outcomes of %s messages can't be written together", len(changes))
    renew_connection()
    return [_write_what_can_be(change) for change in changes]


def _write_what_can_be(change: Change) -> bool:
    bare = {name: value for name, value in change.columns.items() if name in _BARE}
    for columns in (change.columns, bare):
        try:
            with transaction.atomic():
                return bool(_write([change._replace(columns=columns)]))
        except Exception:
            logger.exception("Of message %s %s can't be written", change.row.pk, ", ".join(columns))
    return False


def _alike(changes: list[Change]) -> list[list[Change]]:
    """Those that change in the same columns, together: a statement for each row takes five times as long."""
    alike: dict[tuple[type[Outgoing], tuple[str, ...]], list[Change]] = {}
    for change in changes:
        alike.setdefault((type(change.row), tuple(change.columns)), []).append(change)
    return list(alike.values())


def _write(changes: list[Change]) -> list[Any]:
    """Write changes of the same columns; returns the keys of the rows that were still this worker's."""
    model, names = type(changes[0].row), tuple(changes[0].columns)
    fields: list[Any] = [model._meta.get_field(name) for name in ("id", "attempts", *names)]
    rows = [(change.row.pk, change.row.attempts, *change.columns.values()) for change in changes]
    values = [
        [field.get_prep_value(value) for value in column]
        for field, column in zip(fields, zip(*rows, strict=True), strict=True)
    ]
    columns = [connection.ops.quote_name(field.column) for field in fields[2:]]
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    statement = f"""
        UPDATE {connection.ops.quote_name(model._meta.db_table)} AS mine
        SET {", ".join(f"{column} = new.{column}" for column in columns)}
        FROM unnest({arrays}) AS new ({", ".join(["claimed_id", "claimed_as", *columns])})
        WHERE mine.id = claimed_id AND mine.attempts = claimed_as AND mine.state = %s
        RETURNING mine.id
    """  # noqa: S608  names of our own models alone
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, Outgoing.State.SENDING])
        return [key for (key,) in cursor.fetchall()]


def _due(model: type[Any], *, now: datetime) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(state__in=_UNDER_WAY, next_attempt_at__lte=now)
    return rows


def _take(rows: QuerySet[Any], *, most: int, now: datetime) -> list[Any]:
    with transaction.atomic():
        taken = list(rows.select_for_update(skip_locked=True)[:most])
        if taken:
            claimed = {"state": Outgoing.State.SENDING, "next_attempt_at": now + LEASE}
            chosen = rows.model.objects.filter(pk__in=[row.pk for row in taken])
            chosen.update(attempts=F("attempts") + 1, **claimed)
            for row in taken:
                row.attempts += 1
                for name, value in claimed.items():
                    setattr(row, name, value)
    return taken
