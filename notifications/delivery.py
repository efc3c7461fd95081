"""Delivering the outbox: claim, send by several threads, record, retry with growing pauses, and finally give up.

Delivery is at least once. Rows are claimed in small portions (`notifications.outbox`), leased for less than a minute,
and sent outside any transaction, so a slow gateway holds no lock. If a worker dies, the next one sends again what was
under way, by the same idempotency keys. Only the main thread asks the database.
"""

import logging
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import OperationalError, connections
from django.db.models import prefetch_related_objects

from notifications import gateways
from notifications.alone import alone
from notifications.broker import DELIVERY_TASK, MAIL_TASK, PUSH_TASK, TELEGRAM_TASK, wake_soon
from notifications.budget import HadToday, Purse, raise_alarm
from notifications.bursts import Bursts, merge, sent_lately
from notifications.hours import due_at
from notifications.kinds import (
    KINDS,
    PastBudget,
    fate_of,
    goes_with_others,
    is_code,
    is_secret,
)
from notifications.lanes import Lanes
from notifications.mailing import send_mail
from notifications.models import Mail, Message, Outgoing, PushMessage, PushSubscription, TelegramMessage
from notifications.outbox import (
    WAITS_SECONDS,
    Change,
    claim,
    claim_codes,
    is_any_due,
    nothing_tried,
    put_off,
    record,
)
from notifications.selectors import untold
from notifications.services import forget_chat, why_not_theirs
from notifications.sms.base import DAY_MINUTES, SEND_SECONDS, Outcome, SendResult, get_backend, hand_over
from notifications.sms.failover import FailoverBackend
from notifications.sweeps import renew_connection
from notifications.telegram import TelegramBackend
from notifications.troubles import Trouble
from notifications.web_push import Device, PushBackend
from notifications.zones import zones_of

logger = logging.getLogger(__name__)

# A call claims for so long, and codes for as long again as what it has under way may take.
CLAIMING: Final = timedelta(seconds=60)
# Then its last send ends in time, and the task is killed if it does not.
LONGEST: Final = CLAIMING + timedelta(seconds=2 * SEND_SECONDS + 10)
# How many rows are claimed at once, at most.
_PORTION: Final = 100
# What is claimed ahead is worth so many seconds at the pace so far.
_AHEAD_SECONDS: Final = 5.0
# Of a lease that is left, after the longest send, to write what came of it.
_WRITING_SECONDS: Final = 5
# How soon a code is seen that comes while others are under way.
_LOOK_SECONDS: Final = 0.25

# Whoever pressed waits for the answer for so long; then it keeps hours like any other.
ANSWERS_FOR: Final = timedelta(minutes=10)
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
    # Which task goes on where a call ends.
    task: str
    # How many messages are handed over at once.
    lanes: int

    def look_at(self, rows: list[Any], *, now: datetime) -> None:
        """Ask the database, once for all the notices that wait here, what `why_withheld` needs to know."""
        ...

    def gather(self, rows: list[Any], *, now: datetime) -> list[Any]:
        """Put one in the place of those that go together; returns the others."""
        ...

    def waits_until(self, row: Any, *, now: datetime) -> datetime:
        """When one that keeps hours may follow what went to the same place before; `now` if it may go."""
        ...

    def why_withheld(self, row: Any, *, claimed: int, now: datetime) -> str:
        """Why a notice is not sent; empty if it is. So many rows are `claimed` and not begun, this one included."""
        ...

    def send(self, row: Any, *, now: datetime) -> SendResult:
        """Hand it over. Called by several threads, none of which asks the database."""
        ...

    def as_taken(self, row: Any, result: SendResult, *, now: datetime) -> dict[str, Any]:
        """What is kept of a message that was taken, beside its state."""
        ...

    def note(self, row: Any, result: SendResult, *, now: datetime) -> None:
        """Count what came of it; it is written."""
        ...


