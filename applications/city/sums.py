"""The sums of a reconciliation: how many lines of a file came to what, in each locality, and why. Pure.

A line that holds no number in its queue has one reason; so the parts add up to the lines of the file. A line that was
moved may have several, which are counted beside.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from applications.city.reconciling import Outcome, Reason, Reconciled
from applications.states import LineDecision


class Part(NamedTuple):
    """What a line came to: in which locality (its key, None where the line names none), and why it has no number."""

    locality: int | None
    outcome: Outcome
    reason: Reason | None = None


@dataclass(frozen=True)
class Sums:
    """How many lines are in each part, and by how many lines that were moved each reason is named, by locality.

    `decisions`: how many lines of the whole file were decided about, and how; protocols of before did not count it.
    """

    parts: Counter[Part] = field(default_factory=Counter)
    moved_by: Counter[tuple[int | None, Reason]] = field(default_factory=Counter)
    decisions: Counter[LineDecision] = field(default_factory=Counter)

    @property
    def lines(self) -> int:
        return self.parts.total()

    @property
    def outcomes(self) -> Counter[Outcome]:
        return _summed((part.outcome, count) for part, count in self.parts.items())

    @property
    def localities(self) -> set[int | None]:
        return {part.locality for part in self.parts}

    def why(self, outcome: Outcome) -> Counter[Reason]:
        """Why lines of this outcome hold no number, each counted once; why lines were moved, each by its reasons."""
        if outcome == Outcome.MOVED:
            return _summed((reason, count) for (_place, reason), count in self.moved_by.items())
        found = ((part.reason, count) for part, count in self.parts.items() if part.outcome == outcome)
        return _summed((reason, count) for reason, count in found if reason is not None)

    def of(self, locality: int | None) -> "Sums":
        """The sums of one locality."""
        return Sums(
            Counter({part: count for part, count in self.parts.items() if part.locality == locality}),
            Counter({key: count for key, count in self.moved_by.items() if key[0] == locality}),
        )

    def as_json(self) -> dict[str, Any]:
        """What is kept in a signed protocol; `of_json` reads it."""
        return {
            "parts": [
                {
                    "locality": part.locality,
                    "outcome": part.outcome.value,
                    "reason": part.reason.value if part.reason else "",
                    "lines": count,
                }
                for part, count in self.parts.items()
            ],
            "moved_by": [
                {"locality": place, "reason": reason.value, "lines": count}
                for (place, reason), count in self.moved_by.items()
            ],
            "decisions": {kind.value: count for kind, count in self.decisions.items()},
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Sums":
        return cls(
            Counter(
                {
                    Part(
                        one["locality"],
                        Outcome(one["outcome"]),
                        Reason(one["reason"]) if one["reason"] else None,
                    ): one["lines"]
                    for one in kept["parts"]
                }
            ),
            Counter({(one["locality"], Reason(one["reason"])): one["lines"] for one in kept["moved_by"]}),
            Counter({LineDecision(kind): count for kind, count in kept.get("decisions", {}).items()}),
        )


def sums_of(found: Reconciled) -> Sums:
    """The sums of all lines; they always add up to the number of lines."""
    sums = Sums(decisions=Counter({kind: count for kind, count in found.decisions.items() if count}))
    for (place, _birth_year), lines in found.queues.items():
        for one in lines:
            is_in_queue = one.new is not None
            sums.parts[Part(place, one.outcome, None if is_in_queue else next(iter(one.reasons)))] += 1
            if one.outcome == Outcome.MOVED:
                sums.moved_by.update((place, reason) for reason in one.reasons)
    return sums


def _summed(counts: Iterable[tuple[Any, int]]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for key, count in counts:
        found[key] += count
    return found
