"""Counts as everyone may see them: a very small one might point at a family. Pure."""

from collections.abc import Mapping
from typing import Final, TypeVar

from django.utils.formats import number_format

K = TypeVar("K")
FEW: Final = 5
# A count that is larger, and from which a very small one could be worked out.
KEPT_BACK: Final = "—"


def is_few(count: int) -> bool:
    """Whether so many children could be found among their neighbours; nobody can't."""
    return 0 < count < FEW


def told(count: int, *, grouped: bool = True) -> str:
    """The count, or `<5`; zero is shown, since it points at nobody. In files thousands are not `grouped`."""
    if is_few(count):
        return f"<{FEW}"
    return number_format(count, force_grouping=True) if grouped else str(count)


def rounded(count: int) -> int:
    """A count of at least `FEW` as it stands in tables that can be laid beside each other: to the nearest five.

    So no count follows from others: between them lie up to two people in each. Zero for fewer than `FEW`.
    """
    return 0 if count < FEW else (count + FEW // 2) // FEW * FEW


def noun_number(count: int) -> int:
    """The number that decides the form of the noun beside `told(count)`: the form tells no more than the count."""
    return FEW if is_few(count) else count


def told_parts(whole: int, parts: Mapping[K, int]) -> dict[K, bool]:
    """Which parts of `whole` may be told beside it: parts overlap, and each of `whole` is in one of them at least.

    One that is very small is not, nor one without which very few of `whole` would be left, nor, where there are two,
    the smaller of them if very few are in both.
    """
    if is_few(whole):
        return {key: not is_few(count) for key, count in parts.items()}
    told = {key: not (is_few(count) or is_few(whole - count)) for key, count in parts.items()}
    some = [key for key, count in parts.items() if count]
    if len(some) == 2 and is_few(sum(parts.values()) - whole):
        told[min(some, key=lambda key: parts[key])] = False
    return told
