"""Whether the database has the tables of this version: the newest migration of each app, by the names of its files.

No migration is imported: they are many, and a web process would keep them for as long as it lives.
"""

from collections.abc import Collection
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from django.apps import apps
from django.db.migrations.loader import MigrationLoader

APPLIED: Final = "SELECT app, name FROM django_migrations"


@cache
def newest_migrations() -> Collection[tuple[str, str]]:
    """The app and the name of each; names begin with their number, and no app has two that are the last."""
    found = []
    for app in apps.get_app_configs():
        module, _is_chosen = MigrationLoader.migrations_module(app.label)
        try:
            folder = import_module(module or "").__path__
        except (ImportError, ValueError):
            continue  # an app without tables
        names = [one.name for one in iter_modules(folder) if not one.name.startswith(("_", "~"))]
        if names:
            found.append((app.label, max(names)))
    return found


def missing_migrations(applied: Collection[tuple[str, str]]) -> list[str]:
    """Of which this version needs the tables, and the database has them not yet."""
    known = set(applied)
    return [f"{app}.{name}" for app, name in newest_migrations() if (app, name) not in known]
