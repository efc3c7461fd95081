"""What others know about a move of a number. They register it at start-up (`AppConfig.ready`).

An app above knows what holds the moves of an account (an open dispute), and who else is told (guardians of the same
children). A channel beside SMS and inbox registers a way to tell the owner.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.utils.functional import Promise

from accounts.models import NumberMove, User

# Why the moves of an account can't be completed now, in a sentence for its owner; empty if nothing holds them. It is
# called with the account's row locked, and reads whatever must not change meanwhile under that lock.
Hold = Callable[[User], str | Promise]
# Called inside the transaction that completes a move.
Listener = Callable[[NumberMove, datetime], None]
# The keys of the accounts whose owners the listeners of the same app tell about a move of this one.
Circle = Callable[[User], Iterable[UUID]]


class Way(Protocol):
    """One more way to reach the owner of an account: a proven second phone, a proven e-mail."""

    def __call__(
        self, owner: User, kind: str, *, context: dict[str, Any], dedupe_key: str, now: datetime
    ) -> None:
        """Tell `owner`, if this way leads to them; inside the caller's transaction, like `notifications.enqueue`."""
        ...


# Whether an employee has something to do with the children of an account: then they decide nothing about it.
Relation = Callable[[User, User], bool]

_holds: list[Hold] = []
_relations: list[Relation] = []
_listeners: list[Listener] = []
_circles: list[Circle] = []
_ways: list[Way] = []


def register_hold(hold: Hold) -> None:
    """Ask `hold` before a move is completed."""
    _holds.append(hold)


def register_relation(relation: Relation) -> None:
    """Ask `relation` (account, employee) before an employee does something about a number."""
    _relations.append(relation)


def is_of_the_family(account: User, employee: User) -> bool:
    """Whether the account is the employee's own, or has to do with their family, as far as any app can tell."""
    return employee.is_same_person(account) or any(relation(account, employee) for relation in _relations)


def register_listener(listener: Listener, circle: Circle) -> None:
    """Call `listener` when a move is completed that was not proven by codes to both numbers.

    Before that the rows of the accounts in `circle` are locked with that of the account, in the order of their keys.
    """
    _listeners.append(listener)
    _circles.append(circle)


def circle_of(account: User) -> set[UUID]:
    """The keys of the accounts that are told about moves of `account`."""
    return {pk for circle in _circles for pk in circle(account)}


def register_way(way: Way) -> None:
    """Announce moves by `way`, too."""
    _ways.append(way)


def what_holds(account: User) -> str:
    """The first sentence of whatever holds the moves of `account`, or nothing."""
    return next((str(said) for hold in _holds if (said := hold(account))), "")


def tell_the_others(move: NumberMove, *, now: datetime) -> None:
    """Let the apps above tell whom they know, unless codes to both numbers have proven the move."""
    if move.proof != NumberMove.Proof.BOTH_NUMBERS:
        for listener in _listeners:
            listener(move, now)


def tell_by_other_ways(
    owner: User, kind: str, *, context: dict[str, Any], dedupe_key: str, now: datetime
) -> None:
    """Tell `owner` by every registered way."""
    for way in _ways:
        way(owner, kind, context=context, dedupe_key=dedupe_key, now=now)
