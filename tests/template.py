"""The test database is a copy: what migrations make is made once, kept beside it and copied by every run.

Migrations take seconds of every process that tests, and the copy a fifth of one. A template is named for what it
was made of, so whoever changes a migration gets a new one, and the former goes.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.db import connection

# Two that make or copy one would be in each other's way.
_LOCK = 0x636F7079
_IMPORTED = re.compile(r"^(?:import|from) ([\w.]+)", re.MULTILINE)


def migrations() -> list[Path]:
    """All that `migrate` runs, of our apps and of others, and what ours import from the code."""
    folders = [Path(app.path) / "migrations" for app in apps.get_app_configs()]
    files = [file for folder in folders for file in folder.rglob("*") if file.suffix in (".py", ".sql")]
    ours = [file for file in files if file.is_relative_to(settings.BASE_DIR) and file.suffix == ".py"]
    names = {name for file in ours for name in _IMPORTED.findall(file.read_text())}
    found = [spec.origin for name in sorted(names) if (spec := find_spec(name)) and spec.has_location]
    imported = [file for file in map(Path, filter(None, found)) if file.is_relative_to(settings.BASE_DIR)]
    return sorted({*files, *imported})


def digest(files: Iterable[Path]) -> str:
    """The same for the same files in the same order, in whatever folder the checkout lies."""
    of_all = hashlib.sha256(django.__version__.encode())
    for file in files:
        of_all.update(f"{file.name} {file.stat().st_size}\n".encode())
        of_all.update(file.read_bytes())
    return of_all.hexdigest()[:16]


@contextmanager
def copied() -> Iterator[None]:
    """Within it, a test database that Django creates is a copy."""
    names, quote = connection.settings_dict["TEST"], connection.ops.quote_name
    prefix = f"{connection.settings_dict['NAME']}_template_"
    name, unfinished = prefix + digest(migrations()), prefix + "unfinished"
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        there = {found for (found,) in cursor.fetchall()}
        if name not in there:
            for former in there:
                cursor.execute(f"DROP DATABASE {quote(former)}")
            _make(unfinished)
            # What nobody can connect to nobody changes, and it can be copied at any time.
            cursor.execute(f"ALTER DATABASE {quote(unfinished)} ALLOW_CONNECTIONS false")
            cursor.execute(f"ALTER DATABASE {quote(unfinished)} RENAME TO {quote(name)}")
        names["TEMPLATE"] = name
        try:
            yield
        finally:
            names["TEMPLATE"] = None


def _make(name: str) -> None:
    """Create a database and migrate it; afterwards the connection is to the one it was to."""
    names, before = connection.settings_dict["TEST"], connection.settings_dict["NAME"]
    asked, names["NAME"] = names["NAME"], name
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        connection.close()
        names["NAME"] = asked
        connection.settings_dict["NAME"] = settings.DATABASES[connection.alias]["NAME"] = before
