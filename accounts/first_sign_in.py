"""Accounts made by an employee: a login number instead of a phone, and a paper with a code for the first sign-in.

Nine digits are the login: no number of a telephone, and nothing that others know, as an IIN would be. The code is
printed and nowhere kept; a new paper voids the former one. Whoever holds it is the parent, so two employees stand
behind each: one registers the person, or asks for another paper, and a colleague prints it.
"""

import hmac
import secrets
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import audit
from accounts.crypto import digest, keyed_hash, keyed_hashes
from accounts.journal_actions import Action
from accounts.models import FirstSignIn, PolicyConsent, Profile, User
from accounts.models.first_sign_in import FIRST_SIGN_IN, paper_code_hash
from accounts.numbers.concerned import (
    in_family_of,
    is_held,
    is_of_the_family,
    tell_by_other_ways,
    what_holds,
)
from accounts.officials import is_one_with, one_with
from accounts.owner_proofs import OwnerProof
from accounts.phones import LOGIN_LENGTH
from accounts.registry import Person
from accounts.services import IdentityTaken, account_of, profile_of
from notifications.services import enqueue

VALID_FOR: Final = timedelta(days=10)
TRIES: Final = 5
CODE_LENGTH: Final = 10
# How old a parent may be whose birth date is typed; beyond it is a slip of the finger.
OF_AGE: Final = 16
OLDEST: Final = 110
# What is typed of a person whom the registry does not know.
TYPED: Final = ("last_name", "first_name", "middle_name", "birth_date", "sex")


class PaperFault(StrEnum):
    """Why an employee can't ask for a paper, print it or decline it."""

    HAS_PHONE = "has_phone"
    NOT_ASKED = "not_asked"
    ASKED = "asked"
    SAME_EMPLOYEE = "same_employee"
    RELATED = "related"
    HELD = "held"


class NoPaper(Exception):
    """It can't be done; `fault` says why, and `str()` is a sentence for the employee."""

    def __init__(self, fault: PaperFault) -> None:
        super().__init__()
        self.fault = fault

    def __str__(self) -> str:
        return {
            PaperFault.HAS_PHONE: _("This account has a phone number: its owner sets a password by SMS"),
            PaperFault.NOT_ASKED: _("The paper was printed. Ask for a new one; a colleague prints it"),
            PaperFault.ASKED: _("A paper is asked for already: a colleague prints it"),
            PaperFault.SAME_EMPLOYEE: _("Who asked for the paper does not print it: a colleague does"),
            PaperFault.RELATED: _("This is about you or your family: a colleague does it"),
            PaperFault.HELD: _(
                "An official has yet to decide a dispute about a guardian in this family. Until then no paper is "
                "asked for or printed"
            ),
        }[self.fault]


class NotOfAge(ValueError):
    """Nobody of this age registers a child; `str()` is a sentence for the employee."""

    def __str__(self) -> str:
        return _(
            "A parent is from %(least)s to %(most)s years old on the day of registration: compare the date of birth "
            "with the document"
        ) % {"least": OF_AGE, "most": OLDEST}


def refuse_age(birth_date: date, *, now: datetime) -> None:
    """Raise `NotOfAge` for a date that can't be a parent's: from 16 on parents act for their child by themselves."""
    today = localtime(now).date()
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    if not OF_AGE <= today.year - birth_date.year - (not had_birthday) <= OLDEST:
        raise NotOfAge


def register_assisted(
    person: Person,
    *,
    is_typed: bool = False,
    language: str,
    actor: User,
    address: str | None,
    now: datetime,
) -> FirstSignIn:
    """Create the account of `person`, who has agreed to the data policy on paper; nobody can sign in to it yet.

    `person` comes from the registry, or `is_typed` from the document that was seen. Raises `IdentityTaken`, `NotOfAge`.
    """
    if is_typed:
        refuse_age(person.birth_date, now=now)
    if account_of(person) is not None:
        raise IdentityTaken
    try:
        with transaction.atomic():
            user = User(
                username=_new_login(), language=language, date_joined=now, password=make_password(None)
            )
            user.save(force_insert=True)
            profile = profile_of(user, person)
            profile.is_typed = is_typed
            profile.save(force_insert=True)
            PolicyConsent.objects.create(user=user, version=settings.DATA_POLICY_VERSION, given_at=now)
            first = FirstSignIn.objects.create(
                user=user, registered_by=actor, registered_at=now, asked_by=actor, asked_at=now
            )
            _record(Action.REGISTERED_BY_EMPLOYEE, first, actor=actor, address=address, now=now)
            return first
    except IntegrityError:
        raise IdentityTaken from None


