"""The address that somebody's calendar subscribes to: made, made anew, taken away, and found by its secret.

Whoever has it reads what falls due, without names, and can do nothing. Its owner sees it once. Like a session it ends
with another password, whatever set it, and with signing out everywhere.
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
    made = {"digest": digest(_PURPOSE, secret), "made_at": now, "stamp": user.get_session_auth_hash()}
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


def address_made_at(user: User) -> datetime | None:
    """When the address was made that opens something now; None if there is none."""
    made = CalendarAddress.objects.filter(user=user, stamp=user.get_session_auth_hash())
    return made.values_list("made_at", flat=True).first()


def address_of(secret: str) -> CalendarAddress | None:
    """The address with this secret; none once the account is closed or blocked, or has another password."""
    found = (
        CalendarAddress.objects.filter(
            digest=digest(_PURPOSE, secret), user__is_active=True, user__leaving_since=None
        )
        .select_related("user")
        .first()
    )
    return found if found and found.stamp == found.user.get_session_auth_hash() else None
