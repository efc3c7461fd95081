"""Recycled numbers: somebody has proven a number that belongs to an account, and is somebody else.

An operator gives a silent number to a new customer. The account never goes with it: its owner keeps the children and
the applications. An account in use keeps the number until an official decides; any other loses it after 72 hours.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts import audit
from accounts.journal_actions import Action
from accounts.models import NumberMove, Profile, User
from accounts.numbers import moves, rules
from accounts.numbers.concerned import in_family_of, is_of_the_family
from accounts.numbers.moves import Claimant, Fault, Kind, NotMoved, Proof, Stopped


def claim(phone: str, claimant: Claimant, *, address: str | None, now: datetime) -> NumberMove | None:
    """Claim `phone` (E.164, proven by a code) for `claimant`.

    Claimed again by the same person, it is the same claim. None if the number is free by now. Raises `NotMoved`:
    REGISTERED if it is the claimant's own account, UNDER_WAY if something else is under way for the account or somebody
    else claims it, REFUSED_BEFORE if an official refused this person in the last 90 days.
    """
    moves.settle(phone, now=now)
    with transaction.atomic():
        account = User.objects.select_for_update().filter(phone=phone).first()
        if account is None:
            return None
        hashes = claimant.identity.hashes
        of_the_same = Q(iin_hash__in=hashes) | Q(document_hash__in=hashes)
        if Profile.objects.filter(of_the_same, user=account).exists():
            raise NotMoved(Fault.REGISTERED)
        own = NumberMove.objects.filter(account=account, kind=Kind.RECYCLING, claimant_hash__in=hashes)
        if own.filter(stopped_because=Stopped.REFUSED, stopped_at__gt=now - rules.REFUSED_FOR).exists():
            raise NotMoved(Fault.REFUSED_BEFORE)
        earlier = own.filter(stopped_at=None, done_at=None).first()
        if earlier is not None:
            return earlier
        return moves.ask(
            account,
            kind=Kind.RECYCLING,
            proof=Proof.CLAIM,
            new_phone=None,
            claimant=claimant,
            waits=not needs_an_official(account, now=now),
            asked_by=None,
            address=address,
            now=now,
        )


def is_free(move: NumberMove) -> bool:
    """Whether the number of this claim left its account, by the claim or by what it gave way to."""
    last = _what_it_gave_way_to(move) or move
    return last.done_at is not None


def _what_it_gave_way_to(move: NumberMove) -> NumberMove | None:
    if move.stopped_because != Stopped.SUPERSEDED or move.stopped_at is None:
        return None
    return NumberMove.objects.filter(account=move.account_id, asked_at=move.stopped_at).first()


def told(move: NumberMove | None) -> str:
    """What whoever claims a number reads: nothing of whose it was."""
    if move is None or is_free(move):
        return _("This number is free now. Begin again")
    if not move.is_live:
        later = _what_it_gave_way_to(move)
        if later is not None and later.is_live:
            return _(
                "The owner of the other account is moving it to another number. You get an SMS as soon as this one is "
                "free; use it here afterwards"
            )
        return _("This number stays with its account")
    if move.due_at is None:
        return _(
            "This number still belongs to another account, which is in use. An official of the education department "
            "decides whose it is: bring your identity card and the contract with the operator. The contact centre says "
            "where and when: %(phone)s"
        ) % {"phone": settings.CONTACT_PHONES[0]}
    return _(
        "This number still belongs to another account, which has not been used for long. Unless its owner objects, the "
        "number is free from: %(time)s. You get an SMS then; use the number here afterwards"
    ) % {"time": date_format(localtime(move.due_at), "d.m.Y H:i")}


def needs_an_official(account: User, *, now: datetime) -> bool:
    """Whether nobody but an official may take the number: the account is in use and not being closed, or blocked."""
    is_used = account.leaving_since is None and rules.is_in_use(moves.last_used(account), now=now)
    return is_used or not account.is_active


def give(move: NumberMove, *, actor: User, reason: str, address: str | None, now: datetime) -> NumberMove:
    """Decide that whoever claims the number has it: the account goes on without one. Raises `NotMoved`.

    Nobody decides about a number of their own (OWN_ACCOUNT), or of their family (RELATED).
    """
    _refuse_own(move, actor)
    return moves.perform(move, by=actor, reason=reason, address=address, now=now)


def keep(move: NumberMove, *, actor: User, reason: str, address: str | None, now: datetime) -> NumberMove:
    """Decide that the number stays with the account. Raises `NotMoved` like `give`, and TOO_LATE once it is due."""
    _refuse_own(move, actor)
    return moves.stop(move, by=actor, because=Stopped.REFUSED, reason=reason, address=address, now=now)


def confirm(account: User, *, address: str | None, now: datetime) -> bool:
    """The signed-in owner has entered a code that was sent to the account's number: nobody else has it.

    Whether that ended a claim of somebody else.
    """
    with transaction.atomic():
        prove(account, now=now)
        move = moves.live_move_of(account)
        is_claimed = move is not None and move.kind == Kind.RECYCLING
        if is_claimed:
            moves.stop_all(account, because=Stopped.PROVEN, address=address, now=now)
        audit.record(Action.NUMBER_CONFIRMED, actor=account, subject=account, address=address, now=now)
    return is_claimed


def prove(account: User, *, now: datetime) -> None:
    """A code to the number of `account` was entered at `now`."""
    account.phone_proven_at = now
    User.objects.filter(pk=account.pk).update(phone_proven_at=now)


def is_silent(account: User, *, now: datetime) -> bool:
    """Whether the number is to be confirmed by a code: nobody has entered one of it for a year."""
    proven_at = account.phone_proven_at or account.date_joined
    return account.phone is not None and rules.is_silent(proven_at, now=now)


def to_decide(employee: User) -> QuerySet[NumberMove]:
    """The claims that wait for an official and are not about the employee or their family, the oldest first."""
    waiting = moves.live().filter(kind=Kind.RECYCLING, due_at=None)
    others = waiting.exclude(claimant_hash__in=employee.staff_iin_hashes)
    return others.exclude(in_family_of(employee, account="account")).order_by("asked_at")


def why_not_decided(move: NumberMove, employee: User) -> Fault | None:
    """Why `employee` can't decide whose the number is; None if they can."""
    # As the account's owner, or as whoever claims the number.
    if move.claimant_hash in employee.staff_iin_hashes or employee.is_same_person(move.account):
        return Fault.OWN_ACCOUNT
    return Fault.RELATED if is_of_the_family(move.account, employee) else None


def _refuse_own(move: NumberMove, actor: User) -> None:
    if fault := why_not_decided(move, actor):
        raise NotMoved(fault)
