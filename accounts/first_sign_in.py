"""Accounts made by an employee: a login number instead of a phone, and a paper with a code for the first sign-in.

Nine digits are the login: no number of a telephone, and nothing that others know, as an IIN would be. The code is
printed and nowhere kept; a new paper voids the former one. Whoever holds it is the parent, so two employees stand
behind each: one registers the person, or asks for another paper, and a colleague prints it.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import audit
from accounts.crypto import digest, keyed_hash, keyed_hashes
from accounts.journal_actions import Action
from accounts.models import FirstSignIn, PolicyConsent, User
from accounts.models.first_sign_in import FIRST_SIGN_IN, paper_code_hash
from accounts.numbers.concerned import is_of_the_family, tell_by_other_ways, what_holds
from accounts.owner_proofs import OwnerProof
from accounts.phones import LOGIN_LENGTH
from accounts.registry import Person
from accounts.services import IdentityTaken, account_of, profile_of
from notifications.services import enqueue

VALID_FOR: Final = timedelta(days=10)
TRIES: Final = 5
CODE_LENGTH: Final = 10


class PaperFault(StrEnum):
    """Why an employee can't ask for a paper, print it or decline it."""

    HAS_PHONE = "has_phone"
    NOT_ASKED = "not_asked"
    ASKED = "asked"
    SAME_EMPLOYEE = "same_employee"
    RELATED = "related"
    HELD = "held"