class _SmsPost:
    model: type[Outgoing] = Message
    task = DELIVERY_TASK

    def __init__(self) -> None:
        # A wrong name is found before anything is claimed.
        get_backend()
        self.lanes = settings.SMS_AT_ONCE
        self.purse = Purse()
        self.tally = gateways.Tally()
        self._had = HadToday()
        self._bursts = Bursts()

    def look_at(self, rows: list[Message], *, now: datetime) -> None:
        phones = {row.to for row in rows}
        self._had = HadToday(phones, now=now)
        self._bursts = Bursts(sent_lately(phones, now=now))

    def gather(self, rows: list[Message], *, now: datetime) -> list[Message]:
        return merge(rows, now=now)

    def waits_until(self, row: Message, *, now: datetime) -> datetime:
        return self._bursts.waits_until(row, now=now)

    def why_withheld(self, row: Message, *, claimed: int, now: datetime) -> str:
        """As every code is, a notice is sent while there is a budget for it."""
        if why := why_not_theirs(row):
            return why
        fate = fate_of(row.kind)
        is_open = self.purse.is_open(is_sparing=fate is PastBudget.SPARING, claimed=claimed, now=now)
        if fate in (PastBudget.WITHHELD, PastBudget.SPARING) and not is_open:
            return Trouble.BUDGET.value
        if fate in (PastBudget.WITHHELD, PastBudget.SPARING, PastBudget.WARNING) and self._had.enough(row):
            return Trouble.ENOUGH.value
        return ""

    def send(self, row: Message, *, now: datetime) -> SendResult:
        backend = get_backend()
        if row.avoids and isinstance(backend, FailoverBackend):
            backend = backend.asking_last(row.avoids)
        # Without a word about it an earlier attempt ended with its worker.
        is_repeat = row.unclear > 0 or (row.attempts > 1 and not row.error)
        return hand_over(
            backend,
            row.to,
            row.text or "",
            idempotency_key=str(row.pk),
            is_repeat=is_repeat,
            minutes=_minutes_worth(row, now=now),
        )

    def as_taken(self, row: Message, result: SendResult, *, now: datetime) -> dict[str, Any]:
        return gateways.as_taken(row, result, now=now)

    def note(self, row: Message, result: SendResult, *, now: datetime) -> None:
        if result.outcome is Outcome.ACCEPTED:
            self._had.note(row)
            if goes_with_others(row.kind):
                self._bursts.note(row, now=now)
        self.tally.add(row.kind, result.tries, now=now)


class _MailPost:
    """E-mails cost nothing, so no budget holds them."""

    model: type[Outgoing] = Mail
    task = MAIL_TASK

    def __init__(self) -> None:
        self.lanes = settings.MAILS_AT_ONCE

    def look_at(self, rows: list[Mail], *, now: datetime) -> None:
        """Nothing to ask."""

    def gather(self, rows: list[Mail], *, now: datetime) -> list[Mail]:
        return rows

    def waits_until(self, row: Mail, *, now: datetime) -> datetime:
        return now

    def why_withheld(self, row: Mail, *, claimed: int, now: datetime) -> str:
        return why_not_theirs(row)

    def send(self, row: Mail, *, now: datetime) -> SendResult:
        return send_mail(row)

    def as_taken(self, row: Mail, result: SendResult, *, now: datetime) -> dict[str, Any]:
        return {}

    def note(self, row: Mail, result: SendResult, *, now: datetime) -> None:
        """Nothing to count."""


class _TelegramPost:
    """Messages to chats cost nothing either."""

    model: type[Outgoing] = TelegramMessage
    task = TELEGRAM_TASK
    # Telegram takes some thirty a second in all.
    lanes = 4

    def __init__(self) -> None:
        self._backend = TelegramBackend()

    def look_at(self, rows: list[TelegramMessage], *, now: datetime) -> None:
        """Nothing to ask."""

    def gather(self, rows: list[TelegramMessage], *, now: datetime) -> list[TelegramMessage]:
        return rows

    def waits_until(self, row: TelegramMessage, *, now: datetime) -> datetime:
        return now

    def why_withheld(self, row: TelegramMessage, *, claimed: int, now: datetime) -> str:
        if row.chat is None:
            return Trouble.NO_KEY_OF_ADDRESS.value
        return why_not_theirs(row)

    def send(self, row: TelegramMessage, *, now: datetime) -> SendResult:
        return self._backend.send(row.to, row.text or "", idempotency_key=str(row.pk))

    def as_taken(self, row: TelegramMessage, result: SendResult, *, now: datetime) -> dict[str, Any]:
        return {}

    def note(self, row: TelegramMessage, result: SendResult, *, now: datetime) -> None:
        """Who blocked the bot is written to no more, until they link it again."""
        if result.error == Trouble.BLOCKED:
            forget_chat(row)


