"""Telling thousands the same at once: what `services.enqueue` does for one, by COPY and with texts rendered once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings

from notifications.copied_rows import copy_values
from notifications.kinds import KINDS, Channel
from notifications.models import Mail, Message, Notice, Outgoing
from notifications.services import _stored_key, render

# What stands in a rendered text in place of a value of one reader: characters that Unicode gives to nobody.
_GAPS: Final = [chr(0xE000 + nth) for nth in range(64)]


def gap(nth: int, *, length: int = 8) -> str:
    """The `nth` text that no reader's value contains, to be filled by `Texts.say`; every part of it is its own."""
    return "".join(_GAPS[nth * length : (nth + 1) * length])


@dataclass(frozen=True)
class Texts:
    """The texts of one kind for everybody who is told the same, each rendered when it is first asked for.

    `context` has gaps (`gap`) where one reader's text differs from another's, also as a value that a template shortens.
    """

    kind: str
    context: Mapping[str, Any]
    _rendered: dict[tuple[Channel, str], str] = field(default_factory=dict)

    def say(self, channel: Channel, language: str, values: Mapping[str, str]) -> str:
        """The text for one reader: `values` stand in place of these gaps."""
        key = channel, language
        if key not in self._rendered:
            self._rendered[key] = render(
                KINDS[self.kind], channel, language=language, context={**self.context}
            )
        text = self._rendered[key]
        for empty, value in values.items():
            text = text.replace(empty, value)
        return text


class Reader(NamedTuple):
    """Whom a letter goes to: `services.Recipient`, as bare values."""

    pk: UUID
    # In E.164, as the database holds it; empty without one.
    phone: str
    language: str
    mail_for_notices: str


class Letter(NamedTuple):
    """What one reader is told: what `enqueue` is given, with when its SMS goes out and when it is given up.

    `link` is a path in the portal's first language already.
    """

    reader: Reader
    texts: Texts
    values: Mapping[str, str]
    dedupe_key: str
    link: str
    about: UUID
    due_at: datetime
    give_up_at: datetime


_NOTICE: Final = (
    "recipient_id", "kind", "text_kk", "text_ru", "link", "about", "dedupe_key", "created_at", "read_at",
)  # fmt: skip
_OUTGOING: Final = (
    "recipient_id", "kind", "language", "text", "about", "dedupe_key", "state", "next_attempt_at", "give_up_at",
    "created_at",
)  # fmt: skip


def enqueue_many(kind: str, letters: Sequence[Letter], *, now: datetime) -> None:
    """Write these messages of `kind`, a notice for the inbox and an SMS, as `services.enqueue` writes one.

    Call it in the transaction that notes that they are written: a key that is there already is an `IntegrityError`, and
    nothing of these letters is written. Nobody is woken: they go out when they are due.
    """
    keys = [_stored_key(kind, letter.reader.pk, letter.dedupe_key) for letter in letters]
    told = list(zip(letters, keys, strict=True))
    copy_values(Notice, _NOTICE, (_notice(kind, letter, key, now=now) for letter, key in told))
    by_sms = (
        (*_outgoing(kind, Channel.SMS, letter, key, now=now), letter.reader.phone)
        for letter, key in told
        if letter.reader.phone
    )
    copy_values(Message, (*_OUTGOING, "phone"), by_sms)
    if settings.SENDS_MAIL:
        mailed_as = KINDS[kind].mailed_as
        by_mail = (
            (*_outgoing(kind, mailed_as, letter, key, now=now), letter.reader.mail_for_notices)
            for letter, key in told
            if letter.reader.mail_for_notices
        )
        copy_values(Mail, (*_OUTGOING, "address"), by_mail)


def _notice(kind: str, letter: Letter, key: str, *, now: datetime) -> tuple[Any, ...]:
    texts = [letter.texts.say(Channel.INBOX, language, letter.values) for language in ("kk", "ru")]
    return letter.reader.pk, kind, *texts, letter.link, letter.about, key, now, None


def _outgoing(kind: str, channel: Channel, letter: Letter, key: str, *, now: datetime) -> tuple[Any, ...]:
    language = letter.reader.language
    text = letter.texts.say(channel, language, letter.values)
    return (
        letter.reader.pk, kind, language, text, letter.about, key, Outgoing.State.QUEUED.value,
        letter.due_at, letter.give_up_at, now,
    )  # fmt: skip
