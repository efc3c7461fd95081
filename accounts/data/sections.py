"""What a copy of one's own data consists of, table by table, and how a row is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Model, QuerySet

from accounts.models import User


@dataclass(frozen=True)
class Section:
    """The rows of one model that are about a person.

    Of `people`, keys to other users, only the role is told; `files` are put beside the JSON. `left_out` says why a
    column is not told. `hide` names columns that are not told of a particular row.
    """

    name: str
    model: type[Model]
    rows: Callable[[User], "QuerySet[Any]"]
    fields: tuple[str, ...]
    people: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    hide: Callable[[User, Any], tuple[str, ...]] = lambda _user, _row: ()


def written(section: Section, row: Any, *, reader: User) -> dict[str, Any]:
    """One row as JSON can hold it."""
    hidden = section.hide(reader, row)
    values: dict[str, Any] = {name: _plain(row, name) for name in section.fields if name not in hidden}
    for name in section.people:
        values[name] = _who(getattr(row, name), reader=reader)
    for name in section.files:
        stored = getattr(row, name)
        values[name] = path_of(section, row, name) if stored and name not in hidden else ""
    return values


def path_of(section: Section, row: Any, name: str) -> str:
    """Where the file of a row lies in the copy."""
    ending = getattr(row, name).name.rpartition(".")[2]
    return f"files/{section.name}-{row.pk}.{ending}"


def _plain(row: Any, name: str) -> Any:
    value = getattr(row, name)
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return str(getattr(value, "as_e164", value))


def _who(person: User | None, *, reader: User) -> str:
    """Whose act it was, without saying who it is."""
    if person is None:
        return "portal"
    if person == reader:
        return "me"
    return "employee" if person.is_staff else "other guardian"
