"""Accounts made by an employee: a login number instead of a phone, and a paper with a code for the first sign-in.

Nine digits are the login: no number of a telephone, and nothing that others know, as an IIN would be. The code is
printed and nowhere kept; a new paper voids the former one.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.crypto import digest, keyed_hash, keyed_hashes
from accounts.identity import document_hash, iin_hash
from accounts.journal_actions import Action
from accounts.models import FirstSignIn, PolicyConsent, Profile, User
from accounts.models.first_sign_in import FIRST_SIGN_IN, paper_code_hash
from accounts.numbers.assisted import Held, refuse_related
from accounts.numbers.concerned import tell_by_other_ways, what_holds
from accounts.numbers.moves import Fault, NotMoved
from accounts.phones import LOGIN_LENGTH
from accounts.registry import Person
from accounts.services import IdentityTaken, account_of
from notifications.services import enqueue

VALID_FOR: Final = timedelta(days=10)
TRIES: Final = 5
CODE_LENGTH: Final = 10


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
            Profile.objects.create(
                user=user,
                iin=person.iin,
                iin_hash=iin_hash(person.iin),
                document_number=person.document_number,
                document_hash=document_hash(person.document_number),
                last_name=person.last_name,
                first_name=person.first_name,
                middle_name=person.middle_name,
                birth_date=person.birth_date,
                sex=person.sex,
            )
            PolicyConsent.objects.create(user=user, version=settings.DATA_POLICY_VERSION, given_at=now)
            audit.record(Action.REGISTERED_BY_EMPLOYEE, actor=actor, subject=user, address=address, now=now)
            return FirstSignIn.objects.create(user=user, registered_by=actor, registered_at=now)
    except IntegrityError:
        raise IdentityTaken from None


def issue_code(first: FirstSignIn, *, actor: User, address: str | None, now: datetime) -> str:
    """A new code for a new paper; every former one is void. Not once the first sign-in was made (`ValueError`).

    Raises `accounts.numbers.moves.NotMoved` (RELATED): nobody holds a paper that opens an account of their own family.
    """
    refuse_related(first.user, actor)
    with transaction.atomic():
        row = FirstSignIn.objects.select_for_update().get(pk=first.pk)
        if row.used_at is not None:
            raise ValueError("The paper was used.")
        code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
        row.code_digest = _digest(row.user.username, code)
        row.code_hash = paper_code_hash(row.code_digest)
        row.attempts, row.expires_at = 0, now + VALID_FOR
        row.save(update_fields=["code_digest", "code_hash", "attempts", "expires_at"])
        audit.record(Action.PAPER_PRINTED, actor=actor, subject=row.user, address=address, now=now)
    return code


def may_ask_anew(first: FirstSignIn) -> bool:
    """Whether a new paper can be asked for: the first one was used, and its login is still the only way in."""
    return first.used_at is not None and first.anew_asked_at is None and _signs_in_by_login(first.user)


def ask_anew(first: FirstSignIn, *, why: str, actor: User, address: str | None, now: datetime) -> None:
    """Ask for a new paper for an owner who came with a document and has lost the password; the owner is told.

    Nothing changes until a second employee approves. Raises `NotMoved`: RELATED, OVER if there is nothing to ask for.
    """
    refuse_related(first.user, actor)
    with transaction.atomic():
        row = _lock(first)
        if not may_ask_anew(row):
            raise NotMoved(Fault.OVER)
        row.anew_asked_by, row.anew_asked_at, row.anew_why = actor, now, why
        row.save(update_fields=["anew_asked_by", "anew_asked_at", "anew_why"])
        action = Action.PAPER_ASKED_ANEW
        audit.record(action, actor=actor, subject=row.user, reason=why, address=address, now=now)
        key = f"paper-anew:{row.pk}:{now.isoformat()}"
        enqueue(row.user, "paper_anew", context={}, dedupe_key=key, now=now)
        tell_by_other_ways(row.user, "paper_anew", context={}, dedupe_key=key, now=now)


def approve_anew(first: FirstSignIn, *, actor: User, address: str | None, now: datetime) -> None:
    """Let a new paper be printed; the present password stays until a new one is set with it.

    Raises `NotMoved`: RELATED, SAME_EMPLOYEE for whoever asked, OVER, HELD while something holds moves of the account.
    """
    refuse_related(first.user, actor)
    with transaction.atomic():
        account = User.objects.select_for_update(no_key=True).get(pk=first.user_id)
        row = _lock(first)
        if row.anew_asked_at is None:
            raise NotMoved(Fault.OVER)
        if row.anew_asked_by_id == actor.pk:
            raise NotMoved(Fault.SAME_EMPLOYEE)
        if said := what_holds(account):
            raise Held(said)
        row.used_at = row.expires_at = None
        row.code_digest, row.code_hash, row.attempts = "", "", 0
        _decided(row, Action.PAPER_APPROVED, actor=actor, address=address, now=now)


def to_approve(employee: User) -> QuerySet[FirstSignIn]:
    """The new papers that wait for a colleague of whoever asked, and that is not the employee, the oldest first."""
    waiting = FirstSignIn.objects.filter(anew_asked_at__isnull=False)
    return waiting.exclude(anew_asked_by=employee).order_by("anew_asked_at")


def decline_anew(first: FirstSignIn, *, actor: User, address: str | None, now: datetime) -> None:
    """Print none: the employee who asked takes it back, or another one declines. Raises `NotMoved` (RELATED, OVER)."""
    refuse_related(first.user, actor)
    with transaction.atomic():
        row = _lock(first)
        if row.anew_asked_at is None:
            raise NotMoved(Fault.OVER)
        _decided(row, Action.PAPER_DECLINED, actor=actor, address=address, now=now)


def _decided(row: FirstSignIn, action: Action, *, actor: User, address: str | None, now: datetime) -> None:
    why = row.anew_why
    row.anew_asked_by, row.anew_asked_at, row.anew_why = None, None, ""
    row.save()
    audit.record(action, actor=actor, subject=row.user, reason=why, address=address, now=now)


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
    login: str, code_mark: str, *, password_hash: str, address: str | None, now: datetime
) -> User | None:
    """Set the first password and use the paper up; None if it is no longer the one that was entered.

    `code_mark` is `mark_of` the paper at that moment, `password_hash` comes from `make_password`.
    """
    with transaction.atomic():
        row = FirstSignIn.objects.select_for_update(of=("self",)).filter(user__username=login).first()
        if row is None or not _is_open(row, now=now) or not hmac.compare_digest(mark_of(row), code_mark):
            return None
        row.used_at = now
        row.save(update_fields=["used_at"])
        user = row.user
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
