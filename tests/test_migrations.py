"""Migrations run as the owner of the tables, on a connection of its own: what changes rows there asks that one."""

import ast
from pathlib import Path

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently, NotInTransactionMixin
from django.db import connection
from django.db.migrations import AddIndex, CreateModel, Migration, RemoveIndex
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.models import Index

APPS = ["notifications", "accounts", "children", "bulletin", "applications"]
CHECKOUT = Path(__file__).resolve().parent.parent
CHANGING_ROWS = sorted(path for path in CHECKOUT.glob("*/migrations/*.py") if "RunPython" in path.read_text())


@pytest.mark.parametrize("path", CHANGING_ROWS, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_rows_are_changed_on_the_connection_that_migrates(path):
    """Any other sees the tables as they were, or none at all on a new database, and may not change them."""
    managers = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "objects"
    ]
    chosen = path.read_text().count(".objects.using(")
    assert len(managers) == chosen
    assert "schema_editor.connection.alias" in path.read_text()


def test_there_is_something_to_look_at():
    assert CHANGING_ROWS


def test_an_empty_database_gets_by_the_short_way_what_the_long_one_makes():
    """The squashed migrations against those that they replace. What both run as SQL is tests/test_sql_files.py."""
    long = MigrationLoader(None, replace_migrations=False)
    short = MigrationLoader(None).project_state()
    assert MigrationAutodetector(long.project_state(), short).changes(long.graph) == {}


@pytest.mark.parametrize("app", APPS)
def test_the_short_way_is_taken(app):
    """A squashed migration that waits for one of another app that it can't see is passed over without a word."""
    nodes = {name for label, name in MigrationLoader(None).graph.nodes if label == app}
    assert "0001_initial" not in nodes
    assert any("_squashed_" in name for name in nodes)


def later_migrations():
    """Those that meet a city's full tables: no squashed one replaces them."""
    ours = {key: one for key, one in MigrationLoader(None).disk_migrations.items() if key[0] in APPS}
    replaced = {key for one in ours.values() for key in one.replaces}
    return [one for key, one in sorted(ours.items()) if not one.replaces and key not in replaced]


def waiting_for_an_index(migration):
    """The indexes for which every writer of a table waits: not made concurrently, on a table that was there before."""
    new = {one.name_lower for one in migration.operations if isinstance(one, CreateModel)}
    return [
        one.describe()
        for one in migration.operations
        if isinstance(one, AddIndex | RemoveIndex) and not isinstance(one, NotInTransactionMixin)
        if one.model_name.lower() not in new
    ]


def test_nobody_waits_for_an_index():
    later = later_migrations()
    assert later
    found = {f"{one.app_label}/{one.name}": waiting_for_an_index(one) for one in later}
    assert {name: indexes for name, indexes in found.items() if indexes} == {}


def test_an_index_for_which_everybody_waits_is_seen():
    index = Index(fields=["at"], name="any")

    class Some(Migration):
        operations = [AddIndex("Event", index), AddIndexConcurrently("Event", index)]

    assert len(waiting_for_an_index(Some("0000", "applications"))) == 1


# To tables whose rows stay: a city has a handful of localities.
NEEDS_NO_INDEX = {("applications_formerrow", "locality_id")}
WITHOUT_INDEX = """
SELECT key.conrelid::regclass::text, attribute.attname
FROM pg_constraint key
JOIN pg_attribute attribute ON attribute.attrelid = key.conrelid AND attribute.attnum = key.conkey[1]
WHERE key.contype = 'f' AND NOT EXISTS (
    SELECT FROM pg_index index
    WHERE index.indrelid = key.conrelid AND index.indkey[0] = key.conkey[1] AND index.indisvalid
    AND coalesce(pg_get_expr(index.indpred, index.indrelid), '') IN (
        '', format('(%I IS NOT NULL)', attribute.attname)
    )
)
"""


@pytest.mark.django_db
def test_a_deleted_row_is_looked_for_by_an_index():
    """Without one, whoever deletes a row reads the whole table that may name it, once for each row."""
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_INDEX)
        assert set(cursor.fetchall()) == NEEDS_NO_INDEX
