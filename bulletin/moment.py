"""A cache for one second, or for one minute: what thousands ask for in it is computed once.

Every process has its own. A value lasts to the end of the second (the minute) that the page shows, so it was true in
that second (minute). Nothing is ever granted on the strength of it.
"""

from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from django.conf import settings

from notifications.replica import is_reading

V = TypeVar("V")

# A request as of an earlier period took long to get here: that period is over, and the present one's values stay.
# If it is earlier than this, the clock was set back and the cache starts again.
LATE_SECONDS = 10


class _Slot(Generic[V]):
    """Holds one value; a thread that asks for it while another one computes it waits."""

    def __init__(self) -> None:
        self.making = Lock()
        self.values: list[V] = []

    def get(self, make: Callable[[], V]) -> V:
        with self.making:
            if not self.values:
                self.values.append(make())
            return self.values[0]


class Moment(Generic[V]):
    """Values by key, valid until the clock's second ends. Safe to share among threads."""

    def __init__(self, *, room: int, seconds: int = 1) -> None:
        """At most `room` values are kept, since the keys come from addresses, which anybody can type.

        `seconds` is the length of the period at whose end they go: a second, or 60 for a minute of the clock.
        """
        self._room = room
        self._seconds = seconds
        self._finding = Lock()
        self._period = 0
        self._slots: dict[Hashable, _Slot[V]] = {}

    def get(self, key: Hashable, *, now: datetime, make: Callable[[], V]) -> V:
        """The value for `key` in the period of `now`: what `make` returned earlier in that period, or returns now."""
        # What was read from the replica is for its readers alone.
        key = (key, is_reading())
        slot = (
            self._slot(key, int(now.timestamp()) // self._seconds) if settings.REMEMBER_FOR_A_SECOND else None
        )
        if slot is None:
            return make()
        try:
            return slot.get(make)
        except Exception:
            # A value that can't be made (for a place that does not exist) must not take up room.
            self._drop(key, slot)
            raise

    def _slot(self, key: Hashable, period: int) -> _Slot[V] | None:
        """The slot for the value in that period; None if it is not kept."""
        with self._finding:
            if 0 < self._period - period <= max(1, LATE_SECONDS // self._seconds):
                return None
            if period != self._period:
                self._period, self._slots = period, {}
            if key not in self._slots and len(self._slots) >= self._room:
                return None
            return self._slots.setdefault(key, _Slot())

    def _drop(self, key: Hashable, slot: _Slot[V]) -> None:
        with self._finding:
            if self._slots.get(key) is slot:
                del self._slots[key]