def may_ask(first: FirstSignIn) -> bool:
    """Whether another paper can be asked for: none is, and the login is still the only way in."""
    return first.asked_at is None and _signs_in_by_login(first.user)


def ask_for_paper(first: FirstSignIn, *, why: str, actor: User, address: str | None, now: datetime) -> None:
    """Ask for another paper, which a colleague of `actor` prints: the former one was lost, or the password forgotten.

    Until then the former one holds. An owner who has a password is told. Raises `NoPaper` (RELATED, ASKED, HAS_PHONE,
    HELD). Locks the row.
    """
    with transaction.atomic():
        row = _lock(first)
        if is_of_the_family(row.user, actor):
            raise NoPaper(PaperFault.RELATED)
        if not may_ask(row):
            raise NoPaper(PaperFault.ASKED if row.asked_at else PaperFault.HAS_PHONE)
        if what_holds(row.user):
            raise NoPaper(PaperFault.HELD)
        row.asked_by, row.asked_at, row.why = actor, now, why
        row.save(update_fields=["asked_by", "asked_at", "why"])
        _record(Action.PAPER_ASKED_FOR, row, actor=actor, address=address, now=now)
        _tell_owner(row, "paper_anew", now=now)


def why_not_printed(first: FirstSignIn, *, actor: User) -> PaperFault | None:
    """Why `actor` can't print the paper now; None if they can."""
    if is_of_the_family(first.user, actor):
        return PaperFault.RELATED
    if not _signs_in_by_login(first.user):
        return PaperFault.HAS_PHONE
    if what_holds(first.user):
        return PaperFault.HELD
    if first.asked_at is None:
        return PaperFault.NOT_ASKED
    return PaperFault.SAME_EMPLOYEE if first.asked_by_id in one_with(actor) else None


