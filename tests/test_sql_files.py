"""The functions of the database say what the files beside their callers say."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.django_db

CHECKOUT = Path(settings.BASE_DIR)
OURS = [Path(app.path) for app in apps.get_app_configs() if Path(app.path).parent == CHECKOUT]
# A folder named `sql` holds copies: what a migration installed in its time.
# What defines no function is a statement, which its caller reads.
FILES = sorted(
    path
    for app in OURS
    for path in app.rglob("*.sql")
    if path.parent.name != "sql" and "CREATE OR REPLACE FUNCTION" in path.read_text()
)
COPIES = sorted(path for app in OURS for path in app.glob("migrations/sql/[0-9][0-9][0-9][0-9]_*.sql"))
# The numbers go up, so the last one of a name is what was installed last.
NEWEST = {path.stem.partition("_")[2]: path for path in COPIES}

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


@pytest.mark.parametrize("name", NEWEST)
def test_the_newest_copy_is_the_file(name):
    """Comments above a function are in no database: they are held to the copy that was installed last."""
    assert [NEWEST[name].read_text()] == [path.read_text() for path in FILES if path.stem == name]


def test_every_function_has_its_file():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = current_schema()"
        )
        assert {name for (name,) in cursor.fetchall()} == {path.stem for path in FILES}
