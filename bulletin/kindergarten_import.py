"""Kindergartens from a CSV file: one row each, identified by `slug`; good rows are imported, bad ones reported."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from bulletin.models import Kindergarten, Locality

REQUIRED = ("slug", "name_kk", "name_ru", "locality", "ownership", "type", "address_kk", "address_ru")
OPTIONAL = ("phone", "head")
MODEL_FIELDS = tuple(name for name in (*REQUIRED, *OPTIONAL) if name != "locality")


_IMPORT_LOCK = 0x696D706F


class BadFileError(Exception):
    """The file as a whole can't be read; the message says why."""


@dataclass
class BadRow:
    line: int
    reason: str


@dataclass
class Import:
    """What an import did, or would do: the kindergartens' slugs by outcome, and the rows left out."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def import_kindergartens(lines: Iterable[str], *, dry_run: bool = False) -> Import:
    """Add or change one kindergarten per row; `locality` is a locality's slug. Empty optional cells empty the field.

    Everything is written in one transaction; a bad row is left out, and its kindergarten stays as it was. Importing
    the same file again changes nothing. One at a time: two would add the same kindergartens. Raises `BadFileError` when
    the heading lacks a column, the text is not CSV, or another import is at work.
    """
    places = {place.slug: place for place in Locality.objects.all()}
    result = Import()
    seen: set[str] = set()
    with transaction.atomic():
        _be_alone()
        for line, row in _rows(lines):
            try:
                if None in row:
                    raise ValidationError("more cells than columns in the heading")
                kindergarten = _kindergarten(row, places=places, seen=seen)
            except ValidationError as error:
                result.bad.append(BadRow(line, _reason(error)))
                continue
            seen.add(kindergarten.slug)
            _store(kindergarten, result=result)
        transaction.set_rollback(dry_run)
    return result


def _be_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_IMPORT_LOCK])
        if not cursor.fetchone()[0]:
            raise BadFileError("another import is at work; try again when it has ended")


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with the number of the line on which each ends. Comma or semicolon separates, as the heading shows."""
    lines = iter(lines)
    heading = next(lines, "")
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    try:
        columns = [cell.strip() for cell in next(csv.reader([heading], delimiter=delimiter), [])]
    except csv.Error as error:
        raise BadFileError(f"line 1: {error}") from error
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise BadFileError(f"the heading lacks these columns: {', '.join(missing)}")
    reader = csv.DictReader(lines, fieldnames=columns, delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise BadFileError(f"line {reader.reader.line_num + 1}: {error}") from error
        if row is None:
            return
        yield reader.line_num + 1, row


def _kindergarten(
    row: Mapping[str, str | None], *, places: Mapping[str, Locality], seen: set[str]
) -> Kindergarten:
    """The kindergarten that a row describes, changed or new, not saved. Raises ValidationError."""
    cells = {name: (row.get(name) or "").strip() for name in (*REQUIRED, *OPTIONAL)}
    if any("\0" in cell for cell in cells.values()):
        raise ValidationError("holds a NUL character")
    if cells["slug"] in seen:
        raise ValidationError({"slug": "is in an earlier row already"})
    if cells["locality"] not in places:
        raise ValidationError({"locality": f"there is no locality {cells['locality']!r}"})
    known = Kindergarten.objects.filter(slug=cells["slug"]).first()
    kindergarten = known or Kindergarten()
    kindergarten.locality = places[cells["locality"]]
    for name in MODEL_FIELDS:
        setattr(kindergarten, name, cells[name])
    kindergarten.full_clean()
    return kindergarten


def _store(kindergarten: Kindergarten, *, result: Import) -> None:
    if kindergarten.pk is None:
        kindergarten.save()
        result.added.append(kindergarten.slug)
    elif _differs(kindergarten):
        kindergarten.save()
        result.changed.append(kindergarten.slug)
    else:
        result.unchanged.append(kindergarten.slug)


def _differs(kindergarten: Kindergarten) -> bool:
    stored = Kindergarten.objects.get(pk=kindergarten.pk)
    return any(getattr(stored, name) != getattr(kindergarten, name) for name in ("locality", *MODEL_FIELDS))


def _reason(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return "; ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
