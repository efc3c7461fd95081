"""When a failing peer is left alone. Pure: the caller passes the time."""

from threading import Lock


class Breaker:
    """Opens after some failures in a row; then it lets one call through after each rest, until one succeeds.

    Safe to share among threads. Times are seconds of any clock that is never set back.
    """

    def __init__(self, *, failures: int, rest: float) -> None:
        """`rest` must be longer than a call may last, so that there is at most one trial at a time."""
        self._most = failures
        self._rest = rest
        self._failed = 0
        self._rests_until = 0.0
        self._is_on_trial = False
        self._lock = Lock()

    def admits(self, *, now: float) -> bool:
        """Whether the peer may be asked now. True while it rests means by this call only."""
        with self._lock:
            if self._failed < self._most:
                return True
            if now < self._rests_until:
                return False
            # A trial that never returns costs one rest and does not block the peer for good.
            self._rests_until = now + self._rest
            self._is_on_trial = True
            return True

    def note(self, *, went_well: bool, now: float) -> bool:
        """Note the result of a call. Returns whether a rest begins with it: calls that were under way prolong it."""
        with self._lock:
            was_on_trial, self._is_on_trial = self._is_on_trial, False
            if went_well:
                self._failed = 0
                return False
            self._failed += 1
            if self._failed < self._most:
                return False
            self._rests_until = now + self._rest
            return was_on_trial or self._failed == self._most
