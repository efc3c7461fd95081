"""Figures out of counts. Pure."""

from collections.abc import Mapping


def median_of(counts: Mapping[int, int]) -> int | None:
    """The middle of values that occur so often each, rounded half to even; None where there are none. Pure."""
    number = sum(counts.values())
    if not number:
        return None
    return round((nth(counts, (number - 1) // 2) + nth(counts, number // 2)) / 2)


def slow_of(counts: Mapping[int, int]) -> int | None:
    """The first value of the slowest tenth: at least nine of ten are not above it; None where there are none. Pure."""
    number = sum(counts.values())
    return nth(counts, min(number - 1, number * 9 // 10)) if number else None


def nth(counts: Mapping[int, int], place: int) -> int:
    """The value in that place, from 0 on, of all values in their order. Raises IndexError past the last. Pure."""
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        if place < passed:
            return value
    raise IndexError(place)


def percent(part: int, whole: int) -> int | None:
    """So many of a hundred, rounded half to even; None of nothing. Pure."""
    return round(100 * part / whole) if whole else None
