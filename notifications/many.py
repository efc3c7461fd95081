"""Telling thousands the same at once: what `services.enqueue` does for one, by COPY and with texts rendered once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from notifications.copied_rows import copy_values
from notifications.hours import Hours
from notifications.kinds import KINDS, Channel
from notifications.models import Mail, Message, Notice, Outgoing, PushMessage, TelegramMessage
from notifications.services import ROWS, copy_key, render, stored_key, text_of, times_of
from notifications.troubles import Trouble
from notifications.ways import Chosen, Way, address_of, ways

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
            context = dict(self.context)
            self._rendered[key] = render(KINDS[self.kind], channel, language=language, context=context)
        text = self._rendered[key]
        for empty, value in values.items():
            text = text.replace(empty, value)
        return text


class Number(NamedTuple):
    """A phone as the database holds it: to parse a hundred thousand takes half a minute."""

    as_e164: str


class Reader(NamedTuple):
    """Whom a letter goes to: `ways.Recipient`, as bare values."""

    pk: UUID
    phone: Number | None
    language: str
    email: str
    mails_notices: bool
    telegram: str
    has_push_device: bool
    proven_second_phone: str
    chosen_ways: Chosen
    quiet_hours: Hours | None


class Letter(NamedTuple):
    """What one reader is told: as `services.enqueue` is given it.

    `link` is a path in the portal's first language already.
    """

    reader: Reader
    texts: Texts
    values: Mapping[str, str]
    dedupe_key: str
    link: str
    about: UUID
    zone: ZoneInfo
    known_by: datetime | None


_NOTICE: Final = ("recipient_id", "kind", "text_kk", "text_ru", "link", "about", "dedupe_key", "created_at")
_OUTGOING: Final = (
    "recipient_id", "kind", "language", "text", "about", "dedupe_key", "created_at", "next_attempt_at", "give_up_at",
    "known_by", "zone_name",
)  # fmt: skip


def enqueue_many(kind: str, letters: Sequence[Letter], *, now: datetime, sent_from: datetime) -> None:
    """Write these messages of `kind` as `services.enqueue` writes one; nothing of them goes out before `sent_from`.

    Call it in the transaction that notes that they are written: a key that is there already is an `IntegrityError`, and
    nothing of these letters is written. Nobody is woken: they go out when they are due.
    """
    what = KINDS[kind]
    # Thousands have the same hours.
    times: dict[tuple[ZoneInfo, Hours | None, datetime | None], dict[str, Any]] = {}
    notices: list[tuple[Any, ...]] = []
    posted: dict[Way, list[tuple[Any, ...]]] = defaultdict(list)
    for letter in letters:
        reader, say = letter.reader, letter.texts.say
        hours = letter.zone, reader.quiet_hours, letter.known_by
        if hours not in times:
            times[hours] = times_of(
                what, now=sent_from, zone=letter.zone, whose=reader, known_by=letter.known_by
            )
        due = times[hours]
        key = stored_key(kind, reader.pk, letter.dedupe_key)
        texts = [say(Channel.INBOX, language, letter.values) for language in ("kk", "ru")]
        notices.append((reader.pk, kind, *texts, letter.link, letter.about, key, now))
        for way in ways(what, reader):
            text = say(text_of(what, way), reader.language, letter.values)
            own_key = copy_key(key) if way is Way.SECOND_PHONE else key
            _model, columns, more = ROWS[way]
            to = [address_of(reader, way) for _column in columns]
            posted[way].append(
                (
                    reader.pk, kind, reader.language, text, letter.about, own_key, now, due["next_attempt_at"],
                    due["give_up_at"], due["known_by"], due["zone_name"], *to, *more.values(),
                )
            )  # fmt: skip
    copy_values(Notice, _NOTICE, notices)
    for way, rows in posted.items():
        model, columns, more = ROWS[way]
        copy_values(model, (*_OUTGOING, *columns, *more), rows)


def call_off(kind: str, *, written_at: Collection[datetime], why: Trouble) -> int:
    """Withhold what still waits of the messages of `kind` that were written at these instants; returns how many.

    What is under way goes, and the notices in the inbox stay.
    """
    called_off = 0
    for model in (Message, Mail, TelegramMessage, PushMessage):
        waiting = model.objects.filter(state=Outgoing.State.QUEUED, kind=kind, created_at__in=written_at)
        called_off += waiting.update(state=Outgoing.State.WITHHELD, error=why.value)
    return called_off