class _PushPost:
    """Notices on screens cost nothing either. One that any device took has arrived."""

    model: type[Outgoing] = PushMessage
    task = PUSH_TASK
    lanes = 8

    def __init__(self) -> None:
        self._backend = PushBackend()
        self._devices: dict[Any, list[Device]] = {}
        # Of those that are handed over: which devices took them, and which are there no more.
        self._taken_by: dict[Any, list[Any]] = {}
        self._gone: dict[Any, list[Any]] = {}

    def look_at(self, rows: list[PushMessage], *, now: datetime) -> None:
        prefetch_related_objects(rows, "recipient__push_subscriptions")
        self._devices |= {row.pk: [_device(one) for one in _devices_of(row)] for row in rows}

    def gather(self, rows: list[PushMessage], *, now: datetime) -> list[PushMessage]:
        return rows

    def waits_until(self, row: PushMessage, *, now: datetime) -> datetime:
        return now

    def why_withheld(self, row: PushMessage, *, claimed: int, now: datetime) -> str:
        return why_not_theirs(row)

    def send(self, row: PushMessage, *, now: datetime) -> SendResult:
        minutes = _minutes_worth(row, now=now)
        result = self._backend.send(
            self._devices.get(row.pk, []),
            row.text or "",
            language=row.language,
            key=str(row.pk),
            minutes=minutes,
            now=now,
        )
        self._taken_by[row.pk], self._gone[row.pk] = result.taken_by, result.gone
        return result.whole

    def as_taken(self, row: PushMessage, result: SendResult, *, now: datetime) -> dict[str, Any]:
        return {}

    def note(self, row: PushMessage, result: SendResult, *, now: datetime) -> None:
        """A device that is there no more keeps nothing but its name, which its owner reads."""
        del result
        devices = PushSubscription.objects.filter(recipient=row.recipient_id)
        if taken_by := self._taken_by.pop(row.pk, None):
            devices.filter(pk__in=taken_by).update(last_success_at=now)
        if gone := self._gone.pop(row.pk, None):
            devices.filter(pk__in=gone, gone_at=None).update(gone_at=now, endpoint="", keys="")
        self._devices.pop(row.pk, None)


def _devices_of(row: PushMessage) -> list[PushSubscription]:
    recipient: Any = row.recipient
    found: list[PushSubscription] = recipient.push_devices if recipient is not None else []
    return found


def _device(one: PushSubscription) -> Device:
    return Device(one.pk, one.endpoint or "", one.keys or "")


