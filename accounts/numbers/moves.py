"""A move of a number: asked for, stopped, done. These functions are the only writers of `NumberMove`.

Each locks the account's row, then the move's; what completes a move holds those of the people who are told of it, too
(`lock_with_others`). A move that is due counts as done: it can't be stopped any more, and
whoever signs in, registers or asks for a code first calls `settle`, so that a late sweep changes nothing. One that
something holds (`accounts.numbers.concerned`) is not done before it is free, and can be stopped until then.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django_otp.plugins.otp_totp.models import TOTPDevice
from psycopg2.errors import DeadlockDetected

from accounts import audit
from accounts.identity import Identity
from accounts.journal_actions import Action
from accounts.models import NumberMove, Profile, RecoveryCode, User
from accounts.models.number_move import claimant_text
from accounts.numbers import rules
from accounts.numbers.concerned import circle_of, tell_by_other_ways, tell_the_others, what_holds
from accounts.passwords import normalise_password
from accounts.registry import PhoneTie
from notifications.choosing import bring_in_line
from notifications.models import PushSubscription
from notifications.services import enqueue, enqueue_to_phone
from notifications.sweeps import sweep

logger = logging.getLogger(__name__)

Kind, Proof, Stopped = NumberMove.Kind, NumberMove.Proof, NumberMove.Stopped

# How long a move waits after what was proven; None: until a person decides.
_WAITS: Final[dict[NumberMove.Proof, timedelta | None]] = {
    Proof.BOTH_NUMBERS: timedelta(0),
    Proof.NEW_NUMBER: rules.WAIT,
    Proof.SECOND_PHONE: rules.WAIT,
    Proof.EMAIL: rules.WAIT,
    Proof.DOCUMENT: None,
    Proof.CLAIM: rules.WAIT,
}

# What the journal says when it is asked for.
_ASKED: Final = {
    Proof.BOTH_NUMBERS: Action.NUMBER_MOVE_ASKED,
    Proof.NEW_NUMBER: Action.NUMBER_MOVE_ASKED,
    Proof.DOCUMENT: Action.NUMBER_MOVE_ASKED,
    Proof.SECOND_PHONE: Action.NUMBER_ASKED_BY_PHONE,
    Proof.EMAIL: Action.NUMBER_ASKED_BY_EMAIL,
    Proof.CLAIM: Action.NUMBER_CLAIMED,
}


class Fault(StrEnum):
    """Why a move can't be asked for, stopped or decided."""

    UNDER_WAY = "under_way"
    CHANGED_MEANWHILE = "changed_meanwhile"
    NUMBER_BUSY = "number_busy"
    SAME_NUMBER = "same_number"
    OVER = "over"
    TOO_LATE = "too_late"
    OWN_ACCOUNT = "own_account"
    REFUSED_BEFORE = "refused_before"
    REGISTERED = "registered"
    RELATED = "related"
    SAME_EMPLOYEE = "same_employee"
    HELD = "held"
    STOPPED_BEFORE = "stopped_before"


class NotMoved(Exception):
    """It can't be done; `fault` says why, `str()` says it to the family, and `at_work` to an employee."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    def __str__(self) -> str:
        return _sentences()[self.fault]

    @property
    def at_work(self) -> str:
        """The same for an employee, who looks at somebody else's account."""
        return _sentences_at_work()[self.fault]


@dataclass(frozen=True)
class Renewed:
    """The present password, hashed anew for the moment of the move, and the hash beside which that was done.

    With it all sessions and known devices of the account end, while the password stays as it is. Without it, or if the
    password was changed meanwhile, the owner sets a new one by SMS to the new number.
    """

    password: str = ""
    stamp: str = ""

    @classmethod
    def of(cls, user: User, password: str) -> "Renewed":
        """Of `user`, whose present `password` has just been checked."""
        return cls(make_password(normalise_password(password)), user.get_session_auth_hash())

    @property
    def columns(self) -> dict[str, str]:
        """As a move keeps it."""
        return {"password": self.password, "stamp": self.stamp}


