"""Search and order under the collation "C", as in a database of that locale: it knows only Latin letters."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper

from bulletin.sorting import fold, name_sort_key

NAMES = ["Ханзада", "Әлия", "Балпан", "Аққу", "Қарлығаш", "Керемет"]


@pytest.fixture
def c_locale(db) -> Iterator[CursorWrapper]:
    """A cursor and a table of names whose columns are of the collation "C", whatever the database's own is."""
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TEMPORARY TABLE of_c_locale (name text COLLATE "C", sort_key text COLLATE "C", '
            'search_text text COLLATE "C") ON COMMIT DROP'
        )
        cursor.executemany(
            "INSERT INTO of_c_locale VALUES (%s, %s, %s)",
            [(name, name_sort_key(name), fold(name)) for name in NAMES],
        )
        yield cursor


def names(cursor: CursorWrapper, rest: str, *parameters: str) -> list[str]:
    cursor.execute(f"SELECT name FROM of_c_locale {rest}", parameters)
    return [name for (name,) in cursor.fetchall()]


def test_control_the_collations_own_means_fail(c_locale) -> None:
    assert names(c_locale, "WHERE upper(name) LIKE upper(%s)", "%әлия%") == []
    assert names(c_locale, "ORDER BY name")[-1] == "Әлия"


def test_ours_do_not(c_locale) -> None:
    assert names(c_locale, "WHERE search_text LIKE %s", f"%{fold('ӘЛИЯ')}%") == ["Әлия"]
    expected = ["Аққу", "Әлия", "Балпан", "Керемет", "Қарлығаш", "Ханзада"]
    assert names(c_locale, "ORDER BY sort_key") == expected
