"""A lost number with the help of the contact centre: one employee sees the document, a second one approves.

Never the same, and nobody for an account of their own or of their family. While something holds moves of the account
(`accounts.numbers.concerned`), none is approved: what an official decides meanwhile may turn it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import AssistedMove, NumberMove, User
from accounts.numbers import moves, rules
from accounts.numbers.concerned import Held, in_family_of, is_held, is_of_the_family, what_holds
from accounts.numbers.moves import Fault, Kind, NotMoved, Proof, Stopped
from accounts.officials import is_one_with, one_with

_BY_THE_OWNER = (Stopped.BY_OWNER, Stopped.PROVEN)


class HeldBy(NotMoved):
    """Something holds moves of this account; `at_work` says what."""

    def __init__(self, held: Held) -> None:
        super().__init__(Fault.HELD)
        self._held = held

    def __str__(self) -> str:
        return str(self._held.to_owner)

    @property
    def at_work(self) -> str:
        return str(self._held.at_work)


def open_move(
    account: User,
    *,
    new_phone: str,
    document: AssistedMove.Document,
    why: str,
    actor: User,
    address: str | None,
    now: datetime,
) -> AssistedMove:
    """Ask for `account` to move to `new_phone` (E.164, proven by a code); its owner is told by every other way.

    `actor` has seen the `document`. Raises `accounts.numbers.moves.NotMoved` (RELATED, UNDER_WAY, NUMBER_BUSY,
    SAME_NUMBER).
    """
    refuse_related(account, actor)
    with transaction.atomic():
        move = moves.ask(
            account,
            kind=Kind.ASSISTED,
            proof=Proof.DOCUMENT,
            new_phone=new_phone,
            asked_by=actor,
            address=address,
            now=now,
        )
        return AssistedMove.objects.create(move=move, document=document, why=why)


def refused_before(account: User, *, now: datetime) -> list[NumberMove]:
    """What was asked for and then stopped by the owner or declined by an employee in the 90 days before `now`."""
    lately = NumberMove.objects.filter(
        account=account, stopped_at__gt=now - rules.REFUSED_FOR, stopped_at__lte=now
    )
    refused = lately.filter(stopped_because__in=[*_BY_THE_OWNER, Stopped.WITHDRAWN])
    return list(refused.exclude(kind=Kind.RECYCLING).order_by("-stopped_at"))


def was_stopped_before(assisted: AssistedMove) -> bool:
    """Whether the owner, or whoever has the number, stopped a move in the 90 days before this one was asked for."""
    move = assisted.move
    return any(
        one.stopped_because in _BY_THE_OWNER for one in refused_before(move.account, now=move.asked_at)
    )


def approve(
    assisted: AssistedMove, *, actor: User, despite: str = "", address: str | None, now: datetime
) -> NumberMove:
    """Move the account now. Raises `NotMoved`: RELATED, SAME_EMPLOYEE for whoever asked for it, OVER, HELD.

    If an earlier one was stopped by the owner (`was_stopped_before`), `despite` says why this one is done all the same;
    without it STOPPED_BEFORE is raised.
    """
    move = assisted.move
    refuse_related(move.account, actor)
    if move.asked_by_id in one_with(actor):
        raise NotMoved(Fault.SAME_EMPLOYEE)
    if was_stopped_before(assisted) and not despite.strip():
        raise NotMoved(Fault.STOPPED_BEFORE)
    with transaction.atomic():
        account = moves.lock_with_others(move.account)
        if held := what_holds(account):
            raise HeldBy(held)
        return moves.perform(move, by=actor, reason=despite.strip() or assisted.why, address=address, now=now)


def withdraw(
    assisted: AssistedMove, *, reason: str, actor: User, address: str | None, now: datetime
) -> NumberMove:
    """Nothing moves: the employee who asked takes it back, or another one declines. Raises `NotMoved`.

    The owner is told the `reason`, and whoever asked reads it on the page of the move.
    """
    refuse_related(assisted.move.account, actor)
    return moves.stop(
        assisted.move, by=actor, because=Stopped.WITHDRAWN, reason=reason, address=address, now=now
    )


def to_approve(employee: User) -> QuerySet[AssistedMove]:
    """The moves that wait for `employee`, the oldest first.

    Asked for by others, about nobody of their family, and held by nothing.
    """
    waiting = AssistedMove.objects.filter(move__stopped_at=None, move__done_at=None)
    others = waiting.exclude(is_one_with(employee, path="move__asked_by"))
    not_theirs = in_family_of(employee, account="move__account") | is_held(account="move__account")
    return others.exclude(not_theirs).order_by("move__asked_at")


def refuse_related(account: User, actor: User) -> None:
    """Raise `NotMoved` (RELATED) if the account is the employee's own, or of their family."""
    if is_of_the_family(account, actor):
        raise NotMoved(Fault.RELATED)