@dataclass(frozen=True)
class Claimant:
    """Who says that a number is theirs now: full name, IIN or document, and the state's word on it."""

    name: str
    identity: Identity
    tie: PhoneTie = PhoneTie.UNASKED

    @property
    def columns(self) -> dict[str, str]:
        """As a move keeps them."""
        return {
            "claimant": self.name,
            "claimant_identity": claimant_text(self.identity),
            "claimant_hash": self.identity.hashes[0],
            "claimant_tie": self.tie.value,
        }


def live() -> QuerySet[NumberMove]:
    """The moves that are neither done nor stopped."""
    return NumberMove.objects.filter(stopped_at=None, done_at=None)


def live_move_of(account: User) -> NumberMove | None:
    """The move of `account` that is under way. One query."""
    return live().filter(account=account).first()


def due(*, now: datetime) -> QuerySet[NumberMove]:
    """The live moves whose time has come, the oldest first."""
    return live().filter(due_at__lte=now).order_by("due_at", "pk")


def ask(
    account: User,
    *,
    kind: NumberMove.Kind,
    proof: NumberMove.Proof,
    new_phone: str | None,
    renewed: Renewed | None = None,
    claimant: Claimant | None = None,
    waits: bool = True,
    asked_by: User | None,
    address: str | None,
    now: datetime,
) -> NumberMove:
    """Ask for a move of `account` after `proof` was given, and announce it to the owner by every way but `new_phone`.

    The caller has checked the proof. `new_phone` (E.164) was proven by a code; None for a recycled number. It waits as
    long as the proof demands, and with `waits=False`, or a document, until a person decides. `asked_by` is the owner or
    an employee; None for a visitor. With codes to both numbers it is done at once, unless something holds it (`done_at`
    tells). A claim of somebody else on the number gives way to what the owner asks for before it is due. Raises
    `NotMoved` (UNDER_WAY, NUMBER_BUSY, SAME_NUMBER; CHANGED_MEANWHILE if `account`, as the caller has read it, had
    another number when the proof was given).
    """
    wait = _WAITS[proof] if waits else None
    settle(account.username, now=now)
    with transaction.atomic():
        proven, account = account.phone, _lock_account(account.pk)
        if account.phone != proven:
            raise NotMoved(Fault.CHANGED_MEANWHILE)
        if new_phone is not None and account.phone == new_phone:
            raise NotMoved(Fault.SAME_NUMBER)
        _make_way(account, kind=kind, by=asked_by, now=now)
        move = NumberMove(
            account=account,
            kind=kind,
            proof=proof,
            old_phone=account.phone,
            new_phone=new_phone,
            asked_at=now,
            asked_by=asked_by,
            due_at=now + wait if wait is not None else None,
            **(renewed.columns if renewed else {}),
            **(claimant.columns if claimant else {}),
        )
        _insert(move)
        audit.record(_ASKED[proof], actor=asked_by, subject=account, address=address, about=move, now=now)
        if wait != timedelta(0):
            _announce(move, account, now=now)
        elif what_holds(account):
            _announce_hold(move, account, now=now)
        else:
            _perform(move, account, by=asked_by, address=address, now=now)
        return move


def _make_way(account: User, *, kind: NumberMove.Kind, by: User | None, now: datetime) -> None:
    """Stop a claim that gives way to what the owner asks for; `NotMoved` (UNDER_WAY) for anything else under way."""
    former = live_move_of(account)
    if former is None:
        return
    if former.kind != Kind.RECYCLING or kind == Kind.RECYCLING:
        raise NotMoved(Fault.UNDER_WAY)
    _stop(former, by=by, because=Stopped.SUPERSEDED, now=now)


def _insert(move: NumberMove) -> None:
    try:
        with transaction.atomic():
            move.save(force_insert=True)
    except IntegrityError:
        # The account is locked, so it is the number: another account waits for it.
        raise NotMoved(Fault.NUMBER_BUSY) from None


