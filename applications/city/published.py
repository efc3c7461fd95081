"""What everybody reads of a signed protocol: counts that point at no family, nor together with others. Pure.

A count under five is never told, nor what it could be worked out from: beside it the smallest others of its sum are
kept back, and localities whose counts are too small are told as one.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from applications.city.reconciling import Outcome, Reason
from applications.city.sums import Sums
from applications.queue.small_groups import FEW, is_few

K = TypeVar("K")
C = TypeVar("C")
# Each line of these has one reason, so their reasons add up to them.
_SPLIT: Final = (Outcome.AWAY, Outcome.LEFT_OUT)


@dataclass(frozen=True)
class Told:
    """Counts of the city or of localities; None for what is kept back, which may be more than a few.

    `reasons` has the outcomes whose reasons can be told. `lines` is empty where no outcome can.
    """

    lines: int | None
    outcomes: Mapping[Outcome, int | None]
    reasons: Mapping[Outcome, Mapping[Reason, int | None]]


@dataclass(frozen=True)
class Published:
    """The city, and its localities by their keys where they can be told; `others` are the rest of them, as one."""

    city: Told
    localities: Mapping[int | None, Told]
    others: Told | None


def published(sums: Sums) -> Published:
    """What may be told of the sums of a protocol."""
    city = _told(sums)
    if None in city.outcomes.values():
        # The localities would add up to what is kept back.
        return Published(city, {}, None)
    of = {place: sums.of(place) for place in sums.localities}
    shown, rest = tellable({place: one.outcomes for place, one in of.items()})
    with_reasons: set[int | None] = set()
    if all(None not in reasons.values() for reasons in city.reasons.values()):
        found, _rest = tellable({place: _by_reason(one) for place, one in of.items()})
        with_reasons = set(found)
    localities = {
        place: Told(
            of[place].lines,
            {outcome: of[place].outcomes[outcome] for outcome in Outcome},
            {outcome: of[place].why(outcome) for outcome in _SPLIT} if place in with_reasons else {},
        )
        for place in shown
    }
    others = (
        Told(rest.total(), {outcome: rest[outcome] for outcome in Outcome}, {}) if rest and shown else None
    )
    return Published(city, localities, others)


def hidden_beside(counts: Mapping[K, int]) -> set[K]:
    """Which of these counts, whose sum is known, may not be told: those under five, and enough of the others.

    Whoever knows this rule can't say of any hidden small count whether it is one or four.
    """
    small = {key for key, count in counts.items() if is_few(count)}
    if not small:
        return set()
    larger = sorted((key for key, count in counts.items() if count >= FEW), key=lambda key: counts[key])
    few = sum(counts[key] for key in small)
    for number in range(1, len(larger) + 1):
        beside, next_one = larger[:number], larger[number : number + 1]
        total = few + sum(counts[key] for key in beside)
        # The larger ones are five at least, and no larger than the first that is told.
        is_enough = total - (FEW - 1) * len(small) >= FEW * number
        is_free = not next_one or total - len(small) <= number * counts[next_one[0]]
        if is_enough and is_free:
            return small | set(beside)
    return {key for key, count in counts.items() if count}


def tellable(rows: Mapping[K, Counter[C]]) -> tuple[list[K], Counter[C]]:
    """The rows of a table that may be told beside its sums, and the sum of the others, which has no small count either.

    No row may be told where the others can't be made large enough.
    """
    shown = [key for key, counts in rows.items() if _has_no_small(counts)]
    rest: Counter[C] = sum((rows[key] for key in rows if key not in shown), Counter())
    for key in sorted(shown, key=lambda key: rows[key].total()):
        if _has_no_small(rest):
            return shown, rest
        shown.remove(key)
        rest += rows[key]
    return (shown, rest) if _has_no_small(rest) else ([], rest)


def _has_no_small(counts: Mapping[C, int]) -> bool:
    return not any(is_few(count) for count in counts.values())


def _told(sums: Sums) -> Told:
    outcomes = _kept_back({outcome: sums.outcomes[outcome] for outcome in Outcome})
    if not any(outcomes.values()):
        # Together with their sum, small counts alone can be worked out.
        return Told(None, dict.fromkeys(Outcome), {})
    reasons: dict[Outcome, Mapping[Reason, int | None]] = {}
    for outcome in _SPLIT:
        if outcomes[outcome] and any((told := _kept_back(sums.why(outcome))).values()):
            reasons[outcome] = told
    if outcomes[Outcome.MOVED]:
        # A line may have several, so these add up to nothing.
        moved = sums.why(Outcome.MOVED)
        reasons[Outcome.MOVED] = {reason: count if count >= FEW else None for reason, count in moved.items()}
    return Told(sums.lines, outcomes, reasons)


def _kept_back(counts: Mapping[K, int]) -> dict[K, int | None]:
    hidden = hidden_beside(counts)
    return {key: None if key in hidden else count for key, count in counts.items()}


def _by_reason(sums: Sums) -> Counter[tuple[Outcome, Reason | None]]:
    found: Counter[tuple[Outcome, Reason | None]] = Counter()
    for part, count in sums.parts.items():
        found[part.outcome, part.reason] += count
    return found
