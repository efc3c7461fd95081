"""What waits to go out follows a choice that is made meanwhile: of its ways, and of the hours at which it goes."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q

from notifications.broker import DELIVERY_TASK, MAIL_TASK, PUSH_TASK, TELEGRAM_TASK, wake_on_commit
from notifications.kinds import KINDS, Channel
from notifications.models import Mail, Message, Outgoing, PushMessage, TelegramMessage
from notifications.services import times_of, why_not_theirs
from notifications.troubles import Trouble
from notifications.ways import Recipient, Way, is_on
from notifications.zones import zone_of

_STATE: Final = Outgoing.State
# Where a warning follows what it was written for.
_OWN: Final = (Way.SMS, Way.EMAIL)
_BY_TASK: Final[dict[str, type[Outgoing]]] = {
    DELIVERY_TASK: Message,
    MAIL_TASK: Mail,
    TELEGRAM_TASK: TelegramMessage,
    PUSH_TASK: PushMessage,
}


def bring_in_line(recipient: Recipient, *, now: datetime) -> None:
    """Let what waits for `recipient` go by the ways and at the hours that they want now; call it where these are saved.

    What is not wanted any more is withheld, and back once it is wanted again before its hour. What leads to a former
    address, second phone or chat is withheld for good: nobody chose the next one for it. What a worker has claimed
    goes as it was, as does what follows no choice: codes, tests, one SMS that tells of several, and a warning that was
    to go at once. What is tried again keeps its pause. Rows are locked, those of others skipped.
    """
    zone = zone_of(recipient.pk)
    for task, model in _BY_TASK.items():
        rows: list[Any] = list(_waiting(model, recipient, now=now))
        for row in rows:
            row.recipient = recipient
        changed = [row for row in rows if _changes(row, recipient, zone, now=now)]
        if changed:
            model._default_manager.bulk_update(changed, ["state", "error", "next_attempt_at"])
            wake_on_commit(task)


def _waiting(model: type[Outgoing], recipient: Recipient, *, now: datetime) -> Any:
    switched_off = Q(state=_STATE.WITHHELD, error=Trouble.SWITCHED_OFF, next_attempt_at__gt=now)
    rows = model._default_manager.filter(Q(state=_STATE.QUEUED) | switched_off, recipient_id=recipient.pk)
    return rows.select_for_update(skip_locked=True).defer("text").order_by("pk")


def _changes(row: Any, recipient: Recipient, zone: ZoneInfo, *, now: datetime) -> bool:
    """Bring a locked row in line; whether that changes it."""
    kind = KINDS.get(row.kind)
    if kind is None or Channel.INBOX not in kind.channels or (kind.warns_at_once and _way_of(row) in _OWN):
        return False
    before = (row.state, row.error, row.next_attempt_at)
    if why := why_not_theirs(row):
        row.state, row.error = _STATE.WITHHELD, why
    elif not is_wanted(row, recipient):
        row.state, row.error = _STATE.WITHHELD, Trouble.SWITCHED_OFF.value
    else:
        if row.state == _STATE.WITHHELD:
            row.state, row.error = _STATE.QUEUED, ""
        is_copy = _way_of(row) is Way.SECOND_PHONE
        # An answer that waits for an hour is for somebody who has not pressed, or no longer waits.
        is_due = kind.is_due_at_once(has_pressed=row.next_attempt_at <= now, is_copy=is_copy)
        if not (is_due or row.attempts):
            times = times_of(
                kind,
                now=now,
                zone=row.zone or zone,
                whose=recipient,
                known_by=row.known_by,
                is_copy=is_copy,
            )
            row.next_attempt_at = times["next_attempt_at"]
    return (row.state, row.error, row.next_attempt_at) != before


def is_wanted(row: Outgoing, recipient: Any) -> bool:
    """Whether its recipient wants it by the way that it goes; so it is where there is nothing to choose."""
    kind = KINDS.get(row.kind)
    if kind is None or Channel.INBOX not in kind.channels:
        return True
    if isinstance(row, Message) and row.is_copy and row.instead_of is not None:
        return bool(recipient.second_phone_if_lost)
    return is_on(kind.topic, _way_of(row), recipient)


def _way_of(row: Outgoing) -> Way:
    if isinstance(row, Message):
        return Way.SECOND_PHONE if row.is_copy else Way.SMS
    if isinstance(row, PushMessage):
        return Way.PUSH
    return Way.EMAIL if isinstance(row, Mail) else Way.TELEGRAM
