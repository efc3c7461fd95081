"""Many new rows at once, by COPY: for who writes thousands, where an INSERT would cost several times as much."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from io import StringIO
from itertools import islice
from typing import Any, Final

from django.db import connections
from django.db.models import NOT_PROVIDED, AutoField, Expression, Field, Model
from psycopg2.extras import Inet, Json

from notifications.fields import EncryptedTextField

# So many become one COPY: enough for the database to be busy, and little memory.
_PORTION: Final = 1000
# What stands for nothing, and what means something else in a line of COPY.
_NOTHING: Final = r"\N"
# Few texts hold one: to look for it takes a tenth of the time of putting others in its place.
_MEANING: Final = re.compile(r"[\\\t\n\r]")
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


def copy_values(
    model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]], *, using: str = "default"
) -> None:
    """The same of bare values in the order of `names` (columns): of a hundred thousand, objects would cost the most.

    A value is taken as the database holds it and checked by nothing else, but for encrypted text, which is encrypted
    here. A field that is not named has its default.
    """
    given = {name: index for index, name in enumerate(names)}
    fields = [
        one
        for one in model._meta.concrete_fields
        if one.attname in given
        or not (one.generated or one.db_default is not NOT_PROVIDED or isinstance(one, AutoField))
    ]
    told = [_value_teller(field, given.get(field.attname)) for field in fields]
    stream = iter(rows)
    while portion := list(islice(stream, _PORTION)):
        _send(model, fields, ("\t".join([tell(row) for tell in told]) for row in portion), using=using)


def _copy(rows: list[Model], *, keys: bool, using: str) -> None:
    connection, meta = connections[using], rows[0]._meta
    fields = [
        one for one in meta.concrete_fields if not one.generated and (keys or not isinstance(one, AutoField))
    ]
    told = [_teller(field, connection) for field in fields]
    _send(type(rows[0]), fields, ("\t".join([tell(row) for tell in told]) for row in rows), using=using)


def _send(
    model: type[Model], fields: "Sequence[Field[Any, Any]]", rows: Iterable[str], *, using: str
) -> None:
    connection = connections[using]
    lines = StringIO()
    lines.writelines(f"{row}\n" for row in rows)
    lines.seek(0)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN", lines)


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


def _value_teller(field: "Field[Any, Any]", index: int | None) -> Callable[[Sequence[Any]], str]:
    """The same for a value at `index` of a row; without one, for the field's default."""
    if index is None:
        return lambda _row: _text(field.get_default())
    if isinstance(field, EncryptedTextField):
        return lambda row: _text(field.get_prep_value(row[index]))
    return lambda row: _text(row[index])


def _text(value: Any) -> str:
    """A value as the database takes it, in a line of COPY."""
    if isinstance(value, str):
        return value.translate(_ESCAPED) if _MEANING.search(value) else value
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
