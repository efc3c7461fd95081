"""Sessions in the database, as Django keeps them, read at what a read by primary key must cost."""

import time
from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import QuerySet

from notifications.clock import estimate_clock, note_reading, read_clock, stopped_clock

_LOAD = """
SELECT session_data, coalesce(%(stopped)s, clock_timestamp()) FROM django_session
WHERE session_key = %(key)s AND expire_date > coalesce(%(stopped)s, clock_timestamp())
"""


class SessionStore(db.SessionStore):
    """Django's own store but for its clock, which is the portal's, for `load`, and for impossible keys.

    Every request of a signed-in person loads its session: building the query and the object takes the ORM longer than
    all the rest of a bid (docs/performance.md).
    """

    def load(self) -> dict[str, Any]:
        """What the session holds; empty, and with a new key at the next save, where there is none or it is over."""
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

    def get_expiry_age(self, **kwargs: Any) -> int:
        """In how many seconds the session ends, counted from now unless `modification` names an instant."""
        age: int = super().get_expiry_age(**{"modification": estimate_clock()} | kwargs)
        return age

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """When the session ends that is saved now, or at `modification`."""
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
    """The sessions that nobody can use any more."""
    return Session.objects.filter(expire_date__lte=now)


def purge(*, now: datetime) -> int:
    """Delete the sessions that are over; how many they were."""
    deleted, _per_model = over(now=now).delete()
    return deleted