def issue_code(first: FirstSignIn, *, actor: User, address: str | None, now: datetime) -> str:
    """A new code for the paper that a colleague of `actor` has asked for; every former one is void.

    A password that the owner has holds until a new one is set with the paper. Raises `NoPaper` (RELATED, NOT_ASKED,
    HAS_PHONE, SAME_EMPLOYEE, HELD). Locks the account, then the row.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=first.user_id)
        row = _lock(first)
        if fault := why_not_printed(row, actor=actor):
            raise NoPaper(fault)
        code = f"{secrets.randbelow(10**CODE_LENGTH):0{CODE_LENGTH}d}"
        row.code_digest = _digest(row.user.username, code)
        row.code_hash = paper_code_hash(row.code_digest)
        row.attempts, row.expires_at, row.used_at = 0, now + VALID_FOR, None
        _record(Action.PAPER_PRINTED, row, actor=actor, address=address, now=now)
        _close_request(row)
        _tell_owner(row, "paper_printed", now=now)
    return code


def decline_paper(
    first: FirstSignIn, *, reason: str, actor: User, address: str | None, now: datetime
) -> None:
    """Print none: whoever asked takes it back, or a colleague declines.

    An owner who has a password reads the reason. Raises `NoPaper` (RELATED, NOT_ASKED). Locks the row.
    """
    with transaction.atomic():
        row = _lock(first)
        if is_of_the_family(row.user, actor):
            raise NoPaper(PaperFault.RELATED)
        if row.asked_at is None:
            raise NoPaper(PaperFault.NOT_ASKED)
        row.why = reason
        _record(Action.PAPER_DECLINED, row, actor=actor, address=address, now=now)
        _close_request(row)
        _tell_owner(row, "paper_declined", now=now, reason=reason)


def can_be_stopped(first: FirstSignIn, *, now: datetime) -> bool:
    """Whether the owner can still stop a paper: it is asked for, or was printed and can be used."""
    return first.user.has_usable_password() and (first.asked_at is not None or is_open(first, now=now))


def stop_paper(first: FirstSignIn, *, address: str | None, now: datetime) -> bool:
    """The owner, who has a password, wants no other paper: none is printed, and a printed one is void.

    False if there is nothing to stop (any more). Locks the row.
    """
    with transaction.atomic():
        row = _lock(first)
        if not can_be_stopped(row, now=now):
            return False
        _record(Action.PAPER_STOPPED, row, actor=row.user, address=address, now=now)
        row.code_digest = row.code_hash = ""
        row.expires_at = None
        _close_request(row)
        return True


def correct_typed(
    first: FirstSignIn,
    values: dict[str, Any],
    *,
    reason: str,
    actor: User,
    address: str | None,
    now: datetime,
) -> None:
    """Mend what was typed wrongly from the document: names, `birth_date` and `sex`, by the profile's columns.

    The owner is told. Raises `NoPaper` (RELATED), `NotOfAge`; does nothing to what the registry has said by now. Locks
    the account, then the row.
    """
    refuse_age(values["birth_date"], now=now)
    with transaction.atomic():
        profile = Profile.locked(first.user)
        row = _lock(first)
        if is_of_the_family(row.user, actor):
            raise NoPaper(PaperFault.RELATED)
        if not profile.is_typed:
            return
        for name in TYPED:
            setattr(profile, name, values[name])
        profile.save(update_fields=TYPED)
        audit.record(
            Action.TYPED_CORRECTED,
            actor=actor,
            subject=row.user,
            reason=reason,
            address=address,
            about=row,
            now=now,
        )
        enqueue(
            row.user,
            "typed_corrected",
            context={"reason": reason},
            dedupe_key=f"typed:{row.pk}:{now.isoformat()}",
            now=now,
            link=_address("accounts:profile"),
        )


def to_print(employee: User) -> QuerySet[FirstSignIn]:
    """The papers that `employee` can print now, the oldest first: a colleague has asked for them."""
    waiting = FirstSignIn.objects.exclude(asked_at=None).filter(user__phone=None)
    not_theirs = in_family_of(employee, account="user") | is_held(account="user")
    return waiting.exclude(not_theirs).exclude(is_one_with(employee, path="asked_by")).order_by("asked_at")


def _tell_owner(row: FirstSignIn, kind: str, *, now: datetime, **context: Any) -> None:
    """Tell an owner who has a password: nobody else can read it. `used_at` speaks of the newest paper only."""
    if not row.user.has_usable_password():
        return
    key, link = f"{kind}:{row.pk}:{now.isoformat()}", _address("accounts:stop_choose")
    enqueue(row.user, kind, context=context, dedupe_key=key, now=now, link=link)
    tell_by_other_ways(row.user, kind, context=context, dedupe_key=key, now=now)


def _address(page: str) -> str:
    with override(settings.LANGUAGE_CODE):
        return reverse(page)


def _close_request(row: FirstSignIn) -> None:
    row.asked_by, row.asked_at, row.why = None, None, ""
    row.save()


def _record(action: Action, row: FirstSignIn, *, actor: User, address: str | None, now: datetime) -> None:
    audit.record(action, actor=actor, subject=row.user, reason=row.why, address=address, about=row, now=now)


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
        if row is None or not is_open(row, now=now):
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
        if user is None or row is None or not is_open(row, now=now):
            return None
        if not hmac.compare_digest(mark_of(row), code_mark):
            return None
        row.used_at = now
        row.save(update_fields=["used_at"])
        user.password = password_hash
        user.save(update_fields=["password"])
        _record(Action.PASSWORD_SET_BY_PAPER, row, actor=user, address=address, now=now)
        return user


def mark_of(first: FirstSignIn) -> str:
    """Which paper it is, for a session to hold."""
    return keyed_hash("first-sign-in-mark", first.code_digest)


def is_open(row: FirstSignIn, *, now: datetime) -> bool:
    """Whether a password can be set with the paper that was printed last."""
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
