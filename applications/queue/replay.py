"""Replaying a queue's events: every change of one application's number, with its cause. Pure.

The numbers before and after an event are both computed from the standings, so the causes always add up to the
difference of the numbers: nothing is left unexplained.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from applications.queue.order import ahead_by_tier
from applications.states import Move, Tier


class Standing(NamedTuple):
    """Where an application stands: in which queue and tier, and since when."""

    queue: Hashable
    tier: Tier
    filed_at: datetime
    sequence: int


@dataclass(frozen=True)
class Step:
    """One event of one application: where it stands after it, or None where it holds no number.

    `note` is the number of the order behind a correction.
    """

    application: Hashable
    at: datetime
    move: Move
    after: Standing | None
    note: str = ""


@dataclass(frozen=True)
class NumberMove:
    """A change of the watched number.

    `before` and `after` are None while there is no number; `own` marks the application's own events. `left` is the
    last number it had, which bridges a time without one; `note` comes from the step.
    """

    at: datetime
    cause: Move | None
    own: bool
    before: int | None
    after: int | None
    left: int | None
    note: str = ""

    @property
    def forward(self) -> int:
        """By how many places the application came forward; negative if it fell back.

        Leaving does not count; a return counts from the number that was left.
        """
        if self.after is None or self.left is None:
            return 0
        return self.left - self.after


@dataclass
class Watch:
    """Follows the number of one application through the events of its queues, in the order of the events."""

    application: Hashable
    ratio_at: Callable[[Hashable, datetime], int]
    standings: dict[Hashable, Standing] = field(default_factory=dict)
    _totals: Counter[Tier] = field(default_factory=Counter)
    _ahead: int = 0
    _left: int | None = None
    # By which the number was worked out last.
    _ratio: int = 0

    def begin(self, standings: dict[Hashable, Standing], *, now: datetime) -> int | None:
        """Stand as all stood at `now`, before the first step. Returns the number of the watched one, if it holds one.

        If it holds none, it has never held one.
        """
        self.standings = standings
        self._count_all()
        self._left = self._number(now)
        return self._left

    def run(self, steps: Iterable[Step]) -> Iterator[NumberMove]:
        """The changes of the number caused by `steps`. May be called again with further steps."""
        for step in steps:
            yield from self.tick(step.at)
            # With a number the last one is the present one.
            before = self._left if self._own is not None else None
            if self._apply(step):
                own = step.application == self.application
                yield from self._moved(step.at, step.move, before, own=own, note=step.note)

    def tick(self, now: datetime) -> Iterator[NumberMove]:
        """The change caused by time alone up to `now`: a new ratio of the tiers came into force."""
        own = self._own
        if own is not None and self._left is not None and self.ratio_at(own.queue, now) != self._ratio:
            yield from self._moved(now, None, self._left, own=False)

    @property
    def _own(self) -> Standing | None:
        return self.standings.get(self.application)

    def _number(self, at: datetime) -> int | None:
        own = self._own
        if own is None:
            return None
        self._ratio = self.ratio_at(own.queue, at)
        ahead = ahead_by_tier(
            own.tier,
            ahead_in_tier=self._ahead,
            totals=self._totals,
            general_per_priority=self._ratio,
        )
        return 1 + sum(ahead.values())

    def _moved(
        self, at: datetime, cause: Move | None, before: int | None, *, own: bool, note: str = ""
    ) -> Iterator[NumberMove]:
        after = self._number(at)
        if after != before:
            yield NumberMove(at, cause, own, before, after, self._left, note)
        if after is not None:
            self._left = after

    def _apply(self, step: Step) -> bool:
        """Whether anything of which the number is made up may be different after it."""
        before = self.standings.pop(step.application, None)
        if step.after is not None:
            self.standings[step.application] = step.after
        if step.application == self.application:
            self._count_all()
            return True
        if self._own is None or before == step.after:
            return False
        self._count(before, -1)
        self._count(step.after, +1)
        return True

    def _count_all(self) -> None:
        self._totals, self._ahead = Counter(), 0
        if self._own is not None:
            for standing in self.standings.values():
                self._count(standing, +1)

    def _count(self, standing: Standing | None, sign: int) -> None:
        own = self._own
        assert own is not None
        if standing is None or standing.queue != own.queue:
            return
        self._totals[standing.tier] += sign
        if standing.tier == own.tier and standing[2:] < own[2:]:
            self._ahead += sign
