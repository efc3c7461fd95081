"""The module that Django looks for in a database engine."""

import time
from typing import Any

from django.db.backends.postgresql import base

CHECKED_FOR_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that is known to be alive is not asked again within a second.

    With `CONN_HEALTH_CHECKS` Django asks before every request; at an opening that is a third statement beside the two
    of a bid, a quarter of what they cost (docs/performance.md). Connections to a database that was restarted are still
    replaced unseen, but for a request that comes within the second.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._alive_at = float("-inf")

    def close_if_health_check_failed(self) -> None:
        """As Django does, unless it was done a moment ago."""
        if time.monotonic() - self._alive_at < CHECKED_FOR_SECONDS:
            return
        super().close_if_health_check_failed()
        self._alive_at = time.monotonic()

    def close(self) -> None:
        """The next connection is another one: nothing is known of it."""
        self._alive_at = float("-inf")
        super().close()
