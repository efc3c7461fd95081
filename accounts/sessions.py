"""Sessions in the database, as Django keeps them, read and written at the cost of one row by its key.

A family's session (`begin_family`) ends twenty minutes after its last use, twelve hours after the sign-in at the
latest, unless a page of it waits for an opening. All of that is one instant, `expire_date`, so reading a session costs
nothing for it. Its use is noted at most once in two minutes, by a statement of its own after the page.
"""

import secrets
import time
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import Session
from notifications.clock import estimate_clock, note_reading, read_clock, stopped_clock

IDLE: Final = timedelta(minutes=20)
LONGEST: Final = timedelta(hours=12)
# It ends at most so much early, and never late.
NOTED_EVERY: Final = timedelta(minutes=2)
# How long before an opening a page that waits for it keeps its session, and how long after it.
WAITS_AT_MOST: Final = timedelta(hours=12)
AFTER_OPENING: Final = timedelta(minutes=10)
_SIGNED_IN_AT: Final = "signed_in_at"

_LOAD = """
SELECT session_data, expire_date, seen_at, ends_at, kept_until, coalesce(%(stopped)s, clock_timestamp())
FROM django_session WHERE session_key = %(key)s AND expire_date > coalesce(%(stopped)s, clock_timestamp())
"""
_INSERT = """
INSERT INTO django_session (session_key, session_data, expire_date, user_id, seen_at, ends_at)
VALUES (%(key)s, %(data)s, %(expires)s, %(user)s, %(seen)s, %(ends)s)
ON CONFLICT (session_key) DO NOTHING RETURNING expire_date, kept_until
"""
_UPDATE = """
UPDATE django_session SET session_data = %(data)s, seen_at = %(seen)s,
    expire_date = CASE WHEN ends_at IS NULL THEN %(expires)s
                  ELSE greatest(least(%(seen)s + %(idle)s, ends_at), kept_until) END
WHERE session_key = %(key)s RETURNING expire_date, kept_until
"""
# A family's alone, and none that has ended meanwhile.
_NOTE = """
UPDATE django_session SET seen_at = %(seen)s, expire_date = greatest(least(%(seen)s + %(idle)s, ends_at), kept_until)
WHERE session_key = %(key)s AND ends_at IS NOT NULL AND expire_date > %(seen)s RETURNING expire_date, kept_until
"""
_KEEP = """
UPDATE django_session SET kept_until = greatest(kept_until, %(until)s), expire_date = greatest(expire_date, %(until)s)
WHERE session_key = %(key)s AND expire_date > %(seen)s RETURNING expire_date, kept_until
"""


def clock_of(request: HttpRequest) -> datetime:
    """The database's clock as it was when this request's session was read, which costs nothing; else a reading."""
    known: datetime | None = getattr(request.session, "read_at", None)
    return known or read_clock()