def stop(
    move: NumberMove,
    *,
    by: User | None,
    because: NumberMove.Stopped = Stopped.BY_OWNER,
    reason: str = "",
    address: str | None,
    now: datetime,
) -> NumberMove:
    """Stop `move` for good. Of a recycled number its owner only makes an official decide: others may hold it.

    Raises `NotMoved`: OVER if it was done or stopped before, TOO_LATE from its time on unless something holds it.
    """
    with transaction.atomic():
        account, move = _lock(move)
        if not move.is_live:
            raise NotMoved(Fault.OVER)
        if move.is_due(now=now) and not what_holds(account):
            raise NotMoved(Fault.TOO_LATE)
        if move.kind == Kind.RECYCLING and because == Stopped.BY_OWNER:
            _leave_to_an_official(move, account, by=by, address=address, now=now)
            return move
        move.reason = reason
        _stop(move, by=by, because=because, now=now)
        action = Action.NUMBER_KEPT if because == Stopped.REFUSED else Action.NUMBER_MOVE_STOPPED
        audit.record(action, actor=by, subject=account, reason=reason, address=address, about=move, now=now)
        _announce_stop(move, account, now=now)
    return move


def perform(
    move: NumberMove, *, by: User | None, reason: str = "", address: str | None, now: datetime
) -> NumberMove:
    """Do `move` now, due or not: a person who may has decided so (`by`). What holds it goes on holding it.

    `done_at` tells whether it is done: something may hold it, or the number be taken meanwhile, which stops it. Raises
    `NotMoved` (OVER).
    """
    with transaction.atomic():
        account, move = _lock_all(move)
        if not move.is_live:
            raise NotMoved(Fault.OVER)
        move.reason = reason
        if what_holds(account):
            # Decided, and done as soon as nothing holds it.
            move.due_at, move.done_by = now, by
            move.save(update_fields=["due_at", "done_by", "reason"])
        else:
            _perform(move, account, by=by, address=address, now=now)
    return move


def complete(move: NumberMove, *, now: datetime) -> bool:
    """Do `move` if it is due and nothing holds it; whether it is done. May be repeated."""
    with transaction.atomic():
        account, move = _lock_all(move)
        if not move.is_live or not move.is_due(now=now):
            return False
        if _was_used_since(move, account):
            _leave_to_an_official(move, account, by=None, address=None, now=now)
            return False
        if what_holds(account):
            return False
        _perform(move, account, by=move.done_by, address=None, now=now)
        return move.done_at is not None


def complete_due(*, now: datetime) -> int:
    """Do every move that is due. Returns how many were looked at; one that fails holds up no other."""
    return sweep(due(now=now), partial(complete, now=now))


def settle(name: str, *, now: datetime) -> bool:
    """Do what is due for a number (E.164), or for the account with this name, before anybody is told whose it is.

    Whether anything was done. One query if nothing is due.

    What can't be done at this moment for a deadlock is left to the sweep: nobody's sign-in fails for it.
    """
    concerned = Q(account__username=name)
    if name.startswith("+"):
        concerned |= Q(old_phone=name) | Q(new_phone=name)
    done = [_complete_or_leave(move, now=now) for move in due(now=now).filter(concerned)]
    return any(done)


def _complete_or_leave(move: NumberMove, *, now: datetime) -> bool:
    try:
        return complete(move, now=now)
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        logger.warning("A move of a number is left to the sweep: deadlock.")
        return False


def free_forgotten(account: User, *, now: datetime) -> None:
    """Forget the moves of an account that is being forgotten; whoever claims its number hears that it is free."""
    move = live_move_of(account)
    if move is not None and account.phone and (move.kind == Kind.RECYCLING or _gave_way(move).exists()):
        key = str(move.pk)
        enqueue_to_phone(
            account.phone, "number_freed", context={}, language=account.language, dedupe_key=key, now=now
        )
    NumberMove.objects.filter(account=account).delete()


