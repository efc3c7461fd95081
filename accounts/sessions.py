"""Sessions in the database, as Django keeps them, read and written at the cost of one row by its key."""

import secrets
import time
from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import QuerySet

from notifications.clock import estimate_clock, note_reading, read_clock, stopped_clock

_LOAD = """
SELECT session_data, coalesce(%(stopped)s, clock_timestamp()) FROM django_session
WHERE session_key = %(key)s AND expire_date > coalesce(%(stopped)s, clock_timestamp())
"""
_INSERT = """
INSERT INTO django_session (session_data, expire_date, session_key) VALUES (%s, %s, %s)
ON CONFLICT (session_key) DO NOTHING
"""
_UPDATE = "UPDATE django_session SET session_data = %s, expire_date = %s WHERE session_key = %s"


class SessionStore(db.SessionStore):
    """Django's own store, except for the clock (the portal's), the statements, and new and impossible keys.

    Every request of a signed-in person loads its session: building the query and the object takes the ORM longer than
    all the rest of a bid (docs/performance.md). A user who signs in waits for each write.
    """

    def load(self) -> dict[str, Any]:
        """What the session holds; if there is none or it has expired, nothing, and the next save makes a new key."""
        asked = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, {"key": self.session_key, "stopped": stopped_clock()})
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        note_reading(found[1], asked=asked)
        kept: dict[str, Any] = self.decode(found[0])
        return kept

    def save(self, must_create: bool = False) -> None:
        """Write what the session holds. Raises `CreateError` if the key is taken, `UpdateError` if the row is gone."""
        if self.session_key is None:
            self.create()
            return
        held = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # the stubs lack it
        data: str = self.encode(held)
        row = (data, self.get_expiry_date(), self.session_key)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT if must_create else _UPDATE, row)
            written = cursor.rowcount
        if not written:
            raise CreateError if must_create else UpdateError

    def cycle_key(self) -> None:
        """Give the session a new key, which is made and written when the session is saved.

        Django writes the row at once and again at the end: a user who signed in waited for both.
        """
        former = self.session_key
        self._session_cache = self._session  # type: ignore[attr-defined]  # read, before the key is gone
        self._session_key = None
        self.modified = True
        if former:
            self.delete(former)

    def _get_new_session_key(self) -> str:
        # 128 random bits do not collide. If they did, `save` would refuse them, and Django would try others.
        return secrets.token_hex(16)

    def get_expiry_age(self, **kwargs: Any) -> int:
        """In how many seconds the session ends, counted from now unless `modification` names an instant."""
        age: int = super().get_expiry_age(**{"modification": estimate_clock()} | kwargs)
        return age

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """When a session ends that is saved now, or at `modification`."""
        ends: datetime = super().get_expiry_date(**{"modification": estimate_clock()} | kwargs)
        return ends

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the sessions that are over."""
        purge(now=read_clock())

    def _validate_session_key(self, key: str | None) -> bool:
        # A quoted cookie may hold a NUL, which PostgreSQL takes in no text.
        is_plausible: bool = super()._validate_session_key(key)  # type: ignore[misc]  # the stubs lack it
        return is_plausible and "\0" not in (key or "")


def over(*, now: datetime) -> QuerySet[Session]:
    """The expired sessions."""
    return Session.objects.filter(expire_date__lte=now)


def purge(*, now: datetime) -> int:
    """Delete the expired sessions; returns how many."""
    deleted, _per_model = over(now=now).delete()
    return deleted
