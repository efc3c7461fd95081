"""Devices that know an account: a signed cookie says which accounts have been signed in to on this device.

It grants no access. Sign-ins from such a device have their own count of tries, which strangers can't use up
(`accounts.limits.sign_in_limits`). The cookie holds no name and no number, only keyed hashes.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from accounts.crypto import keyed_hash
from accounts.models import User

LIFETIME: Final = timedelta(days=180)
# Accounts of one device, the latest sign-in last: a family's phone, a computer in a kindergarten.
MOST: Final = 8
_SALT: Final = "accounts.devices"
_HASH_LENGTH: Final = 20


@dataclass(frozen=True)
class _Device:
    """The random number of a device, and what it knows of each account: whose it is, and its password's mark."""

    number: str = ""
    accounts: dict[str, str] = field(default_factory=dict)


def known_device(request: HttpRequest, name: str) -> str:
    """The number of the device that `request` came from, if it knows the account `name`; else an empty string.

    A device knows an account until the password changes, or until half a year after the last sign-in. Costs a query
    only if the cookie mentions this account.
    """
    device = _read(request)
    mark = device.accounts.get(_account(name))
    if mark is None:
        return ""
    password = User.objects.filter(username=name).values_list("password", flat=True).first()
    if password is None or not hmac.compare_digest(mark, _mark(device.number, password)):
        return ""
    return device.number


def device_hash(request: HttpRequest) -> str:
    """A keyed hash of the number of the device that `request` came from; empty if it has none."""
    number = _read(request).number
    return keyed_hash("device-number", number) if number else ""


def latest_account(request: HttpRequest) -> str:
    """The `account_key` of the account that signed in last on the device of `request`; empty if it knows none."""
    return next(reversed(_read(request).accounts), "")


def account_key(user: User) -> str:
    """How a device writes that it knows the account of `user`: a keyed hash."""
    return _account(user.username)


def remember_device(response: HttpResponse, request: HttpRequest, user: User) -> None:
    """Let the device that gets `response` know the account of `user`, who has just proven to be its owner."""
    device = _read(request)
    number = device.number or secrets.token_urlsafe(12)
    account = _account(user.username)
    accounts = {key: mark for key, mark in device.accounts.items() if key != account}
    accounts[account] = _mark(number, user.password)
    newest = dict(list(accounts.items())[-MOST:])
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps([number, newest], salt=_SALT),
        max_age=LIFETIME,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> _Device:
    """What the cookie says, or a device that knows nobody."""
    try:
        value: Any = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=_SALT, max_age=LIFETIME
        )
        return _Device(*value)
    except (signing.BadSignature, TypeError):
        # No cookie, a forged one, one that is too old, or one from another version of the portal.
        return _Device()


def _account(name: str) -> str:
    return keyed_hash("device-account", name)[:_HASH_LENGTH]


def _mark(number: str, password: str) -> str:
    """Changes with the password, so that a device that knew the old one is a stranger again."""
    return keyed_hash("device-password", f"{number} {password}")[:_HASH_LENGTH]
