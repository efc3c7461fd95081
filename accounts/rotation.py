"""New keys for what is encrypted or found by a hash, portion by portion, while the portal runs.

Which rows are done is asked of the rows themselves: a run that was broken off is followed by the next. A portion is
one statement that changes a row only if nobody has changed it meanwhile, so nobody waits for longer than that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Model
from psycopg2 import sql

from accounts.identity import STAND_IN
from accounts.models import User
from notifications.cipher import decrypt
from notifications.fields import EncryptedTextField

PORTION: Final = 500
# Makes a stored hash from a text.
MakeHash = Callable[[str], "str | None"]


@dataclass
class Progress:
    """How far one column is. `changed` rows were rewritten, or would be; `unreadable` ones lack their key."""

    column: str
    seen: int = 0
    changed: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Column:
    """An encrypted column, and the hash column beside it if there is one."""

    model: type[Model]
    name: str
    hash_name: str = ""
    make_hash: MakeHash | None = None

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.name}"


@dataclass
class _Changes:
    keys: list[Any] = field(default_factory=list)
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    hashes: list["str | None"] = field(default_factory=list)


def columns() -> list[Column]:
    """Every encrypted column of every table; one that a new model brings is found by itself."""
    return [
        Column(model, one.name, *hashed)
        for model in apps.get_models()
        for one in model._meta.concrete_fields
        if isinstance(one, EncryptedTextField)
        for hashed in getattr(model, "HASHED", {}).get(one.name, [()])
    ]


def unrenewable() -> int:
    """How many employees have a hash that can't be made anew, since only the hash of their IIN was ever kept.

    Such a hash compares with nobody's once the key of before is gone: their IINs must be entered again.
    """
    return User.objects.filter(staff_iin_hash__isnull=False, kept_iin="").count()


def rotate(column: Column, *, portion: int = PORTION, dry_run: bool = False) -> Iterator[Progress]:
    """Bring every row of `column` under the first of `IIN_KEYS` and under `IIN_HASH_KEY`; the progress by portions.

    Rows that are under them already are only read. Call it outside of a transaction.
    """
    first = Fernet(settings.IIN_KEYS[0])
    progress, last = Progress(column.label), None
    while rows := _portion(column, after=last, size=portion):
        last = rows[-1][0]
        changes = _changes(column, rows, first, progress)
        if changes.keys and not dry_run:
            _write(column, changes)
        progress.changed += len(changes.keys)
        progress.seen += len(rows)
        yield progress


def _changes(column: Column, rows: Sequence[tuple[Any, ...]], first: Fernet, progress: Progress) -> _Changes:
    changes = _Changes()
    for key, token, stored in rows:
        try:
            text, is_under_first = _read(token, first)
        except InvalidToken:
            progress.unreadable += 1
            continue
        wanted = column.make_hash(text) if column.make_hash is not None else stored
        # A column may hold one of two kinds, and a child with both numbers keeps the kind that it has.
        if (wanted or "").startswith(STAND_IN) != (stored or "").startswith(STAND_IN):
            wanted = stored
        if is_under_first and stored == wanted:
            continue
        changes.keys.append(str(key))
        changes.old.append(token)
        changes.new.append(token if is_under_first else first.encrypt(text.encode()).decode())
        changes.hashes.append(wanted)
    return changes


def _read(token: str, first: Fernet) -> tuple[str, bool]:
    """The text, and whether the first key reads it. Raises `InvalidToken`."""
    try:
        return first.decrypt(token.encode()).decode(), True
    except InvalidToken:
        return decrypt(token), False


def _portion(column: Column, *, after: Any, size: int) -> list[tuple[Any, ...]]:
    """The next rows in the order of their keys: key, token as stored, hash as stored."""
    more = sql.SQL("AND {key} > %s") if after is not None else sql.SQL("")
    statement = _SELECT.format(more=more.format(**_names(column)), **_names(column))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*([after] if after is not None else []), size])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _write(column: Column, changes: _Changes) -> None:
    """One statement, so one short transaction. A row that somebody has rewritten meanwhile is under the new keys."""
    assert column.model._meta.pk is not None
    kind = sql.SQL(str(column.model._meta.pk.rel_db_type(connection)))
    hashed = sql.SQL(", {hash} = v.hash") if column.hash_name else sql.SQL("")
    statement = _UPDATE.format(kind=kind, hashed=hashed.format(**_names(column)), **_names(column))
    with connection.cursor() as cursor:
        cursor.execute(statement, [changes.keys, changes.old, changes.new, changes.hashes])


def _names(column: Column) -> dict[str, sql.Composable]:
    meta = column.model._meta
    assert meta.pk is not None
    return {
        "table": sql.Identifier(meta.db_table),
        "key": sql.Identifier(meta.pk.column),
        "name": sql.Identifier(column.name),
        "hash": sql.Identifier(column.hash_name) if column.hash_name else sql.SQL("NULL::text"),
    }


_SELECT: Final = sql.SQL(
    "SELECT {key}, {name}, {hash} FROM {table} WHERE {name} <> '' {more} ORDER BY {key} LIMIT %s"
)
_UPDATE: Final = sql.SQL(
    "UPDATE {table} t SET {name} = v.new{hashed}"
    " FROM unnest(%s::{kind}[], %s::text[], %s::text[], %s::text[]) AS v(key, old, new, hash)"
    " WHERE t.{key} = v.key AND t.{name} = v.old"
)
