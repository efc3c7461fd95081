"""The employees' second factor: codes of an authenticator app, and emergency codes on paper.

Unlike django-otp's own throttling, wrong codes never lock a device: anyone who knows an employee's password could keep
it locked for ever. Guesses are counted like those of passwords (`accounts.limits.sign_in_limits`), and what can't be
guessed is always accepted: two successive codes of the app, as RFC 4226 has it for doubtful cases, or an emergency
code.

Only its owner sees a key, while setting up the app. An employee who lost the phone gets a link from an administrator,
with which the whole account is set up anew (`accounts.staff_links`).
"""

import uuid
from datetime import datetime
from typing import Any, Final

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import QuerySet
from django_otp.models import Device
from django_otp.oath import TOTP, hotp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import audit
from accounts.journal_actions import Action
from accounts.models import User

# What an authenticator app shows; anything else can only be an emergency code.
APP_CODE_LENGTH: Final = 6
SHORTEST_EMERGENCY_CODE: Final = 8
# In a session: the app whose key was shown there.
_APP_TO_SET_UP: Final = "app_to_set_up"


def is_beyond_guessing(token: str) -> bool:
    """Whether a right `token` can't have been guessed: two codes of the app, or an emergency code."""
    codes = _app_codes(token)
    return len(codes) == 2 or (not codes and len(_compact(token)) >= SHORTEST_EMERGENCY_CODE)


def matching_device(user: User | None, token: str, *, now: datetime) -> Device | None:
    """The device of `user` that made `token`, without using the token up; None if there is none.

    Without a `user` the same look-up runs and finds nothing, so that it takes as long.
    """
    owner = user.pk if user else uuid.uuid4()
    codes = _app_codes(token)
    if not codes:
        found = _emergency_codes(owner, token).select_related("device").first()
        return found.device if found else None
    # If there are several apps, the one set up last.
    device = TOTPDevice.objects.filter(user_id=owner, confirmed=True).order_by("-pk").first()
    return device if device and _step(device, codes, now=now) is not None else None


def use_up(device: Device, token: str, *, now: datetime) -> bool:
    """Accept `token` once; False if somebody else just did. Locks the row of the device, or of the code."""
    codes = _app_codes(token)
    if not codes:
        deleted, _per_model = _emergency_codes(device.user_id, token).delete()
        return bool(deleted)
    with transaction.atomic():
        # None once a reset has taken it away meanwhile.
        locked = TOTPDevice.objects.select_for_update().filter(pk=device.pk).first()
        step = _step(locked, codes, now=now) if locked is not None else None
        if locked is None or step is None:
            return False
        locked.drift += step - _clock(locked, now=now).t()
        locked.last_t = step
        locked.last_used_at = now
        locked.save(update_fields=["drift", "last_t", "last_used_at"])
        return True


def _step(device: TOTPDevice, codes: list[str], *, now: datetime) -> int | None:
    """The time step of the last of `codes`, if they belong to successive steps, none of them used before.

    The last step is the present one, within the device's tolerance.
    """
    here = _clock(device, now=now).t()
    for last in range(here - device.tolerance, here + device.tolerance + 1):
        steps = range(last - len(codes) + 1, last + 1)
        made = [f"{hotp(device.bin_key, step, device.digits):0{device.digits}d}" for step in steps]
        if steps[0] > device.last_t and made == codes:
            return last
    return None


def _clock(device: TOTPDevice, *, now: datetime) -> TOTP:
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    clock.time = now.timestamp()
    return clock


def _emergency_codes(owner: object, token: str) -> QuerySet[StaticToken]:
    codes: QuerySet[StaticToken] = StaticToken.objects.filter(
        device__user_id=owner, device__confirmed=True, token=_compact(token).lower()
    )
    return codes


# --- a new app -----------------------------------------------------------------------------------------------


def has_app(user_id: uuid.UUID) -> bool:
    """Whether the user with this id has set up an authenticator app; costs the same for an id that nobody has."""
    return bool(TOTPDevice.objects.filter(user_id=user_id, confirmed=True).exists())


def owners_of_apps() -> "QuerySet[Any, uuid.UUID]":
    """The ids of all who have set up an authenticator app, as a subquery."""
    owners: QuerySet[Any, uuid.UUID] = TOTPDevice.objects.filter(confirmed=True).values_list(
        "user_id", flat=True
    )
    return owners


def app_to_set_up(user: User, session: SessionBase) -> TOTPDevice:
    """The app that is being set up in `session`: it opens nothing before `set_up_app`. Its key is for `user` alone.

    Each session has a key of its own: who has looked at the page in another one knows none that will count.
    """
    device = _app_of(user, session)
    if device is None:
        device = TOTPDevice.objects.create(user=user, name="default", confirmed=False)
        session[_APP_TO_SET_UP] = device.pk
    return device


def forget_app_to_set_up(user: User) -> None:
    """Let no key count that was shown so far: somebody signs in, or there is a new password."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()


@transaction.atomic
def set_up_app(
    user: User, token: str, *, session: SessionBase, address: str | None = None, now: datetime
) -> TOTPDevice | None:
    """Accept the app of `session` that shows `token`; None for another code.

    Only where none is set up: whoever has one and another session than the owner's can't exchange it. Locks the
    account.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    codes = _app_codes(token)
    device = _app_of(user, session)
    if has_app(user.pk) or device is None or len(codes) != 1:
        return None
    step = _step(device, codes, now=now)
    if step is None:
        return None
    device.confirmed, device.last_t, device.last_used_at = True, step, now
    device.save(update_fields=["confirmed", "last_t", "last_used_at"])
    forget_app_to_set_up(user)
    audit.record(
        Action.SECOND_FACTOR_SET_UP,
        actor=user,
        subject=user,
        # A parent's is their phone, and the journal keeps everything for ever.
        target=str(user) if user.is_staff else "",
        address=address,
        now=now,
    )
    return device


def _app_of(user: User, session: SessionBase) -> TOTPDevice | None:
    pending = TOTPDevice.objects.filter(user=user, confirmed=False, pk=session.get(_APP_TO_SET_UP, 0))
    found: TOTPDevice | None = pending.first()
    return found


def _app_codes(token: str) -> list[str]:
    """The one or two app codes in `token`; none if it is something else."""
    digits = _compact(token)
    if not (digits.isascii() and digits.isdigit() and len(digits) in (APP_CODE_LENGTH, 2 * APP_CODE_LENGTH)):
        return []
    return [digits[at : at + APP_CODE_LENGTH] for at in range(0, len(digits), APP_CODE_LENGTH)]


def _compact(token: str) -> str:
    return "".join(token.split())
