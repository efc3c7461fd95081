"""What others know about a move of a number. They register it at start-up (`AppConfig.ready`).

An app above knows what holds the moves of an account (an open dispute), and who else is told (guardians of the same
children). A channel beside SMS and inbox registers a way to tell the owner.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple, Protocol, cast
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.functional import Promise

from accounts.models import NumberMove, User


class Held(NamedTuple):
    """Why the moves of an account can't be completed now, in a sentence for each reader."""

    to_owner: str | Promise
    at_work: str | Promise


# What holds the moves of an account; None if nothing does. It is called with the account's row locked, and reads
# whatever must not change meanwhile under that lock.
Hold = Callable[[User], Held | None]
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


# The keys of the accounts that have to do with an employee's children: the employee decides nothing about them.
Family = Callable[[User], Collection[UUID]]
# The keys of all accounts that a `Hold` holds now, none of them empty.
AllHeld = Callable[[], Iterable[QuerySet[Any, Any]]]

_KEPT: Final = "keys_of_family"
_holds: list[Hold] = []
_held: list[AllHeld] = []
_families: list[Family] = []
_listeners: list[Listener] = []
_circles: list[Circle] = []
_ways: list[Way] = []


def register_hold(hold: Hold, accounts: AllHeld) -> None:
    """Ask `hold` before a move is completed; `accounts` are the keys of all accounts that it holds now."""
    _holds.append(hold)
    _held.append(accounts)


def register_family(family: Family) -> None:
    """Ask `family` (employee) before an employee does something about a number."""
    _families.append(family)


def in_family_of(employee: User, *, account: str) -> Q:
    """Which rows are about an account of the employee's own or of their family, as far as any app can tell.

    `account` is the lookup to it. What is about one of them neither waits for the employee nor is counted as such.
    """
    return Q(**{f"{account}__in": _keys_of_family(employee)})


def _keys_of_family(employee: User) -> set[UUID]:
    """Their own accounts and those of their family. Kept with the object, as its permissions are: for a request."""
    kept = vars(employee)
    if _KEPT not in kept:
        kept[_KEPT] = employee.own_accounts.union(*(family(employee) for family in _families))
    return cast(set[UUID], kept[_KEPT])


def is_of_the_family(account: User, employee: User) -> bool:
    """Whether the account is the employee's own, or has to do with their family, as far as any app can tell."""
    theirs = User.objects.filter(in_family_of(employee, account="pk"), pk=account.pk)
    return employee.is_same_person(account) or theirs.exists()


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


def what_holds(account: User) -> Held | None:
    """The first of whatever holds the moves of `account`, or None."""
    return next((held for hold in _holds if (held := hold(account))), None)


def is_held(*, account: str) -> Q:
    """Which rows are about an account whose moves something holds now: what is asked for it waits for nobody here.

    `account` is the lookup to it.
    """
    keys = [keys for accounts in _held for keys in accounts()]
    return reduce(or_, (Q(**{f"{account}__in": one}) for one in keys), Q(pk__in=[]))


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
