"""Many new rows at once, by COPY: for who writes thousands, where an INSERT would cost several times as much."""

from collections.abc import Callable, Iterable
from datetime import date
from io import StringIO
from itertools import islice
from typing import Any, Final

from django.db import connections
from django.db.models import AutoField, Expression, Field, Model
from psycopg2.extras import Inet, Json

from notifications.fields import EncryptedTextField

# So many become one COPY: enough for the database to be busy, and little memory.
_PORTION: Final = 1000
# What stands for nothing, and what means something else in a line of COPY.
_NOTHING: Final = r"\N"
_ESCAPED: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def copy_rows(rows: Iterable[Model], *, keys: bool = False, using: str = "default") -> None:
    """Write new objects, all of one model and none of them saved, as `bulk_create` would. Reads `rows` as a stream.

    A key that the database counts up is given by it, and is not known afterwards; with `keys` the objects bring it.
    Constraints, triggers and foreign keys hold as ever: raises `django.db.IntegrityError` and its like. In a
    transaction, or earlier portions stay.
    """
    stream = iter(rows)
    while portion := list(islice(stream, _PORTION)):
        _copy(portion, keys=keys, using=using)


def _copy(rows: list[Model], *, keys: bool, using: str) -> None:
    connection, meta = connections[using], rows[0]._meta
    fields = [
        one for one in meta.concrete_fields if not one.generated and (keys or not isinstance(one, AutoField))
    ]
    told = [_teller(field, connection) for field in fields]
    lines = StringIO()
    lines.writelines("\t".join([tell(row) for tell in told]) + "\n" for row in rows)
    lines.seek(0)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN", lines)


def _teller(field: "Field[Any, Any]", connection: Any) -> Callable[[Model], str]:
    """Says what stands in a field of a row, as COPY reads it."""
    value_of, prepare = field.pre_save, field.get_db_prep_save
    # One value often stands in many rows, one behind the other. What is encrypted may never look alike.
    may_repeat = not isinstance(field, EncryptedTextField)
    last, text = None, _NOTHING

    def tell(row: Model) -> str:
        nonlocal last, text
        value = value_of(row, True)
        if value is not last or not may_repeat:
            last, text = value, _NOTHING if value is None else _text(prepare(value, connection))
        return text

    return tell


def _text(value: Any) -> str:
    """A value as the database takes it, in a line of COPY."""
    if isinstance(value, str):
        return value.translate(_ESCAPED)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Json):
        return str(value.dumps(value.adapted)).translate(_ESCAPED)
    if isinstance(value, Inet):
        return str(value.addr)
    if isinstance(value, list):
        return f"{{{','.join(map(_element, value))}}}".translate(_ESCAPED)
    if isinstance(value, Expression):
        raise TypeError("a value that the database would have to work out")
    return _NOTHING if value is None else str(value)


def _element(value: Any) -> str:
    """One value of an array, in quotation marks."""
    inside = str(value).replace("\\", r"\\").replace('"', r"\"")
    return f'"{inside}"'
