"""A family's sign-ins: the one way in, and the list of sessions that its owner sees and ends.

With them is listed, and ended, what reads along without signing in (`accounts.data.parts`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, login
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import override

from accounts import audit, browsers, push, second_factor
from accounts.crypto import keyed_hash
from accounts.data.parts import ReadsAlong, parts
from accounts.devices import device_hash
from accounts.journal_actions import Action
from accounts.masks import mask_address
from accounts.models import Session, User
from accounts.sessions import SessionStore, running
from notifications.services import enqueue

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
_WITH, _FROM, _DEVICE = "signed_in_with", "signed_in_from", "device"
# Far more characters than any browser sends that is looked at.
_LONGEST_AGENT: Final = 400


def store(session: SessionBase) -> SessionStore:
    """The session of a request, as what it is (`SESSION_ENGINE`)."""
    return cast(SessionStore, session)


def enter(request: HttpRequest, user: User, *, now: datetime) -> None:
    """Sign a family in: its session has a new key, ends by itself, and remembers the browser and the masked address."""
    login(request, user, backend=BACKEND)
    second_factor.forget_app_to_set_up(user)
    session = store(request.session)
    session.begin_family(now=now)
    session[_WITH] = browsers.name_of(request.headers.get("User-Agent", "")[:_LONGEST_AGENT])
    session[_FROM] = mask_address(audit.client_address(request))
    note_device(request)


def note_device(request: HttpRequest) -> None:
    """Let the session remember its device, so that what shows notices there ends with it."""
    request.session[_DEVICE] = device_hash(request)


def tell_of_new_device(user: User, *, now: datetime) -> None:
    """Tell the owner, by inbox and SMS, that somebody signed in on a device that did not know the account."""
    with override(settings.LANGUAGE_CODE):
        link = reverse("accounts:sessions")
    enqueue(
        user,
        "new_device",
        context={},
        dedupe_key=f"new_device:{user.pk}:{now.isoformat()}",
        now=now,
        link=link,
    )


@dataclass(frozen=True)
class Visit:
    """One running session as its owner sees it. `key` names it in a form and is worth nothing as a session."""

    key: str
    device: str
    address: str
    signed_in_at: datetime | None
    seen_at: datetime | None
    is_this: bool


def visits_of(user: User, *, this: str | None, now: datetime) -> list[Visit]:
    """The sessions that open the account of `user` now, the one with the key `this` first, then the last used first."""
    found = [_visit(row, held, this=this) for row, held in _open(user, now=now)]
    return sorted(found, key=lambda visit: not visit.is_this)


def end_one(user: User, key: str, *, address: str | None, now: datetime) -> bool:
    """End the session that `Visit.key` names; False if it is none of `user`'s, or has ended already."""
    with transaction.atomic():
        for row, held in _open(user, now=now):
            if _name(row) == key:
                push.end_on(user, held.get(_DEVICE, ""), address=address, now=now)
        return _end(user, lambda row: _name(row) == key, address=address, now=now) > 0


def reading_along(user: User) -> list[ReadsAlong]:
    """What reads something of `user` now without signing in."""
    return [one for part in parts() for one in part.reads_along(user)]


def end_all(user: User, *, but: str | None, address: str | None, now: datetime) -> int:
    """End all sessions of `user` except the one with the key `but`, and what reads along; returns how many ended.

    Other devices show no more notices.
    """
    with transaction.atomic():
        for part in parts():
            part.sign_out(user, address=address, now=now)
        stays = [held.get(_DEVICE, "") for row, held in _open(user, now=now) if row.session_key == but]
        push.end_all(user, but="".join(stays), address=address, now=now)
        return _end(user, lambda row: row.session_key != but, address=address, now=now)


def _end(user: User, is_meant: Callable[[Session], bool], *, address: str | None, now: datetime) -> int:
    keys = [row.session_key for row, _held in _open(user, now=now) if is_meant(row)]
    if not keys:
        return 0
    with transaction.atomic():
        ended, _per_model = Session.objects.filter(session_key__in=keys).delete()
        if ended:
            audit.record(Action.SESSIONS_ENDED, actor=user, subject=user, address=address, now=now)
    return ended


def _open(user: User, *, now: datetime) -> Iterator[tuple[Session, dict[str, Any]]]:
    """The sessions that a request may still use, each with what it holds. One statement.

    A new password, and whatever sets one (a reset, a move of the number), ends the others without touching their rows:
    each holds the stamp of the password with which it began, and is refused when it is used next.
    """
    stamp = user.get_session_auth_hash()
    for row in running(user.pk, now=now):
        held: dict[str, Any] = row.get_decoded()
        if held.get(HASH_SESSION_KEY) == stamp:
            yield row, held


def _visit(row: Session, held: dict[str, Any], *, this: str | None) -> Visit:
    signed_in_at = held.get("signed_in_at")
    return Visit(
        key=_name(row),
        device=held.get(_WITH, ""),
        address=held.get(_FROM, ""),
        signed_in_at=datetime.fromisoformat(signed_in_at) if signed_in_at else None,
        seen_at=row.seen_at,
        is_this=row.session_key == this,
    )


def _name(row: Session) -> str:
    return keyed_hash("session-name", row.session_key)[:20]
