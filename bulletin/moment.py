"""A cache for one second: what thousands ask for in the same second is computed once.

Every process has its own. A value lasts to the end of the second that the page shows, so it was true in that second.
Nothing is ever granted on the strength of it.
"""

from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from django.conf import settings

V = TypeVar("V")

# A request as of an earlier second took long to get here: that second is over, and the present one's values stay.
# If the second is earlier than this, the clock was set back and the cache starts again.
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

    def __init__(self, *, room: int) -> None:
        """At most `room` values are kept, since the keys come from addresses, which anybody can type."""
        self._room = room
        self._finding = Lock()
        self._second = 0
        self._slots: dict[Hashable, _Slot[V]] = {}

    def get(self, key: Hashable, *, now: datetime, make: Callable[[], V]) -> V:
        """The value for `key` in the second of `now`: what `make` returned earlier in that second, or returns now."""
        slot = self._slot(key, int(now.timestamp())) if settings.REMEMBER_FOR_A_SECOND else None
        if slot is None:
            return make()
        try:
            return slot.get(make)
        except Exception:
            # A value that can't be made (for a place that does not exist) must not take up room.
            self._drop(key, slot)
            raise

    def _slot(self, key: Hashable, second: int) -> _Slot[V] | None:
        """The slot for the value in that second; None if it is not kept."""
        with self._finding:
            if 0 < self._second - second <= LATE_SECONDS:
                return None
            if second != self._second:
                self._second, self._slots = second, {}
            if key not in self._slots and len(self._slots) >= self._room:
                return None
            return self._slots.setdefault(key, _Slot())

    def _drop(self, key: Hashable, slot: _Slot[V]) -> None:
        with self._finding:
            if self._slots.get(key) is slot:
                del self._slots[key]
