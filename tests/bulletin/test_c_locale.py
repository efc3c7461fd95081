"""Search and order in a database of the C locale, where `lower()` knows only Latin letters."""

from collections.abc import Iterator

import psycopg2
import pytest
from django.db import connection

from bulletin.sorting import fold, name_sort_key

NAMES = ["Ханзада", "Әлия", "Балпан", "Аққу", "Қарлығаш", "Керемет"]


@pytest.fixture
def c_locale(transactional_db) -> Iterator["psycopg2.extensions.cursor"]:
    """A cursor in a database of its own, made with the C locale and dropped after the test."""
    parameters = connection.get_connection_params()
    name = f"{connection.settings_dict['NAME']}_c_locale"
    keys = ("user", "password", "host", "port")
    server = {key: parameters[key] for key in keys if key in parameters}
    control = psycopg2.connect(**server, dbname="template1")
    control.autocommit = True
    with control.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(
            f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    there = psycopg2.connect(**server, dbname=name)
    with there.cursor() as cursor:
        cursor.execute("CREATE TABLE kindergarten (name text, sort_key text, search_text text)")
        cursor.executemany(
            "INSERT INTO kindergarten VALUES (%s, %s, %s)",
            [(name, name_sort_key(name), fold(name)) for name in NAMES],
        )
        yield cursor
    there.close()
    with control.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}"')
    control.close()


def names(cursor: "psycopg2.extensions.cursor", rest: str, *parameters: str) -> list[str]:
    cursor.execute(f"SELECT name FROM kindergarten {rest}", parameters)
    return [name for (name,) in cursor.fetchall()]


def test_control_the_databases_own_means_fail(c_locale) -> None:
    assert names(c_locale, "WHERE upper(name) LIKE upper(%s)", "%әлия%") == []
    assert names(c_locale, "ORDER BY name")[-1] == "Әлия"


def test_ours_do_not(c_locale) -> None:
    assert names(c_locale, "WHERE search_text LIKE %s", f"%{fold('ӘЛИЯ')}%") == ["Әлия"]
    expected = ["Аққу", "Әлия", "Балпан", "Керемет", "Қарлығаш", "Ханзада"]
    assert names(c_locale, "ORDER BY sort_key") == expected
