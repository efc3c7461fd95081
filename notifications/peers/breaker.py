"""When a peer that fails is left alone. Pure: who asks brings the time."""

from threading import Lock


class Breaker:
    """Opens after some failures in a row; from then on it lets one call through after each rest, until one succeeds.

    Safe to share among threads. Times are seconds of any clock that is never set back.
    """

    def __init__(self, *, failures: int, rest: float) -> None:
        """`rest` must be longer than a call may last, so that there is never more than one trial at a time."""
        self._most = failures
        self._rest = rest
        self._failed = 0
        self._rests_until = 0.0
        self._lock = Lock()

    def admits(self, *, now: float) -> bool:
        """Whether the peer may be asked now. True while it rests means: by this call alone."""
        with self._lock:
            if self._failed < self._most:
                return True
            if now < self._rests_until:
                return False
            # A trial that never comes back costs one rest, not the peer.
            self._rests_until = now + self._rest
            return True

    def note(self, *, went_well: bool, now: float) -> bool:
        """What became of a call. Returns whether the peer rests from now on, or goes on resting."""
        with self._lock:
            if went_well:
                self._failed = 0
                return False
            self._failed += 1
            if self._failed < self._most:
                return False
            self._rests_until = now + self._rest
            return True
