"""Several notices to one phone within minutes: the first goes at once, what follows goes together in one SMS.

What goes at once (`Kind.goes_at_once`: codes, warnings, answers) is never held back, opens no burst and is never
merged. Only the worker that delivers decides, for all the others: a burst is what it has sent, not what was written.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from notifications.kinds import KINDS, Channel, kinds_by_day
from notifications.models import Message
from notifications.notices import SEVERAL
from notifications.selectors import untold
from notifications.services import render
from notifications.troubles import Trouble

WAIT: Final = timedelta(minutes=10)
# So many applications are named in one SMS.
_NAMED: Final = 2


def sent_lately(phones: Iterable[str], *, now: datetime) -> dict[str, datetime]:
    """When the newest notice went to each of these phones (E.164), if that is less than `WAIT` ago."""
    sent = Message.objects.filter(
        phone__in=list(phones), sent_at__gt=now - WAIT, kind__in=kinds_by_day()
    ).order_by()
    return {phone.as_e164: at for phone, at in sent.values_list("phone").annotate(Max("sent_at"))}


def merge(rows: list[Message], *, now: datetime) -> list[Message]:
    """Put one new SMS, due at once, in the place of those that waited for one another. Returns the others of `rows`.

    `rows` are claimed by the caller. With them goes what waits for the same phone and is due, too.
    """
    waited: dict[tuple[str, Any, bool], list[Message]] = defaultdict(list)
    for row in rows:
        if row.error == Trouble.WITH_OTHERS and row.text is not None:
            waited[row.phone.as_e164, row.recipient_id, row.is_copy].append(row)
    gone = set()
    for claimed in waited.values():
        gone |= _merge(claimed, now=now)
    return [row for row in rows if row.pk not in gone]


def _merge(claimed: list[Message], *, now: datetime) -> set[Any]:
    """Merge these, all for one phone, with the rest that waits for it; returns the keys of what was merged."""
    first = claimed[0]
    with transaction.atomic():
        # One that another worker has claimed since is not ours any more.
        held = {row.pk: row.attempts for row in claimed}
        ours = [
            row
            for row in Message.objects.select_for_update(of=("self",)).filter(pk__in=held).order_by("pk")
            if row.state == Message.State.SENDING and row.attempts == held[row.pk]
        ]
        others = list(
            Message.objects.select_for_update(of=("self",), skip_locked=True).filter(
                phone=first.phone,
                recipient_id=first.recipient_id,
                is_copy=first.is_copy,
                state=Message.State.QUEUED,
                error=Trouble.WITH_OTHERS,
                next_attempt_at__lte=now,
            )
        )
        hidden = untold(others)
        merged = ours + [row for row in others if row.pk not in hidden and row.text is not None]
        if len(merged) < 2:
            return set()
        together = _together(sorted(merged, key=lambda row: (row.created_at, str(row.pk))), now=now)
        together.save(force_insert=True)
        gone = {row.pk for row in merged}
        Message.objects.filter(pk__in=gone).update(
            state=Message.State.MERGED, merged_into=together, attempts=0, error=""
        )
    return gone


def _together(merged: list[Message], *, now: datetime) -> Message:
    newest, abouts = merged[-1], {row.about for row in merged}
    keys = "\n".join(sorted(row.dedupe_key for row in merged))
    context = {"count": len(merged), "numbers": numbers_in(row.text or "" for row in merged)}
    return Message(
        recipient_id=newest.recipient_id,
        about=abouts.pop() if len(abouts) == 1 else None,
        phone=newest.phone,
        is_copy=newest.is_copy,
        kind=SEVERAL,
        language=newest.language,
        text=render(KINDS[SEVERAL], Channel.SMS, language=newest.language, context=context),
        dedupe_key=hashlib.sha256(f"{SEVERAL}\n{keys}".encode()).hexdigest(),
        created_at=now,
        next_attempt_at=now,
        give_up_at=max(row.give_up_at for row in merged),
    )


def numbers_in(texts: Iterable[str]) -> str:
    """The applications that these SMS name, as they name them: «№0417, №0418», with «…» for more than two."""
    found = list(dict.fromkeys(number for text in texts for number in re.findall(r"№\d{4}\b", text)))
    return ", ".join([*found[:_NAMED], *(["…"] if len(found) > _NAMED else [])])


class Bursts:
    """What the worker at work knows of bursts: asked once for all rows at hand, and kept up as they go out."""

    def __init__(self, sent: Mapping[str, datetime] | None = None) -> None:
        self._sent = dict(sent or {})

    def waits_until(self, row: Message, *, now: datetime) -> datetime:
        """When `row`, which keeps hours, may follow what went to its phone before; `now` if nothing did."""
        sent_at = self._sent.get(row.phone.as_e164)
        return now if sent_at is None else max(now, sent_at + WAIT)

    def note(self, row: Message, *, now: datetime) -> None:
        """`row`, which keeps hours, was sent at `now`."""
        self._sent[row.phone.as_e164] = now