def stop_all(account: User, *, because: NumberMove.Stopped, address: str | None, now: datetime) -> None:
    """Stop what is under way for `account`: whoever holds its number has proven to be the owner."""
    move = live_move_of(account)
    if move is not None:
        try:
            stop(move, by=account, because=because, address=address, now=now)
        except NotMoved:
            # Done or stopped at this moment.
            return


def renew(account: User, renewed: Renewed) -> None:
    """The signed-in owner has changed the password: the move under way ends sessions with the new one."""
    live().filter(account=account).exclude(password="").update(password=renewed.password, stamp=renewed.stamp)


def last_used(account: User) -> datetime:
    """When somebody last signed in to `account`, or registered it."""
    return account.last_login or account.date_joined


def _lock_account(pk: UUID) -> User:
    return User.objects.select_for_update().get(pk=pk)


def _lock(move: NumberMove) -> tuple[User, NumberMove]:
    account = _lock_account(move.account_id)
    return account, NumberMove.objects.select_for_update().get(pk=move.pk)


def lock_with_others(account: User) -> User:
    """The locked account of a move that may be completed; before any other row of its transaction.

    Completing it writes notices to others, which waits for their rows: two who complete at once would wait for each
    other. So those rows are held first, all in the order of their keys, and only as a notice holds them.
    """
    others = circle_of(account)
    _hold([pk for pk in others if pk < account.pk])
    locked = _lock_account(account.pk)
    _hold([pk for pk in others if pk > account.pk])
    return locked


def _hold(accounts: list[UUID]) -> None:
    if accounts:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM accounts_user WHERE id = ANY(%s::uuid[]) ORDER BY id FOR KEY SHARE",
                [[str(pk) for pk in accounts]],
            )


def _lock_all(move: NumberMove) -> tuple[User, NumberMove]:
    account = lock_with_others(move.account)
    return account, NumberMove.objects.select_for_update().get(pk=move.pk)


def _was_used_since(move: NumberMove, account: User) -> bool:
    """Whether the account of a claimed number was used before the number was gone: nobody has decided yet.

    From its time on it is gone, however late that is done, unless something holds it.
    """
    if move.kind != Kind.RECYCLING or move.done_by is not None or move.due_at is None:
        return False
    used_at = last_used(account)
    return used_at >= move.asked_at and (used_at < move.due_at or bool(what_holds(account)))


def _perform(move: NumberMove, account: User, *, by: User | None, address: str | None, now: datetime) -> None:
    """Give the locked account its new number, or none, and end its sessions; stop the move if the number is taken."""
    former = account.phone
    account.phone = move.new_phone
    # Nobody signs in with such a name: it is no number.
    account.username = move.new_phone.as_e164 if move.new_phone else f"no-number-{account.pk.hex}"
    account.phone_proven_at = move.asked_at if move.new_phone else None
    if move.password and move.stamp == account.get_session_auth_hash():
        account.password = move.password
    else:
        account.set_unusable_password()
    try:
        with transaction.atomic():
            account.save(update_fields=["phone", "username", "phone_proven_at", "password"])
    except IntegrityError:
        account.refresh_from_db()
        _stop(move, by=None, because=Stopped.NUMBER_TAKEN, now=now)
        audit.record(Action.NUMBER_MOVE_STOPPED, actor=None, subject=account, about=move, now=now)
        _announce_stop(move, account, now=now)
        return
    # What the state said was about the former number.
    Profile.objects.filter(user=account).update(phone_tie=PhoneTie.UNASKED)
    move.done_at, move.done_by = now, by
    _forget_secrets(move)
    move.save()
    action = Action.NUMBER_MOVED if move.new_phone else Action.NUMBER_LOST
    audit.record(action, actor=by, subject=account, reason=move.reason, address=address, about=move, now=now)
    key = str(move.pk)
    told = "number_moved" if move.new_phone else "number_lost"
    context = {"new_password": not account.has_usable_password(), "reason": move.reason}
    enqueue(account, told, context=context, dedupe_key=key, now=now, link=_own_page())
    tell_by_other_ways(account, told, context=context, dedupe_key=key, now=now)
    if move.kind == Kind.ASSISTED:
        _take_away_other_ways(account, by=by, address=address, now=now)
    if former:
        is_free = move.new_phone is None or _gave_way(move).exists()
        left = "number_freed" if is_free else "number_left"
        enqueue_to_phone(former, left, context={}, language=account.language, dedupe_key=key, now=now)
    tell_the_others(move, now=now)


