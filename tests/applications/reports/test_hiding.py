"""What small counts hide beside themselves, by tables worked out by hand and by any table at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from applications.queue.small_groups import FEW
from applications.reports.hiding import hidden_among


def hidden(**counts: int) -> str:
    """The hidden ones of some counts that come to `whole`."""
    parts = [name for name in counts if name != "whole"]
    return " ".join(sorted(hidden_among(counts, [("whole", parts)])))


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"whole": 20, "a": 10, "b": 10}, ""),
        ({"whole": 20, "a": 20, "b": 0}, ""),
        ({"whole": 23, "a": 3, "b": 8, "c": 12}, "a b"),
        ({"whole": 12, "a": 1, "b": 1, "c": 10}, "a b c"),
        ({"whole": 7, "a": 3, "b": 4}, "a b"),
        ({"whole": 4, "a": 4, "b": 0}, "a whole"),
        ({"whole": 0, "a": 0}, ""),
    ],
    ids=["none small", "nobody", "the next smallest too", "until five", "two small", "all of it", "empty"],
)
def test_one_sum(counts, found):
    assert hidden(**counts) == found


def test_what_another_sum_hides_is_made_good_in_this_one():
    """Two places by two years: hiding in a row makes a column give away, and so on round the square."""
    counts = {"a1": 2, "a2": 9, "b1": 8, "b2": 30, "a": 11, "b": 38, "1": 10, "2": 39, "all": 49}
    sums = [
        ("a", ("a1", "a2")),
        ("b", ("b1", "b2")),
        ("1", ("a1", "b1")),
        ("2", ("a2", "b2")),
        ("all", ("a", "b")),
    ]
    assert hidden_among(counts, sums) == {"a1", "a2", "b1", "b2"}


@given(some.lists(some.lists(some.integers(0, 12), min_size=3, max_size=3), min_size=1, max_size=4))
def test_no_sum_gives_a_small_count_away(rows):
    counts: dict[tuple[str, int, int], int] = {}
    sums = []
    for number, row in enumerate(rows):
        parts = [("cell", number, column) for column in range(3)]
        counts |= dict(zip(parts, row, strict=True)) | {("row", number, 0): sum(row)}
        sums.append((("row", number, 0), parts))
    for column in range(3):
        parts = [("cell", number, column) for number in range(len(rows))]
        counts["column", 0, column] = sum(counts[part] for part in parts)
        sums.append((("column", 0, column), parts))
    dark = hidden_among(counts, sums)
    assert not [cell for cell, count in counts.items() if cell not in dark and 0 < count < FEW]
    assert not [cell for cell in dark if not counts[cell]]
    for whole, parts in sums:
        below = [counts[part] for part in parts if part in dark]
        assert bool(below) if whole in dark else not below or (len(below) > 1 and sum(below) >= FEW)