def deliver_due(*, now: datetime) -> Counts:
    """Send the SMS that are due at `now`, those that somebody waits for first (`outbox.claim`); returns the counts.

    One worker delivers at a time, with as many threads as a gateway may be asked by at once; beside it a call does
    nothing, and what came meanwhile is seen by the one at work. It claims for at most a minute, or until no gateway may
    be asked, and has a worker woken for the rest. Never call it inside a transaction: locks would be held while
    sending.
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
    """The same for e-mails."""
    renew_connection()
    return _deliver_all(_MailPost(), now=now)


def deliver_telegrams(*, now: datetime) -> Counts:
    """The same for messages to Telegram."""
    renew_connection()
    return _deliver_all(_TelegramPost(), now=now)


def deliver_pushes(*, now: datetime) -> Counts:
    """The same for notices on screens."""
    renew_connection()
    return _deliver_all(_PushPost(), now=now)


def _deliver_all(post: _Post, *, now: datetime) -> Counts:
    counts, clock = Counts(), _Clock(now)
    idle = 0
    # Twice in vain: somebody else holds the rows that are due.
    while idle < 2:
        with alone(post.task) as is_alone:
            if not is_alone:
                break
            delivery = _Delivery(post, counts, clock)
            delivery.run()
        # Whoever was woken until now found the door shut, and counts on this look.
        if delivery.rests or not is_any_due(post.model, now=clock.now()):
            break
        if clock.worked() >= CLAIMING.total_seconds():
            wake_soon(post.task)
            break
        idle = 0 if delivery.has_claimed else idle + 1
    return counts


class _Clock:
    """The time that a call was given, and counts on from: a slow gateway must carry nothing past its time."""

    def __init__(self, now: datetime) -> None:
        self._now, self._started = now, time.monotonic()

    def worked(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self._started

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self.worked())


class _Claimed(NamedTuple):
    row: Any
    # When, in seconds since the call began.
    since: float


class _Ending(NamedTuple):
    """What became of a row: what to write, in which of the `Counts` it appears if in any, and what was answered."""

    row: Any
    columns: dict[str, Any]
    tally: str = ""
    result: SendResult | None = None


class _Delivery:
    """The main thread's part: rows come in from the outbox, go through lanes, and their outcomes are written."""

    def __init__(self, post: _Post, counts: Counts, clock: _Clock) -> None:
        self.rests = False
        self.has_claimed = False
        self._post, self._counts, self._clock = post, counts, clock
        self._lanes: Lanes[Any, SendResult] = Lanes(post.lanes, self._send)
        self._codes: deque[_Claimed] = deque()
        self._others: deque[_Claimed] = deque()
        # Of what is no code, whom something goes to just now: nothing overtakes what was said before.
        self._busy_with: set[str] = set()
        self._endings: list[_Ending] = []
        # Where those live who are told by day, by the clocks of no other place.
        self._zones: dict[Any, ZoneInfo] = {}
        # Rows claimed of which none of the lanes has heard, until they are begun or written.
        self._not_begun = 0
        self._begun = 0
        self._is_exhausted = False
        self._codes_from = self._others_from = 0.0

    def run(self) -> None:
        """Go on until nothing is due, nobody may be asked, or the time is over.

        After an error what is under way is heard to the end and written, and the rest given back, before it is raised.
        """
        with self._lanes:
            try:
                self._go_on()
            except Exception:
                self._hear_out()
                raise

    def _go_on(self) -> None:
        while True:
            # Lanes first: they need not wait until the database has written and found what it has to.
            self._begin()
            self._write()
            self._claim()
            at_hand = self._codes or self._others or self._endings
            if self._is_exhausted and not (self._lanes.under_way or at_hand):
                break
            self._hear(self._lanes.finished(seconds=_LOOK_SECONDS if self._lanes.under_way else 0))

    def _hear_out(self) -> None:
        """What was handed over costs money and can't be taken back: who does not hear of it sends it again."""
        results: list[tuple[Any, SendResult]] = []
        while self._lanes.under_way:
            results += self._lanes.finished(seconds=SEND_SECONDS)
        self._hear(results)
        ended = {ending.row.pk for ending in self._endings}
        waiting = [row for row, _since in (*self._codes, *self._others) if row.pk not in ended]
        now = self._clock.now()
        self._endings += [_Ending(row, nothing_tried(row, now=now)) for row in waiting]
        _wait_for_database()
        self._write()

    def _claim(self) -> None:
        """Have as much at hand as the pace allows: new codes soon, others once most of what was at hand has begun."""
        worked, now = self._clock.worked(), self._clock.now()
        if self.rests or worked >= CLAIMING.total_seconds() + SEND_SECONDS:
            self._is_exhausted = True
            return
        ahead = self._ahead(worked)
        if worked >= self._codes_from and (most := ahead - len(self._codes)) > 0:
            found = claim_codes(self._post.model, most=most, now=now)
            self._codes_from = worked + (_LOOK_SECONDS if len(found) < most else 0)
            self._take_in(found, since=worked)
        if worked >= CLAIMING.total_seconds():
            self._is_exhausted = True
        elif worked >= self._others_from and len(self._others) <= ahead // 4:
            most = ahead - len(self._others)
            found = claim(self._post.model, most=most, now=now)
            self._is_exhausted = len(found) < most
            self._others_from = worked + (_LOOK_SECONDS if self._is_exhausted else 0)
            self._take_in(found, since=worked)

    def _ahead(self, worked: float) -> int:
        """How many rows to have at hand."""
        pace = self._begun / max(worked, 1)
        return min(_PORTION, max(self._post.lanes, int(pace * _AHEAD_SECONDS)))

    def _take_in(self, rows: list[Any], *, since: float) -> None:
        if not rows:
            return
        self.has_claimed = True
        self._not_begun += len(rows)
        hidden = untold(rows)
        for row in rows:
            if row.pk in hidden:
                self._withhold(row, Trouble.NOT_TOLD.value)
        sound = [row for row in rows if row.pk not in hidden and self._is_sound(row)]
        for row in self._gather(sound):
            waiting = self._codes if is_code(row.kind) else self._others
            waiting.append(_Claimed(row, since))
        if self._others:
            others = [claimed.row for claimed in self._others]
            at_home = [row for row in others if not row.zone_name]
            self._zones = zones_of({row.recipient_id for row in at_home})
            # For their quiet hours, and whether it is still theirs.
            prefetch_related_objects(others, "recipient")
            self._post.look_at(others, now=self._clock.now())

    def _gather(self, rows: list[Any]) -> list[Any]:
        left = self._post.gather(rows, now=self._clock.now())
        if len(left) < len(rows):
            self._not_begun -= len(rows) - len(left)
            # What goes in their place is due, too.
            self._is_exhausted, self._others_from = False, 0
        return left

    def _is_sound(self, row: Any) -> bool:
        """Whether it says to whom it goes; if not, it is put off, and holds up no other."""
        try:
            _ = row.to
        except Exception:
            logger.exception("Message %s (%s) can't be read", row.pk, row.kind)
            unreadable = SendResult(Outcome.UNAVAILABLE, error="the message can't be read")
            self._endings.append(_ending(row, unreadable, taken={}, now=self._clock.now()))
            return False
        return True

    def _begin(self) -> None:
        """Give the lanes what waits, codes first; one lane is kept for them. What waited too long goes back."""
        self._codes = self._begin_some(self._codes, lanes=self._lanes.number)
        self._others = self._begin_some(self._others, lanes=max(1, self._lanes.number - 1))

    def _begin_some(self, waiting: "deque[_Claimed]", *, lanes: int) -> "deque[_Claimed]":
        """Returns those that go on waiting."""
        left: deque[_Claimed] = deque()
        worked = self._clock.worked()
        for row, since in waiting:
            if self.rests or worked - since >= WAITS_SECONDS:
                self._endings.append(_Ending(row, nothing_tried(row, now=self._clock.now())))
            elif self._lanes.under_way >= lanes or self._is_busy_with(row):
                left.append(_Claimed(row, since))
            else:
                self._begin_one(row)
        return left

    def _is_busy_with(self, row: Any) -> bool:
        return not is_code(row.kind) and row.to in self._busy_with

    def _begin_one(self, row: Any) -> None:
        now = self._clock.now()
        goes_at = self._goes_at(row, now=now)
        if goes_at >= row.give_up_at:
            held_up = row.error not in ("", Trouble.WITH_OTHERS)
            self._endings.append(_given_up(row, row.error if held_up else Trouble.LATE.value))
        elif goes_at > now:
            self._endings.append(_Ending(row, put_off(row, until=goes_at)))
        elif why := self._post.why_withheld(row, claimed=self._not_begun, now=now):
            self._withhold(row, why)
        else:
            if not is_code(row.kind):
                self._busy_with.add(row.to)
            self._not_begun -= 1
            self._begun += 1
            self._lanes.start(row)

    def _goes_at(self, row: Any, *, now: datetime) -> datetime:
        """When it may go: in its hours and, if there is time for that, not on the heels of another."""
        if _goes_at_any_hour(row, now=now):
            return now
        zone = row.zone or self._zones[row.recipient_id]
        quiet = row.recipient.quiet_hours if row.recipient else None
        after_others = self._post.waits_until(row, now=now) if goes_with_others(row.kind) else now
        goes_at = due_at(after_others, zone, quiet=quiet, known_by=row.known_by)
        if goes_at < row.give_up_at:
            return goes_at
        return due_at(now, zone, quiet=quiet, known_by=row.known_by)

    def _withhold(self, row: Any, why: str) -> None:
        columns = {"state": Outgoing.State.WITHHELD, "attempts": row.attempts - 1, "error": why}
        self._endings.append(_Ending(row, columns, "withheld"))
        logger.warning("Message %s (%s) is left to the inbox: %s", row.pk, row.kind, why)

    def _hear(self, results: list[tuple[Any, SendResult]]) -> None:
        now = self._clock.now()
        for row, result in results:
            if result.outcome is Outcome.NOT_ASKED:
                self.rests = True
            elif self.rests:
                # The gateway was on trial.
                self.rests, self._is_exhausted, self._others_from = False, False, 0
            taken = self._as_taken(row, result, now=now)
            self._endings.append(_ending(row, result, taken=taken, now=now)._replace(result=result))

    def _as_taken(self, row: Any, result: SendResult, *, now: datetime) -> dict[str, Any]:
        if result.outcome is not Outcome.ACCEPTED:
            return {}
        try:
            return self._post.as_taken(row, result, now=now)
        except Exception:
            # What was taken is written as taken, or it would be sent again.
            logger.exception("Of message %s (%s) only the state is kept", row.pk, row.kind)
            return {}

    def _write(self) -> None:
        endings = self._endings
        if not endings:
            return
        written = record([Change(ending.row, ending.columns) for ending in endings])
        # Not before: what could not be written is tried once more (`_hear_out`).
        self._endings = []
        for (row, _columns, tally, result), is_written in zip(endings, written, strict=True):
            if is_written and tally:
                setattr(self._counts, tally, getattr(self._counts, tally) + 1)
            if result is None:
                self._not_begun -= 1
                continue
            self._post.note(row, result, now=self._clock.now())
            if not is_code(row.kind):
                self._busy_with.discard(row.to)

    def _send(self, row: Any) -> SendResult:
        """In a lane."""
        try:
            if row.text is None:
                return SendResult(Outcome.UNAVAILABLE, error=Trouble.NO_KEY_OF_TEXT.value)
            return self._post.send(row, now=self._clock.now())
        except Exception as error:  # noqa: BLE001
            # One broken gateway must not stop the rest. The trace may hold phone and text, so only the class is
            # logged.
            return SendResult(Outcome.UNCLEAR, error=f"{type(error).__name__} in the gateway's code")
        finally:
            # A gateway's class may have asked the database; nobody else would close this thread's connection.
            connections.close_all()


