"""What the add page remembers between its two steps: the checked child, or an IIN that could not be checked yet.

It is kept for half an hour in the session, never in an address, and encrypted, since sessions are in the database.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from cryptography.fernet import InvalidToken
from django.contrib.sessions.backends.base import SessionBase

from accounts.registry import Person
from notifications.cipher import decrypt, encrypt

REMEMBERED_FOR: Final = timedelta(minutes=30)
_KEY: Final = "child_check"
_SAVED_KEY: Final = "child_saved"


@dataclass(frozen=True)
class Checked:
    """A child shown to the parent for confirmation. `token` ties the page shown to this child."""

    token: str
    person: Person


def remember_typed(session: SessionBase, iin: str, *, now: datetime) -> None:
    """Keep an IIN that could not be checked with the registry, so that the parent need not type it again."""
    _store(session, {"iin": iin}, now=now)


def remember_checked(session: SessionBase, person: Person, *, now: datetime) -> None:
    """Keep the child that the registry confirmed, for the page that asks whether to save it."""
    facts = asdict(person) | {"birth_date": person.birth_date.isoformat()}
    _store(session, {"iin": person.iin, "person": facts, "token": secrets.token_urlsafe(12)}, now=now)


def typed_iin(session: SessionBase, *, now: datetime) -> str:
    """The last IIN typed and not saved yet, or an empty string."""
    iin: str = _load(session, now=now).get("iin", "")
    return iin


def checked_child(session: SessionBase, *, now: datetime) -> Checked | None:
    """The last child checked and not saved yet, if that was at most half an hour ago."""
    stored = _load(session, now=now)
    if "person" not in stored:
        return None
    facts = stored["person"] | {"birth_date": date.fromisoformat(stored["person"]["birth_date"])}
    return Checked(token=stored["token"], person=Person(**facts))


def forget(session: SessionBase) -> None:
    session.pop(_KEY, None)


def remember_saved(session: SessionBase, checked: Checked, child_id: object) -> None:
    """Forget the check and remember the saved child, so that a second press of the button ends on the same page."""
    forget(session)
    session[_SAVED_KEY] = [checked.token, str(child_id)]


def saved_child(session: SessionBase, token: str) -> str:
    """The id of the child that the page with `token` has already saved, or an empty string."""
    saved_token, child_id = session.get(_SAVED_KEY, ("", ""))
    return child_id if token and secrets.compare_digest(saved_token.encode(), token.encode()) else ""


def _store(session: SessionBase, content: dict[str, Any], *, now: datetime) -> None:
    until = (now + REMEMBERED_FOR).isoformat()
    session[_KEY] = encrypt(json.dumps(content | {"until": until}))


def _load(session: SessionBase, *, now: datetime) -> dict[str, Any]:
    token = session.get(_KEY)
    if not token:
        return {}
    try:
        content: dict[str, Any] = json.loads(decrypt(token))
    except InvalidToken:
        # The keys have changed since; the parent types the IIN again.
        return {}
    return content if now < datetime.fromisoformat(content["until"]) else {}
