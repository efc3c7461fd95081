"""A lost number with the help of the contact centre: one employee sees the document, a second one approves.

Never the same, and nobody for an account of their own or of their family. While something holds moves of the account
(`accounts.numbers.concerned`), none is approved: what an official decides meanwhile may turn it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import AssistedMove, NumberMove, User
from accounts.numbers import moves
from accounts.numbers.concerned import Held, family_of, held_accounts, is_of_the_family, what_holds
from accounts.numbers.moves import Fault, Kind, NotMoved, Proof, Stopped


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


def approve(assisted: AssistedMove, *, actor: User, address: str | None, now: datetime) -> NumberMove:
    """Move the account now. Raises `NotMoved`: RELATED, SAME_EMPLOYEE for whoever asked for it, OVER, HELD."""
    move = assisted.move
    refuse_related(move.account, actor)
    if move.asked_by_id == actor.pk:
        raise NotMoved(Fault.SAME_EMPLOYEE)
    with transaction.atomic():
        account = moves.lock_with_others(move.account)
        if held := what_holds(account):
            raise HeldBy(held)
        return moves.perform(move, by=actor, reason=assisted.why, address=address, now=now)


def withdraw(assisted: AssistedMove, *, actor: User, address: str | None, now: datetime) -> NumberMove:
    """Nothing moves: the employee who asked takes it back, or another one declines. Raises `NotMoved`."""
    refuse_related(assisted.move.account, actor)
    return moves.stop(assisted.move, by=actor, because=Stopped.WITHDRAWN, address=address, now=now)


def to_approve(employee: User) -> QuerySet[AssistedMove]:
    """The moves that wait for `employee`, the oldest first.

    Asked for by others, about nobody of their family, and held by nothing.
    """
    waiting = AssistedMove.objects.filter(move__stopped_at=None, move__done_at=None)
    others = waiting.exclude(move__asked_by=employee)
    not_theirs = family_of(employee) | held_accounts()
    return others.exclude(move__account__in=not_theirs).order_by("move__asked_at")


def refuse_related(account: User, actor: User) -> None:
    """Raise `NotMoved` (RELATED) if the account is the employee's own, or of their family."""
    if is_of_the_family(account, actor):
        raise NotMoved(Fault.RELATED)
