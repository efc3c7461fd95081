"""The append-only record of who did what, which is also a parent's journal."""

import ipaddress
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.audit_actions import Action
from accounts.models import AuditEntry, User


def record(
    action: Action,
    *,
    now: datetime,
    actor: User | None,
    subject: User | None = None,
    target: str = "",
    reason: str = "",
    address: str | None = None,
) -> None:
    """Write that `actor` (None: the portal itself) did `action` at `now`.

    `subject` is the parent it concerns, who reads it in their journal; `target` names the object in words that may be
    shown to them, without identifiers. Longer texts are cut to what the columns hold. Call it inside the transaction of
    the change, so that there is no change without its entry.
    """
    AuditEntry.objects.create(
        at=now,
        action=action,
        actor=actor,
        subject=subject,
        target=target[:200],
        reason=reason[:500],
        address=address,
    )


def journal_of(user: User) -> QuerySet[AuditEntry]:
    """What concerns `user`, newest first, with the people who did it."""
    return AuditEntry.objects.filter(subject=user).select_related("actor")


def client_address(request: HttpRequest) -> str | None:
    """The address that the request came from, or None if it can't be told.

    Behind a proxy (`BEHIND_PROXY`) it is the last entry of X-Forwarded-For: the one that our own proxy added; the
    others are whatever the visitor wrote.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        text = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