def _goes_at_any_hour(row: Any, *, now: datetime) -> bool:
    """Whether it keeps no hours: an answer does once nobody waits for it any more, however that came."""
    kind, is_fresh = KINDS.get(row.kind), now - row.created_at <= ANSWERS_FOR
    is_copy = isinstance(row, Message) and row.is_copy
    return kind is not None and kind.is_due_at_once(has_pressed=is_fresh, is_copy=is_copy)


def _wait_for_database() -> None:
    """Until it answers, for as long as the leases leave time to write."""
    for _turn in range(_WRITING_SECONDS):
        try:
            renew_connection()
        except OperationalError:
            time.sleep(1)
        else:
            return


def _ending(row: Any, result: SendResult, *, taken: dict[str, Any], now: datetime) -> _Ending:
    """What becomes of a row after an attempt; `taken` is kept with one that a gateway took."""
    if result.outcome is Outcome.NOT_ASKED:
        return _Ending(row, nothing_tried(row, now=now))
    if result.outcome is Outcome.ACCEPTED:
        columns = {"state": Outgoing.State.SENT, "sent_at": now, "error": ""}
        return _Ending(row, columns | taken | _wiped(row), "sent")
    is_unclear = result.outcome is Outcome.UNCLEAR
    unclear = row.unclear + is_unclear
    pause = pause_after(unclear, factor=8) if is_unclear else pause_after(row.attempts)
    if unclear >= MOST_UNCLEAR:
        return _given_up(row, Trouble.UNCLEAR.value, unclear=unclear)
    if result.outcome is Outcome.REFUSED or now + pause >= row.give_up_at:
        return _given_up(row, result.error, unclear=unclear)
    logger.warning("Message %s (%s) is put off: %s", row.pk, row.kind, result.error)
    columns = {"state": Outgoing.State.QUEUED, "next_attempt_at": now + pause, "error": result.error}
    return _Ending(row, columns | {"unclear": unclear}, "retried")


def _given_up(row: Any, error: str, **columns: Any) -> _Ending:
    logger.error("Message %s (%s) is given up: %s", row.pk, row.kind, error)
    columns |= {"state": Outgoing.State.FAILED, "error": error}
    return _Ending(row, columns | _wiped(row), "failed")


def _wiped(row: Any) -> dict[str, str]:
    return {"text": ""} if is_secret(row.kind) else {}


def _minutes_worth(row: Outgoing, *, now: datetime) -> int:
    """For how long an SMS that is handed over now is to be tried: a phone may be off.

    A code opens nothing, and what had to be known by an instant tells nothing, once it would be given up.
    """
    ends = is_code(row.kind) or row.known_by is not None
    minutes = -((now - row.give_up_at) // timedelta(minutes=1)) if ends else DAY_MINUTES
    return min(max(minutes, 1), DAY_MINUTES)


def pause_after(attempts: int, *, factor: int = 2) -> timedelta:
    """How long to wait after so many failed attempts: 1, 2, 4 … 32 minutes, plus a random part of up to a quarter.

    The random part keeps rows that failed together from coming back together.
    """
    pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * factor ** min(attempts - 1, 10))
    longer: timedelta = pause * (1 + _random.uniform(0, JITTER))
    return longer
