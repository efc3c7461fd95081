"""Several notices to one phone within minutes: the first goes at once, what follows goes together in one SMS.

Codes, warnings and answers (all but `Kind.goes_with_others`) are never held back, open no burst and are never merged.
Only the worker that delivers decides, for all the others: a burst is what it has sent, not what was written.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Max, prefetch_related_objects

from notifications.budget import sent_to
from notifications.choosing import is_wanted
from notifications.kinds import KINDS, Channel, Kind, PastBudget, fate_of, kinds_that_go_together
from notifications.models import Message
from notifications.notices import SEVERAL, SEVERAL_IMPORTANT, SEVERAL_PLACES, SEVERAL_REMINDERS
from notifications.selectors import untold
from notifications.services import is_still_theirs, render
from notifications.troubles import Trouble

WAIT: Final = timedelta(minutes=10)
# So many applications are named in one SMS.
_NAMED: Final = 2
_BY_WEIGHT: Final = (SEVERAL_PLACES, SEVERAL_REMINDERS, SEVERAL, SEVERAL_IMPORTANT)
_SEVERAL: Final = [kind.code for kind in _BY_WEIGHT]


def sent_lately(phones: Collection[str], *, now: datetime) -> dict[str, datetime]:
    """When the newest notice went to each of these phones (E.164), if that is less than `WAIT` ago."""
    sent = sent_to(phones, since=now - WAIT).filter(kind__in=kinds_that_go_together())
    return dict(sent.values_list("number").annotate(Max("sent_at")))


def merge(rows: list[Message], *, now: datetime) -> list[Message]:
    """Put one new SMS, due at once, in the place of those that waited for one another. Returns the others of `rows`.

    `rows` are claimed by the caller. With them goes what waits for the same phones and is due, too. One that stands for
    several counts those alone that its reader is still told of, and is withheld if none is left. However many phones
    there are, it takes the same few statements.
    """
    claimed = [row for row in rows if row.error == Trouble.WITH_OTHERS and _may_be_merged(row)]
    if not (claimed or any(row.kind in _SEVERAL for row in rows)):
        return rows
    with transaction.atomic():
        beside = _waiting_beside(claimed, now=now)
        empty = _count_anew([row for row in (*rows, *beside) if row.kind in _SEVERAL])
        found = _more_than_one(row for row in (*claimed, *beside) if row.pk not in empty)
        gone = _merge(_more_than_one(_still_ours(found)), now=now)
    return [row for row in rows if row.pk not in gone | empty]


def _may_be_merged(row: Message) -> bool:
    """What repeats another goes as it stands: it avoids the gateway that lost that one."""
    return row.text is not None and row.instead_of is None


def _waiting_beside(claimed: list[Message], *, now: datetime) -> list[Message]:
    """What nobody has claimed of what waits for the same phones and is due; locked."""
    waiting = Message.objects.select_for_update(of=("self",), skip_locked=True).filter(
        phone__in={row.phone for row in claimed},
        state=Message.State.QUEUED,
        error=Trouble.WITH_OTHERS,
        next_attempt_at__lte=now,
    )
    rows = [row for row in waiting if _may_be_merged(row)]
    hidden = untold(rows)
    return [row for row in rows if row.pk not in hidden]


def _more_than_one(rows: Iterable[Message]) -> list[list[Message]]:
    """Those of `rows` that can go together: for one person and phone, and of one half of the budget."""
    alike: dict[Any, list[Message]] = defaultdict(list)
    for row in rows:
        is_sparing = fate_of(row.kind) is PastBudget.SPARING
        alike[row.to, row.recipient_id, row.is_copy, is_sparing].append(row)
    return [some for some in alike.values() if len(some) > 1]


def _still_ours(found: list[list[Message]]) -> list[Message]:
    """These without those that another worker has claimed since; all are locked."""
    rows = [row for some in found for row in some]
    held = {row.pk for row in rows if row.state == Message.State.SENDING}
    if not held:
        return rows
    locked = Message.objects.select_for_update(of=("self",)).filter(pk__in=held, state=Message.State.SENDING)
    ours = set(locked.order_by("pk").values_list("pk", "attempts"))
    return [row for row in rows if row.pk not in held or (row.pk, row.attempts) in ours]


def _merge(found: list[list[Message]], *, now: datetime) -> set[Any]:
    """Write one SMS in the place of each of these lists; returns the keys of what was merged."""
    stood_for = _stood_for([row for rows in found for row in rows if row.kind in _SEVERAL])
    written, gone = [], []
    for rows in found:
        told = [one for row in rows for one in stood_for.get(row.pk, [row])]
        together = _together(sorted(told, key=lambda row: (row.created_at, str(row.pk))), now=now)
        written.append(together)
        # One that stood for others has not gone: what it stood for is told of by the new one.
        for row in {row.pk: row for row in [*rows, *told]}.values():
            row.state, row.merged_into, row.attempts, row.error = Message.State.MERGED, together, 0, ""
            gone.append(row)
    Message.objects.bulk_create(written)
    Message.objects.bulk_update(gone, ["state", "merged_into", "attempts", "error"])
    return {row.pk for row in gone}


def _count_anew(rows: list[Message]) -> set[Any]:
    """Let these SMS in the place of others count only what may still be told; what may not is withheld by itself.

    Returns the keys of those that have nothing left to tell: they are withheld, too.
    """
    by_row = _stood_for(rows)
    why = _why_not([one for told in by_row.values() for one in told])
    changed = [row for row in rows if any(one.pk in why for one in by_row[row.pk])]
    empty = set()
    for row in changed:
        left = [one for one in by_row[row.pk] if one.pk not in why]
        row.text = _text(KINDS[row.kind], left, language=row.language) if left else ""
        if not left:
            row.state, row.error = Message.State.WITHHELD, Trouble.NOT_TOLD.value
            empty.add(row.pk)
    lost = [one for told in by_row.values() for one in told if one.pk in why]
    for one in lost:
        one.state, one.error, one.merged_into = Message.State.WITHHELD, why[one.pk].value, None
    if lost:
        Message.objects.bulk_update(changed, ["state", "error", "text"])
        Message.objects.bulk_update(lost, ["state", "error", "merged_into"])
    return empty


def _why_not(told: list[Message]) -> dict[Any, Trouble]:
    """Why some of these, by their keys, may not be told any more."""
    prefetch_related_objects(told, "recipient")
    hidden = untold(told)
    why = {}
    for one in told:
        if one.pk in hidden or not is_still_theirs(one):
            why[one.pk] = Trouble.NOT_TOLD
        elif one.recipient is not None and not is_wanted(one, one.recipient):
            why[one.pk] = Trouble.SWITCHED_OFF
    return why


def _stood_for(rows: list[Message]) -> dict[Any, list[Message]]:
    """What each of these SMS in the place of others stands for, by their keys."""
    stood_for: dict[Any, list[Message]] = defaultdict(list)
    if rows:
        merged = Message.objects.filter(merged_into__in=[row.pk for row in rows])
        for row in merged.exclude(kind__in=_SEVERAL).order_by("created_at", "pk"):
            stood_for[row.merged_into_id].append(row)
    return stood_for


def _together(told: list[Message], *, now: datetime) -> Message:
    newest, abouts = told[-1], {row.about for row in told}
    keys = "\n".join(sorted(row.dedupe_key for row in told))
    kind = kind_in_place_of(row.kind for row in told)
    return Message(
        recipient_id=newest.recipient_id,
        about=abouts.pop() if len(abouts) == 1 else None,
        phone=newest.phone,
        is_copy=newest.is_copy,
        kind=kind.code,
        language=newest.language,
        text=_text(kind, told, language=newest.language),
        dedupe_key=hashlib.sha256(f"{SEVERAL.code}\n{keys}".encode()).hexdigest(),
        created_at=now,
        next_attempt_at=now,
        give_up_at=max(row.give_up_at for row in told),
        known_by=min((row.known_by for row in told if row.known_by), default=None),
        zone_name=newest.zone_name,
    )


def _text(kind: Kind, told: list[Message], *, language: str) -> str:
    context = {"count": len(told), "numbers": numbers_in(row.text or "" for row in told)}
    return render(kind, Channel.SMS, language=language, context=context)


def kind_in_place_of(codes: Iterable[str]) -> Kind:
    """The kind of one SMS in the place of some of these kinds: what happens to it is what the weightiest may claim."""
    return max((_alike(code) for code in codes), key=_BY_WEIGHT.index)


def _alike(code: str) -> Kind:
    kind = KINDS.get(code)
    if kind is None:
        return SEVERAL
    if kind.past_budget is PastBudget.SPARING:
        return SEVERAL_PLACES
    if kind.can_wait:
        return SEVERAL_REMINDERS
    return SEVERAL_IMPORTANT if kind.topic.is_mandatory else SEVERAL


def numbers_in(texts: Iterable[str]) -> str:
    """The applications that these SMS name, as they name them: «№0417, №0418», with «…» for more than two."""
    found = list(dict.fromkeys(number for text in texts for number in re.findall(r"№\d{4}\b", text)))
    return ", ".join([*found[:_NAMED], *(["…"] if len(found) > _NAMED else [])])


class Bursts:
    """What the worker at work knows of bursts: asked once for all rows at hand, and kept up as they go out."""

    def __init__(self, sent: Mapping[str, datetime] | None = None) -> None:
        self._sent = dict(sent or {})

    def waits_until(self, row: Message, *, now: datetime) -> datetime:
        """When `row`, which goes with others, may follow what went to its phone before; `now` if nothing did."""
        sent_at = self._sent.get(row.to)
        return now if sent_at is None else max(now, sent_at + WAIT)

    def note(self, row: Message, *, now: datetime) -> None:
        """`row`, which goes with others, was sent at `now`."""
        self._sent[row.to] = now
