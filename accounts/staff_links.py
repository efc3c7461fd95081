"""One-time links with which employees set up their accounts: the first time, and after a lost phone.

A link is made by an administrator, who sees it once and hands it over; only its hash is kept. Whoever opens it chooses
a password, sets up an authenticator app and gets ten backup codes, all in one step: a link that was used has done all
of it, and one that was not has done nothing. There is one live link for an account; a newer one makes it void.

A reset takes everything from the account first: password, app, backup codes and with them all sessions. Whoever resets
an account could use the link themselves; that is why its owner reads who did it and why, the audit holds both steps,
and of an account that reads families every official is told (`accounts.officials`).
"""

import secrets
from datetime import datetime
from typing import Final

from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.base import SessionBase
from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import override
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import audit, limits, second_factor
from accounts.crypto import digest
from accounts.journal_actions import Action
from accounts.models import StaffLink, User
from accounts.notices import STAFF_LINK_LASTS
from accounts.officials import tell_of_account
from accounts.passwords import normalise_password

LASTS: Final = STAFF_LINK_LASTS
# The name under which an address holds the secret.
GIVEN_AS: Final = "link"
BACKUP_CODES: Final = 10
# The name of the device that holds them.
BACKUP: Final = "backup"
# Without letters and digits that look alike on paper: twelve of them are 59 bits.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH: Final = 12


class NoLink(Exception):
    """There is no such link, or it counts no longer: used, void, or its days are over."""


class WrongCode(Exception):
    """It is not the code that the app shows now."""


@transaction.atomic
def invite(user: User, *, actor: User | None, address: str | None = None, now: datetime) -> str:
    """The secret of a link for an account that was never set up; earlier ones are void. Locks the account.

    Raises ValueError where the account has a password: that is a case for `reset`.
    """
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if locked.has_usable_password():
        raise ValueError("The account is set up already.")
    audit.record(
        Action.EMPLOYEE_INVITED, actor=actor, subject=user, target=str(user), address=address, now=now
    )
    tell_of_account(user, "staff_account_made", actor=actor, now=now)
    return _new(user, actor=actor, reason="", now=now)


@transaction.atomic
def reset(user: User, *, reason: str, actor: User | None, address: str | None = None, now: datetime) -> str:
    """Take password, app and backup codes from an employee's account; the secret of a link to set it up anew.

    All sessions of the employee end. `actor` None is a command. Locks the account.
    """
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    # With the password's stamp every session goes; who signs in at this moment waits for the row and finds no factor.
    locked.set_unusable_password()
    locked.save(update_fields=["password"])
    user.password = locked.password
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    audit.record(
        Action.SECOND_FACTOR_RESET,
        actor=actor,
        subject=user,
        target=str(user),
        reason=reason,
        address=address,
        now=now,
    )
    tell_of_account(user, "staff_account_reset", actor=actor, reason=reason, now=now)
    return _new(user, actor=actor, reason=reason, now=now)


@transaction.atomic
def withdraw(user: User, *, actor: User | None, address: str | None, now: datetime) -> bool:
    """Make the live link of the account void; False where there is none. Locks the account."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not _void(user, now=now):
        return False
    audit.record(
        Action.STAFF_LINK_VOIDED, actor=actor, subject=user, target=str(user), address=address, now=now
    )
    return True


def live_link(user: User, *, now: datetime) -> StaffLink | None:
    """The link with which the account can be set up now."""
    return _live(now=now).filter(user=user).select_related("made_by").first()


def find(secret: str, *, now: datetime) -> StaffLink:
    """The live link with this secret, and whose it is. Raises `NoLink`; a blocked account has none."""
    found = _live(now=now).filter(link_hash=_hash(secret), user__is_active=True, user__is_staff=True)
    link = found.select_related("user", "made_by").first()
    if link is None:
        raise NoLink
    return link


@transaction.atomic
def use(
    secret: str, *, password: str, code: str, session: SessionBase, address: str | None = None, now: datetime
) -> tuple[User, Device, list[str]]:
    """Set the account up; its owner, the app, and the backup codes, which are told here alone.

    `code` is what the app of `session` shows (`second_factor.app_to_set_up`); `password` has been checked by
    `validate_password`. Of any number of tries at once with one link one succeeds. Raises `NoLink` and `WrongCode`, and
    then nothing is changed. Locks the account, as a reset does: whichever comes second finds what the first has left.
    """
    owner = find(secret, now=now).user
    user = User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    link = find(secret, now=now)
    device = second_factor.set_up_app(user, code, session=session, address=address, now=now)
    if device is None:
        raise WrongCode
    user.password = make_password(normalise_password(password))
    user.save(update_fields=["password"])
    StaffLink.objects.filter(pk=link.pk).update(used_at=now)
    audit.record(Action.STAFF_LINK_USED, actor=user, subject=user, target=str(user), address=address, now=now)
    limits.clear(limits.SIGN_IN_PER_ACCOUNT, user.username, now=now)
    return user, device, _new_codes(user)


@transaction.atomic
def renew_codes(user: User, *, address: str | None, now: datetime) -> list[str]:
    """New backup codes in the place of all former ones, told here alone. Locks the account."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    audit.record(
        Action.BACKUP_CODES_RENEWED, actor=user, subject=user, target=str(user), address=address, now=now
    )
    return _new_codes(user)


def codes_left(user: User) -> int:
    """How many backup codes the employee has not used."""
    return int(StaticToken.objects.filter(device__user=user).count())


def address_of(secret: str, *, language: str) -> str:
    """The address of the link on this site, in a language."""
    with override(language):
        return f"{reverse('admin:set_up')}?{GIVEN_AS}={secret}"


def _new(user: User, *, actor: User | None, reason: str, now: datetime) -> str:
    _void(user, now=now)
    secret = secrets.token_urlsafe(32)
    StaffLink.objects.create(
        user=user,
        link_hash=_hash(secret),
        reason=reason,
        made_at=now,
        made_by=actor,
        expires_at=now + LASTS,
    )
    return secret


def _void(user: User, *, now: datetime) -> int:
    return StaffLink.objects.filter(user=user, used_at=None, voided_at=None).update(voided_at=now)


def _live(*, now: datetime) -> "models.QuerySet[StaffLink]":
    return StaffLink.objects.filter(used_at=None, voided_at=None, expires_at__gt=now)


def _hash(secret: str) -> str:
    # Without a key: nobody guesses 256 bits, and a link outlives a change of the keys.
    return digest("staff-link", secret)


def _new_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name=BACKUP, confirmed=True)
    codes = [_new_code() for _ in range(BACKUP_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return [" ".join(code[at : at + 4] for at in range(0, _LENGTH, 4)) for code in codes]


def _new_code() -> str:
    while True:
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        # Twelve digits would be two codes of an app.
        if not code.isdigit():
            return code
