"""The functions of the database say what the files beside their callers say."""

from pathlib import Path

import pytest
from django.db import connection

import applications

pytestmark = pytest.mark.django_db

HERE = Path(applications.__file__).parent
FILES = sorted(path for path in HERE.rglob("*.sql") if path.parent.name != "sql")
COPIES = HERE / "migrations" / "sql"

DEFINED = """
SELECT array_agg(pg_get_functiondef(p.oid) ORDER BY p.oid::text)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = current_schema() AND p.proname = %s
"""


def defined(cursor, name):
    cursor.execute(DEFINED, [name])
    return cursor.fetchone()[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_migrated_is_what_the_file_says(path):
    with connection.cursor() as cursor:
        before = defined(cursor, path.stem)
        assert before is not None
        assert len(before) == 1
        cursor.execute(path.read_text())
        assert defined(cursor, path.stem) == before


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_newest_copy_is_the_file(path):
    """Comments above a function are in no database: they are held to the copy that was installed last."""
    copies = sorted(COPIES.glob(f"[0-9][0-9][0-9][0-9]_{path.stem}.sql"))
    if copies:
        assert copies[-1].read_text() == path.read_text()


def test_every_function_has_its_file():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = current_schema() AND p.proname <> 'refuse_change_of_journal'"
        )
        assert {name for (name,) in cursor.fetchall()} == {path.stem for path in FILES}
