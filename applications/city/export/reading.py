"""Reading an export into an empty portal: all of it, or nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group as Role
from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import DatabaseError, connections, transaction
from django.db.models import Model

from accounts.models import Employee, User
from applications.city.export.packing import README, BadExport, Entry, Manifest, Reader
from applications.city.export.tables import TABLES, Table
from applications.models import BenefitCategory
from bulletin.models import Holiday
from children.models import Child
from children.personal_data import hash_of_forgotten
from notifications.copied_rows import copy_rows

Tell = Callable[[str, int, int], None]
# What `set_up` fills, and the export brings as it was.
_FILLED_BY_SET_UP: Final = (Holiday, BenefitCategory)
_PORTION: Final = 1000
_SAME_VERSION: Final = "Import it with the version that made it, then update."
_TELL_EVERY: Final = 10_000


class NotEmpty(Exception):
    """The portal holds something already; the message names it."""


def import_city(reader: Reader, *, using: str, tell: Tell) -> Manifest:
    """Load a whole export into a portal that `set_up` has made and nobody has used yet.

    `using` is the connection of the tables' owner: nobody else may say with which key a table goes on. What another key
    made (hashes, encryption) is made anew with this portal's, accounts get no password. Raises `NotEmpty`, and
    `BadExport` for anything that the export should not be; then nothing has changed. Holds every table of it locked.
    """
    entries = _compared(reader.manifest)
    try:
        with transaction.atomic(using=using):
            _lock_empty(using)
            with _without_notes(using):
                for _line in reader.lines(entries[0]):
                    pass
                for table, entry in zip(TABLES, entries[1:], strict=True):
                    _load(table, entry, reader, using=using, tell=tell)
                reader.finish()
                _check_keys(using)
            _go_on_after_last_keys(using)
    except DatabaseError as error:
        raise _in_words(error, "The database") from error
    with connections[using].cursor() as cursor:
        cursor.execute("ANALYZE")
    return reader.manifest


def _compared(manifest: Manifest) -> list[Entry]:
    """The files of the manifest, which must be those of this portal."""
    found, expected = [entry.name for entry in manifest.files], [README, *(table.name for table in TABLES)]
    if found != expected:
        differing = sorted(set(found) ^ set(expected)) or found
        raise BadExport(
            f"It has other files than this version of the portal: {differing[0][:80]!r}. {_SAME_VERSION}"
        )
    for table, entry in zip(TABLES, manifest.files[1:], strict=True):
        if list(entry.columns) != table.column_names:
            raise BadExport(
                f"{table.name} has other columns than this version of the portal. {_SAME_VERSION}"
            )
    return list(manifest.files)


def _lock_empty(using: str) -> None:
    quote = connections[using].ops.quote_name
    tables = ", ".join(quote(table.model._meta.db_table) for table in TABLES)
    with connections[using].cursor() as cursor:
        cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
    for table in TABLES:
        rows = table.model._base_manager.using(using)
        if table.model in _FILLED_BY_SET_UP:
            rows.all().delete()
        elif rows.exists():
            raise NotEmpty(
                f"This portal is not empty: {table.model._meta.db_table} has rows. "
                "Import into a new database, right after set_up."
            )


@contextmanager
def _without_notes(using: str) -> Iterator[None]:
    """Employees come with what they were called before: the database need not note it. An error brings it back."""
    table = connections[using].ops.quote_name(Employee._meta.db_table)
    with connections[using].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    with connections[using].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _load(table: Table, entry: Entry, reader: Reader, *, using: str, tell: Tell) -> None:
    rows: list[Model] = []
    for number, row in enumerate(_rows(table, entry, reader, using=using), start=1):
        rows.append(row)
        if len(rows) == _PORTION or number == entry.rows:
            _insert(table, rows, last=number, using=using)
            rows = []
        if number % _TELL_EVERY == 0:
            tell(table.name, number, entry.rows)
    tell(table.name, entry.rows, entry.rows)


def _insert(table: Table, rows: list[Model], *, last: int, using: str) -> None:
    try:
        copy_rows(rows, keys=True, using=using)
    except (DatabaseError, ValueError, TypeError, OverflowError) as error:
        raise _in_words(error, f"{table.name}, lines {last - len(rows) + 1} to {last}") from error


def _rows(table: Table, entry: Entry, reader: Reader, *, using: str) -> Iterator[Model]:
    roles = dict(Role.objects.using(using).values_list("name", "pk"))
    for number, line in enumerate(reader.lines(entry), start=1):
        try:
            yield _row(table, json.loads(line), roles)
        except (ValidationError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
            raise BadExport(f"{table.name}: line {number} is no row of this table.") from None


def _row(table: Table, told: Any, roles: dict[str, int]) -> Model:
    if list(told) != table.column_names:
        raise ValueError
    values = {
        column.field.attname: roles[told[column.name]] if column.is_role else column.read(told[column.name])
        for column in table.columns
    }
    row = table.model(**values)
    _make_anew(row)
    return row


def _make_anew(row: Model) -> None:
    """What no export holds: hashes, made with this portal's key, and a password that nobody knows."""
    for encrypted, hashes in getattr(row, "HASHED", {}).items():
        for name, make_hash in hashes:
            # Of a child with both numbers the hash is that of the IIN, which stands first.
            if (text := getattr(row, encrypted)) and not getattr(row, name):
                setattr(row, name, make_hash(text))
    if isinstance(row, Child) and not row.iin_hash:
        row.iin_hash = hash_of_forgotten()
    if isinstance(row, User):
        row.password = make_password(None)


def _check_keys(using: str) -> None:
    """Keys of rows that are not there are refused now, while it can be said in words."""
    with connections[using].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _go_on_after_last_keys(using: str) -> None:
    """Later rows get keys and numbers after those that came."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [table.model for table in TABLES]):
            cursor.execute(statement)
        cursor.execute(
            "SELECT setval('application_sequence', greatest(max(sequence), 1), max(sequence) IS NOT NULL)"
            " FROM applications_application"
        )


def _in_words(error: Exception, what: str) -> BadExport:
    """Without the values, which may be a person's."""
    cause = error.__cause__
    named = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return BadExport(f"{what} refuses it: {named or type(cause or error).__name__}.")
