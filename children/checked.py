"""What is remembered between the steps of adding a child: the checked one, an IIN not checked yet, children offered.

It is kept for half an hour in the session, never in an address, and encrypted, since sessions are in the database.
"""

import json
import secrets
from collections.abc import Iterable
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
_OFFERED_KEY: Final = "children_offered"


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
    _store(
        session, {"iin": person.iin, "person": _facts(person), "token": secrets.token_urlsafe(12)}, now=now
    )


def typed_iin(session: SessionBase, *, now: datetime) -> str:
    """The last IIN typed and not saved yet, or an empty string."""
    iin: str = _load(session, now=now).get("iin", "")
    return iin


def checked_child(session: SessionBase, *, now: datetime) -> Checked | None:
    """The last child checked and not saved yet, if that was at most half an hour ago."""
    stored = _load(session, now=now)
    if "person" not in stored:
        return None
    return Checked(token=stored["token"], person=_person(stored["person"]))


def remember_offered(session: SessionBase, wards: Iterable[Person], *, now: datetime) -> None:
    """Keep the children that the registry named by itself, so that it is asked once in half an hour."""
    offered = [{"token": secrets.token_urlsafe(12), "person": _facts(ward)} for ward in wards]
    _store(session, {"offered": offered}, now=now, key=_OFFERED_KEY)


def offered_children(session: SessionBase, *, now: datetime) -> list[Checked] | None:
    """The children kept by `remember_offered`, each with the token of its button; None if it is time to ask again."""
    offered = _load(session, now=now, key=_OFFERED_KEY).get("offered")
    if offered is None:
        return None
    return [Checked(token=one["token"], person=_person(one["person"])) for one in offered]


def offered_child(session: SessionBase, token: str, *, now: datetime) -> Person | None:
    """The child whose button has this token; None if none was offered with it in the last half an hour."""
    offered = {one.token: one.person for one in offered_children(session, now=now) or ()}
    return offered.get(token)


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


def _facts(person: Person) -> dict[str, Any]:
    return asdict(person) | {"birth_date": person.birth_date.isoformat()}


def _person(facts: dict[str, Any]) -> Person:
    return Person(**facts | {"birth_date": date.fromisoformat(facts["birth_date"])})


def _store(session: SessionBase, content: dict[str, Any], *, now: datetime, key: str = _KEY) -> None:
    until = (now + REMEMBERED_FOR).isoformat()
    session[key] = encrypt(json.dumps(content | {"until": until}))


def _load(session: SessionBase, *, now: datetime, key: str = _KEY) -> dict[str, Any]:
    token = session.get(key)
    if not token:
        return {}
    try:
        content: dict[str, Any] = json.loads(decrypt(token))
    except InvalidToken:
        # The keys have changed since; the parent types the IIN again.
        return {}
    return content if now < datetime.fromisoformat(content["until"]) else {}