class SessionStore(db.SessionStore):
    """Django's own store, except for the clock (the portal's), the statements, and new and impossible keys.

    Every request of a signed-in person loads its session: building the query and the object takes the ORM longer than
    all the rest of a bid (docs/performance.md). A user who signs in waits for each write.
    """

    # As the row says: when it ends, and for a family's when it was last seen, and when it ends at the latest.
    expires: datetime | None = None
    seen_at: datetime | None = None
    ends_at: datetime | None = None
    kept_until: datetime | None = None
    # The clock, by the statement that read the session.
    read_at: datetime | None = None
    # Where every statement counts, the use of the session is not noted (the press for a place).
    is_noted: bool = True

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    @property
    def was_read(self) -> bool:
        """Whether the request asked for the session at all."""
        return hasattr(self, "_session_cache")

    @property
    def is_familys(self) -> bool:
        """Whether a family signed in with it, so that it ends after some minutes without use."""
        return _SIGNED_IN_AT in self

    @property
    def signed_in_at(self) -> datetime:
        """When the family signed in; only of a family's session."""
        return datetime.fromisoformat(self[_SIGNED_IN_AT])

    def begin_family(self, *, now: datetime) -> None:
        """From now on it is a family's session, which ends by itself; written when the session is saved."""
        self[_SIGNED_IN_AT] = now.isoformat()

    def load(self) -> dict[str, Any]:
        """What the session holds; if there is none or it has expired, nothing, and the next save makes a new key."""
        asked = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, {"key": self.session_key, "stopped": stopped_clock()})
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        data, self.expires, self.seen_at, self.ends_at, self.kept_until, self.read_at = found
        note_reading(self.read_at, asked=asked)
        kept: dict[str, Any] = self.decode(data)
        return kept

    def save(self, must_create: bool = False) -> None:
        """Write what the session holds. Raises `CreateError` if the key is taken, `UpdateError` if the row is gone."""
        if self.session_key is None:
            self.create()
            return
        held = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # the stubs lack it
        now = estimate_clock()
        row = {
            "key": self.session_key,
            "data": self.encode(held),
            "user": held.get(SESSION_KEY),
            "seen": now,
            "idle": IDLE,
            "ends": None,
            "expires": self.get_expiry_date(),
        }
        if must_create and _SIGNED_IN_AT in held:
            row["ends"] = datetime.fromisoformat(held[_SIGNED_IN_AT]) + LONGEST
            row["expires"] = min(now + IDLE, row["ends"])
        if not self._write(_INSERT if must_create else _UPDATE, row):
            raise CreateError if must_create else UpdateError
        self.seen_at = now
        if must_create:
            self.ends_at = row["ends"]

    def note_use(self, *, now: datetime) -> bool:
        """Let a family's session live on from `now`; False if it has ended meanwhile. One statement."""
        if not self._write(_NOTE, {"key": self.session_key, "seen": now, "idle": IDLE}):
            return False
        self.seen_at = now
        return True

    def is_due(self, *, now: datetime) -> bool:
        """Whether the use of this session, a family's, is to be noted at `now`."""
        if self.ends_at is None or self.seen_at is None or not self.is_noted:
            return False
        return now >= self.seen_at + NOTED_EVERY

    def keep_for(self, opening: datetime, *, now: datetime) -> None:
        """Let a family's session live until ten minutes after `opening`, past its other ends; one statement at most.

        Only for an opening in the next `WAITS_AT_MOST`, and only in the first twelve hours after the sign-in: a page
        that is opened again and again keeps no session for ever.
        """
        until = opening + AFTER_OPENING
        if self.ends_at is None or now >= self.ends_at or opening > now + WAITS_AT_MOST:
            return
        if self.kept_until is None or self.kept_until < until:
            self._write(_KEEP, {"key": self.session_key, "until": until, "seen": now})

    def _write(self, statement: str, row: dict[str, Any]) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(statement, row)
            written = cursor.fetchone()
        if written is None:
            return False
        self.expires, self.kept_until = written
        return True

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

    def flush(self) -> None:
        """Django's; nothing remains of what the row said."""
        super().flush()
        self.expires = self.seen_at = self.ends_at = self.kept_until = None

    def _get_new_session_key(self) -> str:
        # 128 random bits do not collide. If they did, `save` would refuse them, and Django would try others.
        return secrets.token_hex(16)

    def get_expiry_age(self, **kwargs: Any) -> int:
        """In how many seconds the session ends, counted from now unless `modification` names an instant.

        Of a family's session: in how many at the latest, so that the browser keeps its cookie.
        """
        now = kwargs.get("modification", estimate_clock())
        if self.is_familys:
            last = self.signed_in_at + LONGEST + WAITS_AT_MOST + AFTER_OPENING
            return max(0, int((last - now).total_seconds()))
        age: int = super().get_expiry_age(**{"modification": now} | kwargs)
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


def running(user_id: UUID, *, now: datetime) -> QuerySet[Session]:
    """The sessions of a user that have not ended, the last used first."""
    return Session.objects.filter(user=user_id, expire_date__gt=now).order_by("-seen_at", "session_key")


def over(*, now: datetime) -> QuerySet[Session]:
    """The expired sessions."""
    return Session.objects.filter(expire_date__lte=now)


def purge(*, now: datetime) -> int:
    """Delete the expired sessions; returns how many."""
    deleted, _per_model = over(now=now).delete()
    return deleted
