"""A chart of a report, as rows of bars. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_BARS: Final = 50
_LABEL, _BAR, _GAP = 22, 16, 14


@dataclass(frozen=True)
class Bar:
    """Where a bar stands, how long it is in percent of the width, and the value behind it.

    The value of a bar that is not told is what stands for it.
    """

    series: int
    value: int | str | None
    top: int
    percent: float

    @property
    def baseline(self) -> int:
        """Of the words in the bar's row."""
        return self.top + _BAR - 3


@dataclass(frozen=True)
class Line:
    """A label, and below it a bar for each series."""

    label: str
    baseline: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Chart:
    """`left_out`: how many rows have no place in it. Pixels from the top; the width is the reader's window."""

    lines: tuple[Line, ...]
    height: int
    left_out: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(bar.value for line in self.lines for bar in line.bars)

    @property
    def is_untold(self) -> bool:
        """Whether something was counted, and nothing of it is told as a number: no bar would have a length."""
        return not self.is_empty and not any(bar.percent for line in self.lines for bar in line.bars)


def chart_of(rows: Sequence[tuple[str, Sequence[int | str | None]]], *, of: int) -> Chart:
    """A chart of the first rows out of `of`, in their order: labels with a value for each series. Pure.

    The longest bar takes seven tenths of the width, and the number stands behind it.
    """
    shown = rows[:MOST_BARS]
    largest = max((_length(value) for _label, values in shown for value in values), default=0) or 1
    lines: list[Line] = []
    top = 0
    for label, values in shown:
        bars = tuple(
            Bar(series, value, top + _LABEL + series * _BAR, round(70 * _length(value) / largest, 1))
            for series, value in enumerate(values)
        )
        lines.append(Line(label, top + _LABEL - 6, bars))
        top += _LABEL + len(bars) * _BAR + _GAP
    return Chart(tuple(lines), top, of - len(shown))


def _length(value: int | str | None) -> int:
    return value if isinstance(value, int) else 0
