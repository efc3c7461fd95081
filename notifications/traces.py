"""By which ways notices went beside the inbox, and what became of each: the outbox as families see it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Case, CharField, DateTimeField, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Coalesce, Concat
from django.utils.translation import gettext

from notifications.models import Mail, Message, Notice, Outgoing, PushMessage, TelegramMessage
from notifications.services import again_key, copy_key
from notifications.troubles import Trouble
from notifications.ways import Way

_State = Outgoing.State
_UNDER_WAY: Final = (_State.QUEUED, _State.SENDING)
_LOST: Final = (_State.FAILED, _State.UNDELIVERED, _State.WITHHELD)
_ORDER: Final = list(Way)
_COLUMNS: Final = (
    "way", "dedupe_key", "state", "error", "attempts", "next_attempt_at", "sent_at", "arrived_at", "together",
)  # fmt: skip


class Trace(NamedTuple):
    """What became of a notice by one way. `at` is when that was, or when it goes; None if that says nothing."""

    way: Way
    words: str
    at: datetime | None = None
    is_lost: bool = False


def ways_of(notices: Iterable[Notice], *, now: datetime) -> dict[UUID, list[Trace]]:
    """What became of these notices, by their keys, in one query. What is no longer kept is not there.

    Give it nothing but notices that the reader may see (`selectors.inbox_of`).
    """
    notice_of: dict[str, UUID] = {}
    for notice in notices:
        key = notice.dedupe_key
        notice_of |= dict.fromkeys((key, again_key(key), copy_key(key)), notice.pk)
    found: dict[UUID, list[Trace]] = defaultdict(list)
    if notice_of:
        # What was sent again stands behind the first.
        for way, key, *row in sorted(_rows(list(notice_of)), key=lambda row: (_ORDER.index(row[0]), row[1])):
            found[notice_of[key]].append(_trace(Way(way), *row, now=now))
    return dict(found)


def _rows(keys: list[str]) -> "QuerySet[Any, Any]":
    copy = Case(
        When(is_copy=True, then=Value(Way.SECOND_PHONE.value)),
        default=Value(Way.SMS.value),
        output_field=CharField(),
    )
    # Of what went together: the SMS that repeats it is told of, unless that is lost, too.
    again = Message.objects.exclude(state__in=_LOST).filter(
        dedupe_key__in=[
            Concat(OuterRef("merged_into__dedupe_key"), Value(suffix))
            for suffix in (again_key(""), copy_key(""))
        ]
    )
    arrived_at = Coalesce("delivered_at", again.values("sent_at")[:1], "merged_into__sent_at")
    together = Coalesce(again.values("state")[:1], F("merged_into__state"))
    of_sms = _told(Message, keys, copy, arrived_at, together)
    unknown, none = Value(None, output_field=DateTimeField()), Value(None, output_field=CharField())
    others = [
        _told(model, keys, Value(way.value, output_field=CharField()), unknown, none)
        for model, way in ((Mail, Way.EMAIL), (TelegramMessage, Way.TELEGRAM), (PushMessage, Way.PUSH))
    ]
    return of_sms.union(*others, all=True)


def _told(
    model: type[Outgoing], keys: list[str], way: Any, arrived_at: Any, together: Any
) -> "QuerySet[Any, Any]":
    rows = model._default_manager.filter(dedupe_key__in=keys).order_by()
    return rows.annotate(way=way, arrived_at=arrived_at, together=together).values_list(*_COLUMNS)


def _trace(
    way: Way,
    state: str,
    error: str,
    attempts: int,
    next_attempt_at: datetime,
    sent_at: datetime | None,
    arrived_at: datetime | None,
    together: str | None,
    *,
    now: datetime,
) -> Trace:
    if state == _State.DELIVERED:
        return Trace(way, gettext("delivered"), arrived_at or sent_at)
    if state == _State.SENT:
        return Trace(way, gettext("sent"), sent_at)
    if state == _State.WITHHELD:
        return Trace(way, _why_not(error))
    if state == _State.MERGED and together == _State.WITHHELD:
        return Trace(way, _why_not(error))
    if state == _State.MERGED and together not in _LOST:
        return Trace(way, gettext("told of in one SMS with others"), arrived_at)
    if state not in _UNDER_WAY:
        return Trace(way, gettext("did not arrive"), is_lost=True)
    if state == _State.SENDING or next_attempt_at <= now:
        return Trace(way, gettext("on its way"))
    if attempts:
        return Trace(way, gettext("not sent yet, tried again at:"), next_attempt_at)
    return Trace(way, gettext("goes out at:"), next_attempt_at)


def _why_not(error: str) -> str:
    """Why it is in the inbox alone, as far as that is the reader's business."""
    if error == Trouble.ENOUGH:
        return gettext("not sent: too many messages went there today")
    if error == Trouble.NOT_PROVEN:
        return gettext("not sent: the second phone is no longer proven")
    if error == Trouble.SWITCHED_OFF:
        return gettext("not sent: you switched this way off")
    if error == Trouble.FORMER_ADDRESS:
        return gettext("not sent: the address is no longer yours")
    if error == Trouble.NOT_LINKED:
        return gettext("not sent: the chat is no longer linked")
    if error == Trouble.NO_DEVICE:
        return gettext("not sent: no device shows notices any more")
    return gettext("not sent: it is only here")
