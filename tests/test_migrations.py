"""Migrations run as the owner of the tables, on a connection of its own: what changes rows there asks that one."""

import ast
from pathlib import Path

import pytest

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
