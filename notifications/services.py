"""Telling people something: the only way for other apps to write to an inbox, send an SMS or an e-mail."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.template import Context, Engine
from django.urls import translate_url
from django.utils import translation
from phonenumber_field.phonenumber import PhoneNumber

from notifications.broker import (
    DELIVERY_TASK,
    MAIL_TASK,
    PUSH_TASK,
    TELEGRAM_TASK,
    wake_on_commit,
    wake_soon_on_commit,
)
from notifications.hours import due_at, evening_from
from notifications.kinds import KINDS, Channel, Kind, goes_with_others, is_secret
from notifications.models import Mail, Message, Notice, Outgoing, PushMessage, TelegramMessage
from notifications.selectors import inbox_of
from notifications.troubles import Trouble
from notifications.ways import Recipient, Way, address_of, is_offered, ways
from notifications.zones import zone_of

_UNDER_WAY = (Message.State.QUEUED, Message.State.SENDING)
_SENDABLE_AGAIN = (
    Message.State.FAILED,
    Message.State.WITHHELD,
    Message.State.SENT,
    Message.State.UNDELIVERED,
)
# The row of an SMS that no gateway has taken.
_NOT_TAKEN: Final[Mapping[str, Any]] = {
    "sent_at": None, "provider_id": "", "segments": None, "cost": None, "ask_at": None, "delivered_at": None,
}  # fmt: skip
_TASKS: Final[Mapping[type[Outgoing], str]] = {
    Message: DELIVERY_TASK,
    Mail: MAIL_TASK,
    TelegramMessage: TELEGRAM_TASK,
    PushMessage: PUSH_TASK,
}
# Where what goes by a way is written: the model, the column of the address if it has one, and what else is said of it.
ROWS: Final[Mapping[Way, tuple[type[Outgoing], tuple[str, ...], Mapping[str, Any]]]] = {
    Way.SMS: (Message, ("phone",), {}),
    Way.EMAIL: (Mail, ("address",), {}),
    Way.TELEGRAM: (TelegramMessage, ("chat",), {}),
    Way.SECOND_PHONE: (Message, ("phone",), {"is_copy": True}),
    Way.PUSH: (PushMessage, (), {}),
}


def enqueue(
    recipient: Recipient,
    kind: str,
    *,
    context: dict[str, Any],
    dedupe_key: str,
    now: datetime,
    link: str = "",
    about: UUID | None = None,
    zone: ZoneInfo | None = None,
    known_by: datetime | None = None,
    pressed_by: Any = None,
) -> None:
    """Write a message of `kind` to the inbox of `recipient` and to the outbox, as its channels say.

    Call it inside the transaction that causes the message: both are committed or neither is. `context` holds live
    objects (at least those that the kind needs; `KeyError` names a missing one) and is not stored; the inbox
    text is rendered in both languages, the SMS in the recipient's. A second call with the same `dedupe_key`
    for the same kind and recipient changes nothing. `link` is a path of this site, kept without its language.
    With `about`, the inbox shows it only while the recipient is told of that (`selectors.register_known`), and an SMS
    or e-mail that still waits then is not sent.
    What has a text for SMS goes by the ways that the recipient has and wants (`notifications.ways`): by day (`hours`)
    in `zone`, that of the place that it is about, or without one in that where the recipient lives, and not in the
    recipient's quiet hours; at any hour if its kind does (`Kind.goes_at_once`). The inbox has it at once. `pressed_by`
    is the user who has just pressed what the message tells of: an answer goes at any hour to nobody else, nor to a
    second phone. `known_by` is the instant from which it is worthless: it goes at night if the morning is later, and is
    given up by then.
    The sender is woken after the commit, once for a whole burst of messages.
    """
    what = KINDS[kind]
    key = stored_key(kind, recipient.pk, dedupe_key)
    if Channel.INBOX in what.channels:
        notice = Notice(
            recipient_id=recipient.pk,
            kind=kind,
            text_kk=render(what, Channel.INBOX, language="kk", context=context),
            text_ru=render(what, Channel.INBOX, language="ru", context=context),
            link=_without_language(link),
            about=about,
            dedupe_key=key,
            created_at=now,
        )
        Notice.objects.bulk_create([notice], ignore_conflicts=True)
    chosen = ways(what, recipient)
    if not chosen:
        return
    has_pressed = pressed_by is not None and pressed_by.pk == recipient.pk
    times_for = partial(
        times_of, what, now=now, zone=zone, whose=recipient, known_by=known_by, has_pressed=has_pressed
    )
    times = times_for()
    for way in chosen:
        _write(
            way,
            what,
            address_of(recipient, way),
            recipient.language,
            context=context,
            key=key,
            times=times_for(is_copy=True) if way is Way.SECOND_PHONE else times,
            recipient_id=recipient.pk,
            about=about,
        )


def enqueue_by(
    way: Way, recipient: Recipient, kind: str, *, context: dict[str, Any], dedupe_key: str, now: datetime
) -> bool:
    """Write a message of `kind` by this one way, whatever is chosen, and not to the inbox; otherwise like `enqueue`.

    It goes at the hours of who has just pressed for it. False if the way leads nowhere.
    """
    to = address_of(recipient, way)
    if to:
        _write(
            way,
            KINDS[kind],
            to,
            recipient.language,
            context=context,
            key=stored_key(kind, recipient.pk, dedupe_key),
            times=times_of(KINDS[kind], now=now, zone=None, whose=recipient, has_pressed=True),
            recipient_id=recipient.pk,
        )
    return bool(to)


def repeat_to_second_phone(message: Message, *, now: datetime) -> bool:
    """Send an SMS that did not arrive to the second phone, if its owner proved that and chose so; True if it goes.

    Once in all, and only what can't be switched off: a code or a warning of a lost account never. It goes by day, and
    is worth no longer than the first was. Call it in a transaction.
    """
    recipient: Any = message.recipient
    if recipient is None or not recipient.second_phone_if_lost or not is_worth_repeating(message, now=now):
        return False
    phone = address_of(recipient, Way.SECOND_PHONE)
    key = copy_key(message.dedupe_key)
    if not phone or not is_offered(KINDS[message.kind].topic, Way.SECOND_PHONE):
        return False
    if Message.objects.filter(dedupe_key=key).exists():
        return False
    copy = Message(
        recipient_id=message.recipient_id,
        about=message.about,
        phone=phone,
        is_copy=True,
        kind=message.kind,
        language=message.language,
        text=message.text,
        dedupe_key=key,
        instead_of=message.pk,
        **_times_again(message, is_copy=True, now=now),
    )
    Message.objects.bulk_create([copy], ignore_conflicts=True)
    wake_soon_on_commit(DELIVERY_TASK)
    return True


def is_worth_repeating(message: Message, *, now: datetime) -> bool:
    """Whether an SMS that did not arrive may go by another way: what can't be switched off, while there is time.

    A code never: it is emptied once it was sent, and whoever waits for it asks for another. Nor a copy.
    """
    kind = KINDS.get(message.kind)
    matters = kind is not None and not kind.secret and kind.topic.is_mandatory
    return matters and bool(message.text) and not message.is_copy and now < message.give_up_at


def forget_chat(message: TelegramMessage) -> None:
    """Unlink the chat that `message` could not reach, unless its recipient has linked another since."""
    with transaction.atomic():
        users = get_user_model()._default_manager.select_for_update(no_key=True)
        recipient: Any = users.filter(pk=message.recipient_id).first() if message.recipient_id else None
        if recipient is not None and recipient.telegram == message.chat:
            recipient.telegram = ""
            recipient.save(update_fields=["telegram"])


def follow(about: UUID, *, into: UUID, recipients: Iterable[Any]) -> None:
    """What these users, given by their ids, were told about `about` is about `into` from now on; also what waits."""
    for told in (Notice, Message, Mail, TelegramMessage, PushMessage):
        told._default_manager.filter(about=about, recipient__in=list(recipients)).update(about=into)


def enqueue_to_mail(
    address: str,
    kind: str,
    *,
    context: dict[str, Any],
    language: str,
    dedupe_key: str,
    now: datetime,
    zone: ZoneInfo | None = None,
) -> None:
    """Write an e-mail of `kind` to an address that need not be proven yet; otherwise like `enqueue`.

    Where the portal sends no e-mails it does nothing (`settings.SENDS_MAIL`).
    """
    what = KINDS[kind]
    _write(
        Way.EMAIL,
        what,
        address,
        language,
        context=context,
        key=stored_key(kind, address, dedupe_key),
        times=times_of(what, now=now, zone=zone),
        recipient_id=None,
    )


def enqueue_to_phone(
    phone: Any,
    kind: str,
    *,
    context: dict[str, Any],
    language: str,
    dedupe_key: str,
    now: datetime,
    zone: ZoneInfo | None = None,
    has_pressed: bool = False,
) -> None:
    """Write an SMS of `kind` to a phone that need not belong to anybody yet; otherwise like `enqueue`.

    `has_pressed`: whoever holds that phone has just pressed what the message tells of.
    """
    what = KINDS[kind]
    _write(
        Way.SMS,
        what,
        phone,
        language,
        context=context,
        key=stored_key(kind, PhoneNumber.from_string(str(phone)).as_e164, dedupe_key),
        times=times_of(what, now=now, zone=zone, has_pressed=has_pressed),
        recipient_id=None,
    )


def withdraw_from_phone(phone: Any, kind: str, *, dedupe_keys: Iterable[str]) -> None:
    """Withhold what was enqueued for `phone` under these keys and has not gone out; a sender at work may still send it.

    Its text is emptied: it holds a code that opens nothing any more.
    """
    number = PhoneNumber.from_string(str(phone)).as_e164
    stored = [stored_key(kind, number, key) for key in dedupe_keys]
    if stored:
        under_way = Message.objects.filter(dedupe_key__in=stored, state__in=_UNDER_WAY)
        under_way.update(state=Message.State.WITHHELD, text="", error=Trouble.NEWER.value)


def render(kind: Kind, channel: Channel, *, language: str, context: dict[str, Any]) -> str:
    """The text of `kind` for `channel` in `language`: plain text in one paragraph, nothing escaped.

    Raises `KeyError` if `context` lacks a value that the kind needs.
    """
    values = {name: context[name] for name in kind.needs} | {"contact_phone": settings.CONTACT_PHONES[0]}
    template = Engine.get_default().get_template(kind.template(channel, language))
    with translation.override(language):
        text = template.render(Context(values, autoescape=False))
    # A no-break space stays one: it keeps the digits of a number together.
    return re.sub(r"[ \t\r\n]+", " ", text).strip()


def mark_read(notice: Notice, *, now: datetime) -> None:
    """Record that the recipient read `notice` at `now`; only the first time counts."""
    Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=now)


def mark_seen(notices: Iterable[Notice], *, now: datetime) -> None:
    """Record that the recipient saw these notices at `now`; only the first time counts."""
    unread = [notice.pk for notice in notices if notice.read_at is None]
    if unread:
        Notice.objects.filter(pk__in=unread, read_at=None).update(read_at=now)


def mark_all_read(recipient: Any, *, now: datetime) -> int:
    """Record that `recipient` read everything that the inbox shows; returns how many notices were unread."""
    return inbox_of(recipient).filter(read_at=None).update(read_at=now)


def put_away(notices: QuerySet[Notice], *, now: datetime) -> int:
    """Archive these notices of an inbox at `now`; they count as read from then on. Returns how many went."""
    return notices.filter(archived_at=None).update(archived_at=now, read_at=Coalesce("read_at", now))


def put_back(notices: QuerySet[Notice]) -> int:
    """Take these notices of an inbox out of the archive again. Returns how many came."""
    return notices.exclude(archived_at=None).update(archived_at=None)


def can_send_again(message: Outgoing) -> bool:
    """Whether a message can be sent again as it stands: see `send_again`. Load it with its recipient."""
    return (
        bool(message.text)
        and not is_secret(message.kind)
        and message.state in _SENDABLE_AGAIN
        and is_still_theirs(message)
    )


def send_again(message: Outgoing, *, now: datetime) -> datetime | None:
    """Put a message that failed, was withheld or did not arrive back into the outbox; None if that is impossible.

    Returns when it goes: at once, or by day if its kind keeps hours.

    It is impossible if the text is secret, while the message is still under way, and once its recipient has another
    number or address: somebody else may have the former one.
    The row is locked, so that two employees send it once. Its attempts and its time to live start again. Of an SMS that
    a gateway took before, a row of its own stays: it was paid for.
    """
    with transaction.atomic():
        locked = (
            type(message)
            ._default_manager.select_for_update(of=("self",))
            .select_related("recipient")
            .get(pk=message.pk)
        )
        if not can_send_again(locked):
            return None
        locked.state = Message.State.QUEUED
        locked.attempts = locked.unclear = 0
        locked.error = ""
        # What somebody sends after that instant is worth it to them.
        known_by = locked.known_by if locked.known_by and now < locked.known_by else None
        times = times_of(
            KINDS[locked.kind],
            now=now,
            zone=locked.zone,
            whose=locked.recipient,
            known_by=known_by,
            is_copy=isinstance(locked, Message) and locked.is_copy,
        )
        locked.next_attempt_at, locked.give_up_at = times["next_attempt_at"], times["give_up_at"]
        locked.known_by = known_by
        changed = ["state", "attempts", "unclear", "error", "next_attempt_at", "give_up_at", "known_by"]
        if isinstance(locked, Message):
            _keep_what_was_handed_over(locked)
            changed += _NOT_TAKEN
        locked.save(update_fields=changed)
        wake_on_commit(_TASKS[type(locked)])
        return locked.next_attempt_at


def _keep_what_was_handed_over(message: Message) -> None:
    """Leave a row of its own of an SMS that a gateway took, as it is stored; `message` is one that none has taken.

    The former one stays in the budgets, the costs and the counts of what arrived. Its text goes on with `message`, so
    nothing sends it a third time; what became of it is asked no more.
    """
    if message.sent_at is not None:
        former = Message.objects.get(pk=message.pk)
        former.pk, former.text, former.ask_at = uuid4(), "", None
        former.dedupe_key = f"{message.dedupe_key}:{former.pk.hex}"
        former.save(force_insert=True)
    for name, value in _NOT_TAKEN.items():
        setattr(message, name, value)


def repeat(message: Message, *, avoiding: str, now: datetime) -> None:
    """Write an SMS that did not arrive once more, to go by another gateway than `avoiding`.

    By day like any other, while there is still time for that. A second time changes nothing.
    """
    again = Message(
        recipient_id=message.recipient_id,
        about=message.about,
        phone=message.phone,
        kind=message.kind,
        language=message.language,
        text=message.text,
        dedupe_key=again_key(message.dedupe_key),
        instead_of=message.pk,
        avoids=avoiding,
        **_times_again(message, now=now),
    )
    Message.objects.bulk_create([again], ignore_conflicts=True)
    wake_on_commit(DELIVERY_TASK)


def was_repeated(message: Message) -> bool:
    """Whether an SMS that did not arrive has gone by another way, of whichever kind."""
    return _repetitions(message).exists()


def call_off_repetition(message: Message) -> None:
    """An SMS did arrive: what waits to go in its place is not sent. One that is under way goes."""
    waiting = _repetitions(message).filter(state=Message.State.QUEUED)
    waiting.update(state=Message.State.WITHHELD, error=Trouble.ARRIVED.value)


def _repetitions(message: Message) -> QuerySet[Message]:
    keys = [copy_key(message.dedupe_key), again_key(message.dedupe_key)]
    return Message.objects.filter(dedupe_key__in=keys, instead_of=message.pk)


def is_still_theirs(message: Outgoing) -> bool:
    """Whether the number, address or chat is still that of the recipient, if the message has one."""
    recipient: Any = message.recipient
    if recipient is None:
        return True
    if isinstance(message, Message):
        theirs = recipient.proven_second_phone if message.is_copy else recipient.phone
        return bool(message.phone == theirs)
    if isinstance(message, PushMessage):
        return bool(recipient.has_push_device)
    if isinstance(message, TelegramMessage):
        return bool(message.chat == recipient.telegram)
    return isinstance(message, Mail) and bool(message.address == recipient.email)


def why_not_theirs(message: Outgoing) -> str:
    """Why nothing goes to where `message` leads any more; empty if it still goes.

    A code and a warning that goes at once follow what they were written for: whoever took an account and puts its
    contacts out of the way must not silence these. The second phone, the chat and devices get nothing once they have
    gone.
    """
    kind = KINDS.get(message.kind)
    if is_still_theirs(message):
        return ""
    if isinstance(message, Mail) and message.address is None:
        # Without its key nobody knows whose it is: it is tried again.
        return ""
    if isinstance(message, TelegramMessage):
        return Trouble.NOT_LINKED.value
    if isinstance(message, PushMessage):
        return Trouble.NO_DEVICE.value
    if isinstance(message, Message):
        if message.is_copy:
            return Trouble.NOT_PROVEN.value
        return Trouble.NOT_TOLD.value if goes_with_others(message.kind) else ""
    return "" if kind is not None and kind.warns_at_once else Trouble.FORMER_ADDRESS.value


def times_of(
    kind: Kind,
    *,
    now: datetime,
    zone: ZoneInfo | None,
    whose: Recipient | None = None,
    known_by: datetime | None = None,
    has_pressed: bool = False,
    is_copy: bool = False,
) -> dict[str, Any]:
    """The columns that say when a message written at `now` is sent, and given up.

    What keeps hours is worth as long from the hour on at which it may go, and until the evening then: whatever held it
    up in the night, it has a day left. `has_pressed`: the recipient has just pressed what it tells of, and waits.
    `is_copy`: it goes to the second phone.
    """
    due, give_up = now, now + kind.worth_for
    if not kind.is_due_at_once(has_pressed=has_pressed, is_copy=is_copy):
        quiet = whose.quiet_hours if whose else None
        by_clocks_of = zone or zone_of(whose.pk if whose else None)
        due = due_at(now, by_clocks_of, quiet=quiet, known_by=known_by)
        give_up = evening_from(due + kind.worth_for, by_clocks_of)
    return {
        "created_at": now,
        "next_attempt_at": due,
        "give_up_at": give_up if known_by is None else min(give_up, known_by),
        "known_by": known_by,
        "zone_name": zone.key if zone else "",
    }


def _times_again(message: Message, *, is_copy: bool = False, now: datetime) -> dict[str, Any]:
    """The same of what repeats `message`: by the same clocks, and worth no longer."""
    recipient: Any = message.recipient
    times = times_of(
        KINDS[message.kind],
        now=now,
        zone=message.zone,
        whose=recipient,
        known_by=message.known_by,
        is_copy=is_copy,
    )
    return times | {"give_up_at": message.give_up_at}


def _write(
    way: Way,
    kind: Kind,
    address: Any,
    language: str,
    *,
    context: dict[str, Any],
    key: str,
    times: dict[str, Any],
    recipient_id: Any,
    about: UUID | None = None,
) -> None:
    """Put one message into the outbox of its way; one of the same key is there already, or none."""
    if way is Way.EMAIL and not settings.SENDS_MAIL:
        return
    model, columns, more = ROWS[way]
    message = model(
        recipient_id=recipient_id,
        about=about,
        kind=kind.code,
        language=language,
        text=render(kind, text_of(kind, way), language=language, context=context),
        dedupe_key=copy_key(key) if way is Way.SECOND_PHONE else key,
        **dict.fromkeys(columns, address),
        **more,
        **times,
    )
    model._default_manager.bulk_create([message], ignore_conflicts=True)
    wake_soon_on_commit(_TASKS[model])


def text_of(kind: Kind, way: Way) -> Channel:
    """Which text goes by a way: all but the mail have that of the SMS, which names nobody, as others may read it."""
    return kind.mailed_as if way is Way.EMAIL else Channel.SMS


def copy_key(key: str) -> str:
    """The key of the copy to the second phone, made of that which the notice and its messages share."""
    return f"{key}:copy"


def again_key(key: str) -> str:
    """The key of the SMS that repeats one that did not arrive."""
    return f"{key}:again"


def _without_language(link: str) -> str:
    # On a Russian page `reverse` gives a Russian address, but the reader may use the other language.
    return translate_url(link, settings.LANGUAGE_CODE) if link else ""


def stored_key(kind: str, recipient: Any, dedupe_key: str) -> str:
    """The key that the rows of one message share in the database."""
    # Hashed, since keys made of several ids outgrow the column; with the recipient, since a family has two
    # guardians.
    return hashlib.sha256(f"{kind}\n{recipient}\n{dedupe_key}".encode()).hexdigest()
