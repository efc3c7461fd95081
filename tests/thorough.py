"""What `make test` takes a part of, because it is many times alike; `make thorough` takes all of it.

Nothing is left out by name: each row and each column of a table is met, each with some of the others.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import TypeVar

import pytest

Row = TypeVar("Row")
Column = TypeVar("Column")

THOROUGH = bool(os.environ.get("THOROUGH"))

# A way through many pages whose steps other tests take one by one: what only the whole shows is looked at less often.
whole_way = pytest.mark.skipif(not THOROUGH, reason="a whole way: make thorough")


def examples(number: int) -> int:
    """How many examples Hypothesis makes up where each builds rows of the database."""
    return number if THOROUGH else number // 6


def pairs(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[tuple[Row, Column]]:
    """Every row with every column; in a quick run each of them at least once."""
    return product(rows, columns) if THOROUGH else once_each(rows, columns)


def part_for(column: Column, rows: Iterable[Row], columns: Sequence[Column]) -> list[Row]:
    """All rows; in a quick run those that `pairs` tries with this one of the columns."""
    return [row for row, other in pairs(list(rows), columns) if other == column]


def once_each(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[tuple[Row, Column]]:
    """As many pairs as the longer side has; the shorter one is gone through again, a step further each time."""
    long, short = len(rows) >= len(columns), min(len(rows), len(columns))
    for place in range(max(len(rows), len(columns))):
        other = (place + place // short) % short
        yield (rows[place], columns[other]) if long else (rows[other], columns[place])
