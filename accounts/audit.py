"""The append-only record of who did what, which is also a parent's journal."""

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Model, Q, QuerySet, TextChoices
from django.http import HttpRequest

from accounts import journal
from accounts.journal_actions import Action
from accounts.models import AuditEntry, Profile, User
from accounts.registry import PhoneTie
from notifications.selectors import known_to

# So long a further look of the same employee at the same thing is the same look.
LOOK_LASTS: Final = timedelta(minutes=10)


def record(
    action: TextChoices,
    *,
    now: datetime,
    actor: User | None,
    subject: User | None = None,
    target: str = "",
    reason: str = "",
    address: str | None = None,
    about: Model | str | None = None,
    child: UUID | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Write that `actor` (None: the portal itself) did `action` at `now`.

    `subject` is the parent it concerns, who reads it in their journal; `target` names the object in words that may be
    shown to them, without identifiers; `about` is the object itself (`history_of`), or the key
    of what is no row; with `child`, `subject` reads what
    others did only while they are told of that child; `changes` is what a form changed (`accounts.changes`). Longer
    texts are cut to what the columns hold. Call it inside the transaction of the change, so that there is no change
    without its entry. Raises ValueError where no app has registered the action.
    """
    if not journal.is_known(action):
        raise ValueError(f"No app has registered {action!r}.")
    AuditEntry.objects.create(
        at=now,
        action=action,
        actor=actor,
        subject=subject,
        target=target[:200],
        reason=reason[:500],
        address=address,
        about=key_of(about) if isinstance(about, Model) else about or "",
        child=child,
        changes=changes,
    )


def record_look(
    *,
    actor: User,
    families: Iterable[User],
    about: Model,
    target: str = "",
    address: str | None = None,
    now: datetime,
) -> None:
    """Enter into the journals of `families` that an employee looked at `about`, which holds their data.

    Once in `LOOK_LASTS` for each of them, the object and `target` (a paper, where the look was at one).
    """
    seen = AuditEntry.objects.filter(
        actor=actor,
        action=Action.PERSONAL_DATA_VIEWED,
        at__gt=now - LOOK_LASTS,
        about=key_of(about),
        target=target[:200],
    )
    told = set(seen.values_list("subject_id", flat=True))
    for family in families:
        if family.pk not in told:
            record(
                Action.PERSONAL_DATA_VIEWED,
                actor=actor,
                subject=family,
                target=target,
                about=about,
                address=address,
                now=now,
            )


def key_of(obj: Model) -> str:
    """What an entry about `obj` is found by."""
    return f"{obj._meta.label_lower}:{obj.pk}"


def history_of(obj: Model) -> QuerySet[AuditEntry]:
    """What was done to `obj`, newest first, with the people who did it."""
    return AuditEntry.objects.filter(about=key_of(obj)).select_related("actor__employee")


def journal_of(user: User) -> QuerySet[AuditEntry]:
    """What `user` may read of what concerns them, newest first, with the people who did it and their roles.

    Of a child they read what others did only while they are told of it; what they did themselves is theirs for good.
    That the owner of an account was shut out of it is not told to whoever holds it while nobody knows that they are the
    owner: it would warn a thief. Officials read it.
    """
    told = Q(actor=user) | Q(child=None) | Q(child__in=known_to(user.pk))
    entries = AuditEntry.objects.filter(told, subject=user).select_related("actor")
    if not Profile.objects.filter(user=user, phone_tie=PhoneTie.YES).exists():
        entries = entries.exclude(action=Action.OWNER_SHUT_OUT)
    return entries.prefetch_related("actor__groups")


def follow(child: UUID, *, into: UUID, people: Iterable[User]) -> None:
    """What the journals of `people` say about `child` is about `into` from now on: the two have become one.

    Call it in that transaction, once the row of `child` is gone: of a child that is still there the database moves
    nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT follow_in_journal(%s::uuid[], %s, %s)", [[str(one.pk) for one in people], child, into]
        )


def client_address(request: HttpRequest) -> str | None:
    """The address that the request came from, or None if it can't be told.

    Behind proxies (`BEHIND_PROXY`) it comes from X-Forwarded-For: each of our `TRUSTED_PROXIES` added the address that
    called it, so the visitor's is that many entries from the right. Everything before it is whatever the visitor wrote.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        # Fewer than expected: the request did not pass all proxies, and the outermost one wrote the first entry.
        text = entries[-min(settings.TRUSTED_PROXIES, len(entries))] or text
    return _address(text)


def _address(text: str) -> str | None:
    """The bare address in `text`, which may carry a port, a zone, or an IPv4 address mapped into IPv6."""
    bare = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
