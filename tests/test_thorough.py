"""What a quick run meets of a table."""

import pytest

from tests.thorough import once_each, part_for


@pytest.mark.parametrize(("rows", "columns"), [(7, 3), (3, 7), (4, 4), (6, 3), (1, 5), (5, 1)])
def test_each_row_and_each_column_is_met(rows, columns):
    met = list(once_each(range(rows), range(columns)))
    assert {row for row, _column in met} == set(range(rows))
    assert {column for _row, column in met} == set(range(columns))
    assert len(met) == len(set(met)) == max(rows, columns)


def test_the_parts_of_all_columns_are_the_whole():
    parts = [part_for(column, range(9), "ab") for column in "ab"]
    assert sorted({row for part in parts for row in part}) == list(range(9))
    assert all(parts)
