"""What a quick run meets of a table."""

import pytest

from tests.thorough import once_each


@pytest.mark.parametrize(("rows", "columns"), [(7, 3), (3, 7), (4, 4), (6, 3), (1, 5), (5, 1)])
def test_each_row_and_each_column_is_met(rows, columns):
    met = list(once_each(range(rows), range(columns)))
    assert {row for row, _column in met} == set(range(rows))
    assert {column for _row, column in met} == set(range(columns))
    assert len(met) == len(set(met)) == max(rows, columns)
