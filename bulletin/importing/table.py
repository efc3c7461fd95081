"""A file as a table: its headings are known columns, its rows hold values and faults."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

from bulletin.importing import delimited, workbook
from bulletin.importing.columns import UNCOMPUTED, Column, Row, by_name, printable, read_row, tidy
from bulletin.importing.delimited import Cells
from bulletin.importing.problems import Fault, Problem, Unreadable
from bulletin.sorting import fold

MOST_ROWS: Final = 300_000
MOST_BYTES: Final = 200 * 1024 * 1024


@dataclass
class Table:
    """What a file holds. `notes` are worth saying; `present` are the columns that it has, in its order."""

    present: list[Column]
    notes: list[Fault]
    rows: Iterator[Row]


def read_table(file: BinaryIO, columns: Sequence[Column]) -> Table:
    """The table that stands in a CSV file or a workbook; its rows are read as they are asked for.

    The headings stand in one of the first rows, in any order, by plain name or in any language of the portal. Raises
    `Unreadable`, also while the rows are read: where the file is no table, lacks a required column, or goes beyond the
    bounds. The file must allow seeking and stay open.
    """
    names = {name: column for column in columns for name in column.names()}

    def recognise(cells: list[str]) -> int:
        return len({names[fold(cell)].name for cell in cells if fold(cell) in names})

    rows, notes = _open(file, recognise)
    heading, rows = _heading(rows, recognise)
    found = [names.get(fold(cell)) for cell in heading]
    _demand_headings(heading, found, columns)
    unknown = [cell for cell, column in zip(heading, found, strict=True) if cell and column is None]
    if unknown:
        notes.append(Fault(Problem.UNKNOWN_COLUMNS, values={"columns": printable(", ".join(unknown)[:300])}))
    present = [column for column in found if column is not None]
    return Table(present, notes, _read(rows, heading, found, by_name(present)))


def _open(file: BinaryIO, recognise: delimited.Recognise) -> tuple[Iterator[Cells], list[Fault]]:
    file.seek(0, 2)
    if file.tell() > MOST_BYTES:
        raise Unreadable(Problem.TOO_LARGE, megabytes=MOST_BYTES // 1024 // 1024)
    file.seek(0)
    start = file.read(8)
    if start.startswith(workbook.OLD_SIGNATURE):
        raise Unreadable(Problem.OLD_EXCEL)
    if start.startswith(workbook.SIGNATURE):
        book = workbook.open_workbook(file)
        values = {"read": printable(book.read), "others": printable(", ".join(book.others)[:300])}
        return book.rows, [Fault(Problem.MORE_SHEETS, values=values)] if book.others else []
    if start.startswith(
        (b"%PDF", b"PK", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf", b"<html", b"<!DOCT", b"<?xml")
    ):
        raise Unreadable(Problem.NO_TABLE)
    encoding = delimited.encoding_of(file)
    notes = [Fault(Problem.OLD_ENCODING)] if delimited.is_old(encoding) else []
    return delimited.rows_of(file, encoding, recognise=recognise), notes


def _heading(rows: Iterator[Cells], recognise: delimited.Recognise) -> tuple[list[str], Iterator[Cells]]:
    """The row that names most columns, of the first ones, and the rows behind it."""
    top: list[Cells] = []
    best = -1
    for line, cells in rows:
        top.append((line, cells))
        if best < 0 or recognise(cells) > recognise(top[best][1]):
            best = len(top) - 1
        # A title has one cell or two; a heading that knows most of its own cells needs no search.
        if len(top) >= delimited.TOP or 2 * recognise(cells) > sum(1 for cell in cells if cell.strip()):
            break
    if best < 0:
        raise Unreadable(Problem.NO_ROWS)
    return [tidy(cell) for cell in top[best][1]], chain(top[best + 1 :], rows)


def _demand_headings(heading: list[str], found: list[Column | None], columns: Sequence[Column]) -> None:
    known = [column.name for column in found if column is not None]
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise Unreadable(Problem.HEADING_TWICE, columns=", ".join(twice))
    if missing := [column.name for column in columns if column.required and column.name not in known]:
        raise Unreadable(Problem.HEADING_LACKS, columns=", ".join(missing))


def _read(
    rows: Iterator[Cells],
    heading: list[str],
    found: list[Column | None],
    columns: dict[str, Column],
) -> Iterator[Row]:
    for count, (line, raw) in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise Unreadable(Problem.TOO_MANY_ROWS, most=MOST_ROWS)
        cells = [cell if cell == UNCOMPUTED else tidy(cell) for cell in raw]
        if not any(cells):
            continue
        known = {
            column.name: cells[at] if at < len(cells) else ""
            for at, column in enumerate(found)
            if column is not None
        }
        row = read_row(line, known, columns)
        if any(cell for at, cell in enumerate(cells) if not (at < len(heading) and heading[at])):
            row.faults.append(row.fault("", Problem.EXTRA_CELLS))
        yield row
