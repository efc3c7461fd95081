"""Pure rules stay pure: they are computed from their arguments, so they need no database to be tested."""

import ast
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
PURE = [
    "accounts/iin.py",
    "accounts/phones.py",
    "applications/states.py",
    "bulletin/opening.py",
    "bulletin/workdays.py",
    "children/ages.py",
    "notifications/text.py",
]
# Enumerations live beside the models in Django, but touch no database.
HARMLESS = {"django.db.models.TextChoices", "django.db.models.IntegerChoices"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_knows_no_database_and_no_clock(module):
    names = set(imported(CHECKOUT / module)) - HARMLESS
    assert names
    touching = {
        name for name in names if name.startswith(("django.db", "django.apps", "django.utils.timezone"))
    }
    assert not touching
    assert not {
        name for name in names if name.partition(".")[2].startswith(("models", "services", "selectors"))
    }
