"""Families of the former queue are invited by SMS, in waves: each phone once, and nobody who has come already."""

from datetime import datetime
from typing import Final

from django.db import transaction

from accounts.phones import PhoneError, parse_mobile
from applications.models import FormerRow
from applications.states import ApplicationState
from bulletin.models import Language
from notifications.services import enqueue_to_phone

# The outbox writes to one phone once under one key.
_ONCE: Final = "invitation"


def invite(*, limit: int, now: datetime) -> int:
    """Write an SMS to the phones of the next `limit` unclaimed applications, in the order of their file.

    Returns how many phones there were: several children may share one, a landline gets none, and whoever has claimed
    one application with a phone needs no invitation for its other one. Locks those rows.
    """
    waiting = FormerRow.objects.filter(
        claimed_at=None, invited_at=None, application__state=ApplicationState.WAITING
    ).exclude(phone_hash=None)
    with transaction.atomic():
        rows = list(
            waiting.select_for_update(of=("self",), skip_locked=True)
            .select_related("application")
            .order_by("batch", "line")[:limit]
        )
        reached = {row.phone_hash: row for row in reversed(rows) if _gets_sms(row.phone)}
        known = FormerRow.objects.filter(phone_hash__in=reached).exclude(invited_at=None, claimed_at=None)
        for phone_hash in known.values_list("phone_hash", flat=True):
            reached.pop(phone_hash, None)
        for row in reached.values():
            enqueue_to_phone(
                row.phone,
                "former_invited",
                context={},
                language="ru" if row.application.languages == [Language.RUSSIAN] else "kk",
                dedupe_key=_ONCE,
                now=now,
            )
        FormerRow.objects.filter(pk__in=[row.pk for row in rows]).update(invited_at=now)
    return len(reached)


def _gets_sms(phone: str) -> bool:
    try:
        parse_mobile(phone)
    except PhoneError:
        return False
    return True
