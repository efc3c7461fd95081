"""A parent's own second way: an authenticator app instead of codes by SMS, and recovery codes on paper.

Where the portal asks a parent for a code at a sign-in, a parent with an app enters the app's code or a recovery code,
and gets no SMS; on a device that does not know the account it asks every time. Wrong codes are counted for the number
that was typed, and lock nobody out: two successive codes of the app and a recovery code, which can't be guessed, are
always accepted.
"""

import secrets
import uuid
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import override
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import audit, limits, second_factor
from accounts.crypto import digest, keyed_hashes
from accounts.journal_actions import Action
from accounts.models import RecoveryCode, User
from accounts.models.recovery_code import RECOVERY_CODE, recovery_code_hash
from accounts.services import TooManyTries
from notifications.services import enqueue

CODES: Final = 10
# Without letters and digits that look alike on paper: twelve of them are 59 bits.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH: Final = 12


def codes_left(user: User) -> int:
    """How many recovery codes the parent has not used."""
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


@transaction.atomic
def set_up(
    user: User, token: str, *, session: SessionBase, address: str | None, now: datetime
) -> list[str] | None:
    """Accept the app that shows `token`, tell the owner, and return the recovery codes; None for another code.

    The app is that of `session` (`second_factor.app_to_set_up`); a parent has one at a time. The codes are told here
    alone. Locks the account.
    """
    if second_factor.set_up_app(user, token, session=session, address=address, now=now) is None:
        return None
    _tell(user, "app_set_up", now=now)
    return _new_codes(user, now=now)


@transaction.atomic
def renew_codes(user: User, *, address: str | None, now: datetime) -> list[str]:
    """New recovery codes in the place of all former ones. Locks the account."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    audit.record(Action.RECOVERY_CODES_RENEWED, actor=user, subject=user, address=address, now=now)
    return _new_codes(user, now=now)


@transaction.atomic
def turn_off(user: User, *, actor: User, address: str | None, now: datetime) -> None:
    """Forget the app and the recovery codes: codes come by SMS again. The owner is told. Locks the account."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    TOTPDevice.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    audit.record(Action.SECOND_WAY_OFF, actor=actor, subject=user, address=address, now=now)
    _tell(user, "app_turned_off", now=now)


def try_code(name: str, user: User | None, token: str, *, now: datetime) -> bool:
    """Whether `token`, a code of the app or a recovery code, is right for `user`; a right one is used up.

    `name` is the number that was typed, or the name of the account that is signed in: wrong codes are counted for it,
    whoever `user` is. Raises `TooManyTries` after
    too many of them, unless the code is right and can't have been guessed. Of many simultaneous tries with one code
    one succeeds.
    """
    is_right = _matches(user, token, now=now)
    answer = limits.judge(limits.app_code_limits(name), right=is_right, now=now)
    if not answer.ok and not (is_right and is_beyond_guessing(token)):
        raise TooManyTries(answer.retry_at)
    return is_right and user is not None and _use_up(user, token, now=now)


def is_recovery_code(token: str) -> bool:
    """Whether `token` is written like a recovery code, with any spaces and dashes."""
    code = _compact(token)
    return len(code) == _LENGTH and set(code) <= set(_ALPHABET) and not code.isdigit()


def is_beyond_guessing(token: str) -> bool:
    """Whether a right `token` can't have been guessed: a recovery code, or two codes of the app."""
    return is_recovery_code(token) or second_factor.is_beyond_guessing(token)


def _matches(user: User | None, token: str, *, now: datetime) -> bool:
    # Without a user the same look-ups run and find nothing.
    if is_recovery_code(token):
        return _unused(user.pk if user else uuid.uuid4(), token).exists()
    return second_factor.matching_device(user, token, now=now) is not None


def _use_up(user: User, token: str, *, now: datetime) -> bool:
    if is_recovery_code(token):
        # One statement, whose row lock lets one of many through.
        return _unused(user.pk, token).update(used_at=now) == 1
    device = second_factor.matching_device(user, token, now=now)
    return device is not None and second_factor.use_up(device, token, now=now)


def _unused(user_id: uuid.UUID, token: str) -> models.QuerySet[RecoveryCode]:
    hashes = keyed_hashes(RECOVERY_CODE, _digest(user_id, token))
    return RecoveryCode.objects.filter(user_id=user_id, code_hash__in=hashes, used_at=None)


def _new_codes(user: User, *, now: datetime) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [_new_code() for _ in range(CODES)]
    digests = [_digest(user.pk, code) for code in codes]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_digest=one, code_hash=recovery_code_hash(one), made_at=now)
        for one in digests
    )
    return codes


def _new_code() -> str:
    while True:
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        # Twelve digits would be two codes of an app.
        if not code.isdigit():
            return "-".join(code[at : at + 4] for at in range(0, _LENGTH, 4))


def _digest(user_id: uuid.UUID, code: str) -> str:
    return digest(RECOVERY_CODE, f"{user_id}:{_compact(code)}")


def _compact(token: str) -> str:
    return "".join(sign for sign in token.casefold() if sign.isalnum())


def _tell(user: User, kind: str, *, now: datetime) -> None:
    with override(settings.LANGUAGE_CODE):
        link = reverse("accounts:app")
    key = f"{kind}:{user.pk}:{now.isoformat()}"
    enqueue(user, kind, context={}, dedupe_key=key, now=now, link=link)
