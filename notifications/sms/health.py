"""When a gateway is left for a while, and when it is asked first again. Pure; a process is told what all of them know.

A gateway that answers nothing is passed over by each process within seconds (`peers.breaker`). This is for one that
answers and takes nothing, takes half of what it gets, or is slow: what no single process sees from its own few tries.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=10)
# Fewer tries say nothing.
LEAST_TRIES: Final = 5
FAILED_SHARE: Final = 0.5
SLOW_SECONDS: Final = 5.0
# It comes back only if it does clearly better than what it was left for.
TRIALS: Final = 3
WELL_SHARE: Final = 0.2
REST: Final = timedelta(minutes=5)
LONGEST_REST: Final = timedelta(hours=1)

_left: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Record:
    """How a gateway did in some time: the messages that it took, refused because of the number, and failed at."""

    taken: int = 0
    refused: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def tries(self) -> int:
        return self.taken + self.refused + self.failed

    @property
    def failed_share(self) -> float:
        return self.failed / self.tries if self.tries else 0.0

    @property
    def latency(self) -> float:
        """Seconds for one message, on average."""
        return self.seconds / self.tries if self.tries else 0.0


@dataclass(frozen=True)
class State:
    """What is decided about a gateway: how often in a row it has been left, and until when the last time.

    Well if it has not been left; on trial once that time is over.
    """

    times_left: int = 0
    left_until: datetime | None = None

    def counts_from(self, now: datetime) -> datetime:
        """From when its tries are counted: what it was left for is never held against it twice."""
        return max(now - WINDOW, self.left_until) if self.left_until else now - WINDOW

    def after(self, record: Record, *, has_alarm: bool, now: datetime) -> "State":
        """What is decided at `now`, by its tries since `counts_from`."""
        if self.left_until is not None and now < self.left_until:
            return self
        if has_alarm or _is_ill(record, least=TRIALS if self.times_left else LEAST_TRIES):
            pause = min(LONGEST_REST, REST * 2**self.times_left)
            return State(self.times_left + 1, now + pause)
        if self.times_left and record.tries >= TRIALS and record.failed_share <= WELL_SHARE:
            return State(0, self.left_until)
        return self


def _is_ill(record: Record, *, least: int) -> bool:
    return record.tries >= least and (record.failed_share >= FAILED_SHARE or record.latency >= SLOW_SECONDS)


def tell_left(names: Iterable[str]) -> None:
    """Let this process ask these gateways after the others, and no more."""
    global _left
    _left = frozenset(names)


def is_left(name: str) -> bool:
    return name in _left
