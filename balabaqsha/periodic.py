"""What the beat sends runs once at a time, and not when it is old: the project's one kind of task.

A task that a page asks for runs beside others; each sweep is written for that, by locks or leases of rows. But what the
beat sends comes again by itself: two at once would do the same work twice, and after a standstill thousands would wait.
"""

from datetime import datetime
from typing import Any, Final

from celery import Task as CeleryTask
from celery.exceptions import Ignore

from balabaqsha.schedule import expires_after
from notifications.alone import alone
from notifications.clock import read_clock

# A header: when the beat sent it, by the database's clock. Celery's own expiry goes by the clocks of two machines.
SENT_AT: Final = "sent_by_beat_at"


class Task(CeleryTask):
    """A task that knows whether the beat sent it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it. Raises `Ignore` if another run of the beat's goes on, or if a newer one has been sent by now."""
        sent_at = self._sent_by_beat_at()
        if sent_at is None:
            return super().__call__(*args, **kwargs)
        lives = expires_after(self.name)
        if lives is not None and read_clock() - sent_at > lives:
            raise Ignore
        with alone(f"sweep {self.name}") as is_alone:
            if not is_alone:
                raise Ignore
            return super().__call__(*args, **kwargs)

    def _sent_by_beat_at(self) -> datetime | None:
        # A worker finds headers among the facts of the request; a task that is applied on the spot finds them apart.
        sent_at = self.request.get(SENT_AT) or (self.request.headers or {}).get(SENT_AT)
        return datetime.fromisoformat(sent_at) if sent_at else None
