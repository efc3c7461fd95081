"""Sessions in the database, as Django keeps them, read at what a read by primary key must cost."""

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone

_LOAD = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """Django's own store but for `load`, which every request of a signed-in person makes, and for impossible keys.

    Building the query and the object takes the ORM longer than all the rest of a bid (docs/performance.md).
    """

    def load(self) -> dict[str, Any]:
        """What the session holds; empty, and with a new key at the next save, where there is none or it is over."""
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [self.session_key, timezone.now()])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        kept: dict[str, Any] = self.decode(found[0])
        return kept

    def _validate_session_key(self, key: str | None) -> bool:
        # A quoted cookie may hold a NUL, which PostgreSQL takes in no text.
        is_plausible: bool = super()._validate_session_key(key)  # type: ignore[misc]  # the stubs lack it
        return is_plausible and "\0" not in (key or "")