def _gave_way(move: NumberMove) -> QuerySet[NumberMove]:
    """The claim on the number that `move` leaves, which gave way to it: whoever has the number waits for it."""
    return NumberMove.objects.filter(
        account=move.account_id, stopped_because=Stopped.SUPERSEDED, stopped_at=move.asked_at
    )


def _take_away_other_ways(account: User, *, by: User | None, address: str | None, now: datetime) -> None:
    """Only a document has proven the owner: app and contacts may be those of whoever had the account before.

    They have just been told of the move. What they chose goes, too: by their quiet hours the owner is told late. What
    the password keeps open (sessions, a calendar's address) has ended with it.
    """
    profile = Profile.objects.filter(user=account).first()
    had_telegram, had_device = bool(account.telegram), account.has_push_device
    PushSubscription.objects.filter(recipient=account).delete()
    had_email, had_phone = bool(account.email), bool(profile and profile.second_phone_proven_at)
    account.email, account.mails_notices, account.telegram = "", False, ""
    account.chosen_ways, account.second_phone_if_lost = {}, False
    account.quiet_from = account.quiet_to = None
    account.save(
        update_fields=[
            "email",
            "mails_notices",
            "telegram",
            "chosen_ways",
            "second_phone_if_lost",
            "quiet_from",
            "quiet_to",
        ]
    )
    proven = Profile.objects.filter(user=account, second_phone_proven_at__isnull=False)
    proven.update(second_phone="", second_phone_proven_at=None)
    bring_in_line(User.objects.get(pk=account.pk), now=now)
    # An employee's app opens the workplace, and an administrator alone resets it.
    apps = TOTPDevice.objects.filter(user=account, user__is_staff=False)
    had_app = apps.filter(confirmed=True).exists()
    apps.delete()
    RecoveryCode.objects.filter(user=account).delete()
    for was_there, action in (
        (had_email, Action.EMAIL_REMOVED),
        (had_phone, Action.SECOND_PHONE_REMOVED),
        (had_telegram, Action.TELEGRAM_REMOVED),
        (had_device, Action.PUSH_TURNED_OFF),
        (had_app, Action.SECOND_WAY_OFF),
    ):
        if was_there:
            audit.record(action, actor=by, subject=account, address=address, now=now)


def _stop(move: NumberMove, *, by: User | None, because: NumberMove.Stopped, now: datetime) -> None:
    move.stopped_at, move.stopped_by, move.stopped_because = now, by, because
    move.done_by = None
    _forget_secrets(move)
    move.save()


def _leave_to_an_official(
    move: NumberMove, account: User, *, by: User | None, address: str | None, now: datetime
) -> None:
    """The account is in use, or its owner objects: the number stays until an official decides, anew if one has."""
    if move.due_at is None:
        return
    move.due_at, move.done_by, move.reason = None, None, ""
    move.save(update_fields=["due_at", "done_by", "reason"])
    audit.record(Action.NUMBER_DISPUTED, actor=by, subject=account, address=address, about=move, now=now)


def _announce(move: NumberMove, account: User, *, now: datetime) -> None:
    """Tell the owner by every way but the number that others have proven to hold."""
    kind = "number_claimed" if move.kind == Kind.RECYCLING else "number_move_asked"
    context = {"due_at": move.due_at, "proof": move.proof}
    enqueue(account, kind, context=context, dedupe_key=str(move.pk), now=now, link=_own_page())
    tell_by_other_ways(account, kind, context=context, dedupe_key=str(move.pk), now=now)


