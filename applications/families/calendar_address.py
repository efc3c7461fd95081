"""The address that somebody's calendar subscribes to: made, made anew, taken away, and found by its secret.

Whoever has it reads what falls due, without names, and can do nothing. Its owner sees it once.
"""

import secrets
from datetime import datetime
from typing import Final

from django.db import transaction

from accounts import audit
from accounts.crypto import digest
from accounts.models import User
from applications.journal_actions import Action
from applications.models import CalendarAddress

# Bytes of chance: nobody tries 256 bits.
_BYTES: Final = 32
_PURPOSE: Final = "calendar"


@transaction.atomic
def make_address(user: User, *, address: str | None, now: datetime) -> str:
    """The secret of a new address; a former one opens nothing from now on. `address` is that of the network."""
    secret = secrets.token_urlsafe(_BYTES)
    made = {"digest": digest(_PURPOSE, secret), "made_at": now}
    CalendarAddress.objects.update_or_create(user=user, defaults=made)
    audit.record(Action.CALENDAR_ADDRESS_MADE, actor=user, subject=user, address=address, now=now)
    return secret


@transaction.atomic
def take_address_away(user: User, *, address: str | None, now: datetime) -> bool:
    """Whether there was one. It opens nothing from now on."""
    deleted, _per_model = CalendarAddress.objects.filter(user=user).delete()
    if deleted:
        audit.record(Action.CALENDAR_ADDRESS_TAKEN_AWAY, actor=user, subject=user, address=address, now=now)
    return bool(deleted)


def owner_of(secret: str) -> User | None:
    """Whose address has this secret; nobody's once the account is closed or blocked."""
    return User.objects.filter(
        pk__in=CalendarAddress.objects.filter(digest=digest(_PURPOSE, secret)).values("user"),
        is_active=True,
        leaving_since=None,
    ).first()
