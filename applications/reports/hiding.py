"""Which counts everybody may see: none of a few people, and none from which one of a few could be worked out. Pure."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

from applications.queue.small_groups import FEW, is_few

Cell = TypeVar("Cell", bound=Hashable)
# A count, and those that come to it.
Sum = tuple[Cell, Sequence[Cell]]


def hidden_among(counts: Mapping[Cell, int], sums: Collection[Sum[Cell]]) -> set[Cell]:
    """The cells that are not told, where everybody knows `sums`. Pure.

    Afterwards, of the cells of no sum exactly one is hidden, and what is hidden below a told whole comes to at least
    `FEW`. Nothing is hidden that counts nobody.
    """
    hidden = {cell for cell, count in counts.items() if is_few(count)}
    known = -1
    while len(hidden) != known:
        known = len(hidden)
        for whole, parts in sums:
            _hide_another(hidden, counts, whole, parts)
    return hidden


def _hide_another(hidden: set[Cell], counts: Mapping[Cell, int], whole: Cell, parts: Sequence[Cell]) -> None:
    """Hide the next smallest cells of one sum until they give nothing away."""
    told = sorted(
        (part for part in parts if counts[part] and part not in hidden), key=lambda cell: counts[cell]
    )
    dark = [part for part in parts if part in hidden]
    while _gives_away(whole in hidden, [counts[part] for part in dark]):
        if not told:
            hidden.add(whole)
            return
        dark.append(told.pop(0))
        hidden.add(dark[-1])


def _gives_away(is_whole_hidden: bool, dark: Sequence[int]) -> bool:
    if is_whole_hidden:
        return not dark
    return bool(dark) and (len(dark) == 1 or sum(dark) < FEW)