def _announce_hold(move: NumberMove, account: User, *, now: datetime) -> None:
    """Tell both numbers, whose codes were entered, that it is asked for and not done."""
    key = str(move.pk)
    enqueue(account, "number_held", context={}, dedupe_key=key, now=now, link=_own_page())
    tell_by_other_ways(account, "number_held", context={}, dedupe_key=key, now=now)
    enqueue_to_phone(
        move.new_phone, "number_waits", context={}, language=account.language, dedupe_key=key, now=now
    )


def _announce_stop(move: NumberMove, account: User, *, now: datetime) -> None:
    """Tell the owner, and whoever has the new number: they wait for it. If somebody registered it, it is theirs now."""
    key = str(move.pk)
    context = {"proof": move.proof, "because": move.stopped_because, "reason": move.reason}
    enqueue(account, "number_stays", context=context, dedupe_key=key, now=now, link=_own_page())
    if move.new_phone and move.stopped_because != Stopped.NUMBER_TAKEN:
        enqueue_to_phone(
            move.new_phone, "number_not_moved", context={}, language=account.language, dedupe_key=key, now=now
        )


def _forget_secrets(move: NumberMove) -> None:
    """Nothing is kept of the password and of the claimant once it is over; of one who was refused, who it was."""
    move.password = move.stamp = move.claimant = ""
    if move.stopped_because != Stopped.REFUSED:
        move.claimant_identity = move.claimant_hash = ""


def _own_page() -> str:
    with override(settings.LANGUAGE_CODE):
        return reverse("accounts:number")


def _sentences() -> dict[Fault, str]:
    return {
        Fault.UNDER_WAY: _("A change of this number is under way already"),
        Fault.CHANGED_MEANWHILE: _("The number of this account has just been changed. Look at it again"),
        Fault.NUMBER_BUSY: _("This number can't be used. Check it, or enter another one"),
        Fault.SAME_NUMBER: _("This is your present number. Enter another one"),
        Fault.OVER: _("This has been done or stopped already"),
        Fault.TOO_LATE: _("The time to stop this is over. If it was not you, call the contact centre"),
        Fault.OWN_ACCOUNT: _("Somebody else must decide: it is about your own number"),
        Fault.REGISTERED: _("You are registered with this number already: sign in, or set a new password"),
        Fault.RELATED: _("This is about you or your family: a colleague does it"),
        Fault.SAME_EMPLOYEE: _("Who asked for it does not approve it: a colleague does"),
        Fault.HELD: _("Something holds this number now"),
        Fault.STOPPED_BEFORE: _("An earlier request was stopped: this one needs a reason"),
        Fault.REFUSED_BEFORE: _("An official has decided that this number stays with its account"),
    }


def _sentences_at_work() -> dict[Fault, str]:
    return {
        Fault.UNDER_WAY: _("A change of the number of this account is under way already"),
        Fault.CHANGED_MEANWHILE: _(
            "The number of this account has just been changed: search for the account again"
        ),
        Fault.NUMBER_BUSY: _("Another account is about to move to this number. Take another number"),
        Fault.SAME_NUMBER: _(
            "It is the present number of this account: with an SMS to it, its owner sets a new password under "
            "“Forgotten password?”"
        ),
        Fault.OVER: _("This has been done or stopped already: the page says when and by whom"),
        Fault.TOO_LATE: _("It was due before: the number has changed already"),
        Fault.OWN_ACCOUNT: _("This is about your own number: another official decides."),
        Fault.REGISTERED: _("The person is registered with this number already"),
        Fault.RELATED: _("This is about you or your family: a colleague does it"),
        Fault.SAME_EMPLOYEE: _("Who asked for it does not approve it: a colleague does"),
        Fault.HELD: _("Something holds the number of this account now"),
        Fault.STOPPED_BEFORE: _("An earlier request was stopped: this one needs a reason"),
        Fault.REFUSED_BEFORE: _("An official has decided that this number stays with its account"),
    }