class NoPaper(Exception):
    """It can't be done; `fault` says why, and `str()` is a sentence for the employee: `said`, if something HELD it."""

    def __init__(self, fault: PaperFault, said: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.said = said

    def __str__(self) -> str:
        return (
            self.said
            or {
                PaperFault.HAS_PHONE: _("This account has a phone number: its owner sets a password by SMS"),
                PaperFault.NOT_ASKED: _("The paper was printed. Ask for a new one; a colleague prints it"),
                PaperFault.ASKED: _("A paper is asked for already: a colleague prints it"),
                PaperFault.SAME_EMPLOYEE: _("Who asked for the paper does not print it: a colleague does"),
                PaperFault.RELATED: _("This is about you or your family: a colleague does it"),
                PaperFault.HELD: _("Something holds changes of this account"),
            }[self.fault]
        )


def register_assisted(
    person: Person, *, language: str, actor: User, address: str | None, now: datetime
) -> FirstSignIn:
    """Create the account of `person`, who has agreed to the data policy on paper; nobody can sign in to it yet.

    `person` comes from the registry, or was typed with the document seen. Raises `IdentityTaken`.
    """
    if account_of(person) is not None:
        raise IdentityTaken
    try:
        with transaction.atomic():
            user = User(
                username=_new_login(), language=language, date_joined=now, password=make_password(None)
            )
            user.save(force_insert=True)
            profile_of(user, person).save(force_insert=True)
            PolicyConsent.objects.create(user=user, version=settings.DATA_POLICY_VERSION, given_at=now)
            audit.record(Action.REGISTERED_BY_EMPLOYEE, actor=actor, subject=user, address=address, now=now)
            return FirstSignIn.objects.create(
                user=user, registered_by=actor, registered_at=now, asked_by=actor, asked_at=now
            )
    except IntegrityError:
        raise IdentityTaken from None


def may_ask(first: FirstSignIn) -> bool:
    """Whether another paper can be asked for: none is, and the login is still the only way in."""
    return first.asked_at is None and _signs_in_by_login(first.user)


def ask_for_paper(first: FirstSignIn, *, why: str, actor: User, address: str | None, now: datetime) -> None:
    """Ask for another paper, which a colleague of `actor` prints: the former one was lost, or the password forgotten.

    Until then the former one holds. An owner who has signed in before is told. Raises `NoPaper` (RELATED, ASKED,
    HAS_PHONE). Locks the row.
    """
    with transaction.atomic():
        row = _lock(first)
        if is_of_the_family(row.user, actor):
            raise NoPaper(PaperFault.RELATED)
        if not may_ask(row):
            raise NoPaper(PaperFault.ASKED if row.asked_at else PaperFault.HAS_PHONE)
        row.asked_by, row.asked_at, row.why = actor, now, why
        row.save(update_fields=["asked_by", "asked_at", "why"])
        _record(Action.PAPER_ASKED_FOR, row, actor=actor, address=address, now=now)
        if row.used_at is not None:
            key = f"paper-anew:{row.pk}:{now.isoformat()}"
            enqueue(row.user, "paper_anew", context={}, dedupe_key=key, now=now)
            tell_by_other_ways(row.user, "paper_anew", context={}, dedupe_key=key, now=now)


def why_not_printed(first: FirstSignIn, *, actor: User) -> PaperFault | None:
    """Why `actor` can't print the paper; None if they can, unless something holds changes of the account."""
    if is_of_the_family(first.user, actor):
        return PaperFault.RELATED
    if first.asked_at is None:
        return PaperFault.NOT_ASKED
    if not _signs_in_by_login(first.user):
        return PaperFault.HAS_PHONE
    return PaperFault.SAME_EMPLOYEE if first.asked_by_id == actor.pk else None


def issue_code(first: FirstSignIn, *, actor: User, address: str | None, now: datetime) -> str:
    """A new code for the paper that a colleague of `actor` has asked for; every former one is void.

    A password that the owner has holds until a new one is set with the paper. Raises `NoPaper` (RELATED, NOT_ASKED,
    HAS_PHONE, SAME_EMPLOYEE, HELD). Locks the account, then the row.
    """
    with transaction.atomic():
        account = User.objects.select_for_update(no_key=True).get(pk=first.user_id)
        row = _lock(first)
        if fault := why_not_printed(row, actor=actor):
            raise NoPaper(fault)
        if held := what_holds(account):
            raise NoPaper(PaperFault.HELD, str(held.at_work))
        code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
        row.code_digest = _digest(row.user.username, code)
        row.code_hash = paper_code_hash(row.code_digest)
        row.attempts, row.expires_at, row.used_at = 0, now + VALID_FOR, None
        _record(Action.PAPER_PRINTED, row, actor=actor, address=address, now=now)
        _close_request(row)
    return code


def decline_paper(first: FirstSignIn, *, actor: User, address: str | None, now: datetime) -> None:
    """Print none: whoever asked takes it back, or a colleague declines. Raises `NoPaper` (RELATED, NOT_ASKED)."""
    with transaction.atomic():
        row = _lock(first)
        if is_of_the_family(row.user, actor):
            raise NoPaper(PaperFault.RELATED)
        if row.asked_at is None:
            raise NoPaper(PaperFault.NOT_ASKED)
        _record(Action.PAPER_DECLINED, row, actor=actor, address=address, now=now)
        _close_request(row)


def to_print(employee: User) -> QuerySet[FirstSignIn]:
    """The papers that wait for a colleague of whoever asked, and that is not the employee, the oldest first."""
    return FirstSignIn.objects.exclude(asked_at=None).exclude(asked_by=employee).order_by("asked_at")


def _close_request(row: FirstSignIn) -> None:
    row.asked_by, row.asked_at, row.why = None, None, ""
    row.save()


def _record(action: Action, row: FirstSignIn, *, actor: User, address: str | None, now: datetime) -> None:
    audit.record(action, actor=actor, subject=row.user, reason=row.why, address=address, now=now)


def _lock(first: FirstSignIn) -> FirstSignIn:
    return FirstSignIn.objects.select_for_update(of=("self",)).select_related("user").get(pk=first.pk)


def _signs_in_by_login(user: User) -> bool:
    return user.phone is None and bool(user.login)


def owner_of_paper(login: str, code: str, *, now: datetime) -> User | None:
    """Whose paper holds this `login` and `code`; None if it is wrong, void, used or was tried five times.

    A wrong code counts as a try. Locks the row, so none is uncounted. The code is used up by `first_password`.
    """
    with transaction.atomic():
        row = FirstSignIn.objects.select_for_update(of=("self",)).filter(user__username=login).first()
        given = keyed_hashes(FIRST_SIGN_IN, _digest(login, code))
        if row is None or not _is_open(row, now=now):
            return None
        if any(hmac.compare_digest(row.code_hash, one) for one in given):
            return row.user
        row.attempts += 1
        row.save(update_fields=["attempts"])
        return None


def first_password(
    proof: OwnerProof, code_mark: str, *, password_hash: str, address: str | None, now: datetime
) -> User | None:
    """Set the first password and use the paper up; None if the account, or the paper, is no longer as it was entered.

    `code_mark` is `mark_of` the paper at that moment, `proof` is about its owner, `password_hash` comes from
    `make_password`. Locks the account, then the row.
    """
    with transaction.atomic():
        user = proof.lock_owner()
        row = FirstSignIn.objects.select_for_update(of=("self",)).filter(user=user).first() if user else None
        if user is None or row is None or not _is_open(row, now=now):
            return None
        if not hmac.compare_digest(mark_of(row), code_mark):
            return None
        row.used_at = now
        row.save(update_fields=["used_at"])
        user.password = password_hash
        user.save(update_fields=["password"])
        audit.record(Action.PASSWORD_SET_BY_PAPER, actor=user, subject=user, address=address, now=now)
        return user


def mark_of(first: FirstSignIn) -> str:
    """Which paper it is, for a session to hold."""
    return keyed_hash("first-sign-in-mark", first.code_digest)


def _is_open(row: FirstSignIn, *, now: datetime) -> bool:
    is_valid = row.expires_at is not None and now < row.expires_at
    return is_valid and row.used_at is None and row.attempts < TRIES and row.user.is_active


def _new_login() -> str:
    """A free login number; it begins with no digit that a telephone number could begin with."""
    while True:
        login = f"9{secrets.randbelow(10 ** (LOGIN_LENGTH - 1)):0{LOGIN_LENGTH - 1}d}"
        if not User.objects.filter(username=login).exists():
            return login


def _digest(login: str, code: str) -> str:
    return digest(FIRST_SIGN_IN, f"{login}:{code}")
