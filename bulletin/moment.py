"""What thousands ask in the same second is worked out once: the memory for it.

Every process has its own memory. It lasts to the end of the second that the page shows, so what is read from it was
true in that second; nothing is ever granted by it.
"""

from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

from django.conf import settings

V = TypeVar("V")

# Whoever asks as of an earlier second took long to get here: that second is over, and the present one's values stay.
# From further back the clock was set, and time begins anew.
LATE_SECONDS = 10


class _Slot(Generic[V]):
    """The place of one value; whoever asks while another thread works it out waits for it."""

    def __init__(self) -> None:
        self.making = Lock()
        self.values: list[V] = []

    def get(self, make: Callable[[], V]) -> V:
        with self.making:
            if not self.values:
                self.values.append(make())
            return self.values[0]


class Moment(Generic[V]):
    """Values by key that hold until the second of the clock ends. Safe to share among threads."""

    def __init__(self, *, room: int) -> None:
        """At most `room` values are kept: the keys come from addresses, and those from anybody."""
        self._room = room
        self._finding = Lock()
        self._second = 0
        self._slots: dict[Hashable, _Slot[V]] = {}

    def get(self, key: Hashable, *, now: datetime, make: Callable[[], V]) -> V:
        """What `make` returned for `key` in the second of `now`, or returns now."""
        slot = self._slot(key, int(now.timestamp())) if settings.REMEMBER_FOR_A_SECOND else None
        if slot is None:
            return make()
        try:
            return slot.get(make)
        except Exception:
            # What can't be made (a place that does not exist) must not take the room of what can.
            self._drop(key, slot)
            raise

    def _slot(self, key: Hashable, second: int) -> _Slot[V] | None:
        """Where the value of that second belongs; None where it is not kept."""
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
