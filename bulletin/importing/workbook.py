"""Workbooks of Excel (.xlsx): the rows of the first visible sheet, as text, in bounded memory. Pure.

Rows are streamed, so a sheet of any length takes the same memory; the table of shared texts is bounded by its size.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, Final
from zlib import error as ZlibError  # noqa: N812 - an exception

from bulletin.importing.columns import UNCOMPUTED
from bulletin.importing.delimited import Cells
from bulletin.importing.problems import Problem, Unreadable

SIGNATURE: Final = b"PK\x03\x04"
# What an old .xls and any workbook with a password begins with.
OLD_SIGNATURE: Final = b"\xd0\xcf\x11\xe0"
# Unpacked: 200,000 rows of twelve long columns take some 150 MB of XML.
MOST_UNPACKED: Final = 500 * 1024 * 1024
MOST_SHARED: Final = 128 * 1024 * 1024
MOST_PARTS: Final = 2_000
MOST_CELLS: Final = 200
_SHARED: Final = "xl/sharedstrings.xml"
_MIDNIGHT: Final = time()
# How a sheet writes signs that XML can't hold, a carriage return for one; the library leaves them as they stand.
_UNSEEN: Final = re.compile("_x([0-9A-Fa-f]{4})_")


@dataclass
class Workbook:
    """The first visible sheet: its name, those of the other visible ones, and its rows that are not empty."""

    read: str
    others: list[str]
    rows: Iterator[Cells]


def open_workbook(file: BinaryIO) -> Workbook:
    """Raises `Unreadable`; so does reading the rows. The file must stay open meanwhile."""
    _demand_bounds(file)
    # Loaded here, so that processes that read no workbook do without it.
    from openpyxl import load_workbook

    def load(*, formulas: bool) -> Any:
        file.seek(0)
        book = load_workbook(file, read_only=True, data_only=not formulas, keep_links=False)
        return [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]

    with _Damaged():
        sheets = load(formulas=False)
        if not sheets:
            raise Unreadable(Problem.NO_SHEET)
        formulas = load(formulas=True)[0] if _has_formulas(sheets[0]) else None
    return Workbook(
        sheets[0].title, [sheet.title for sheet in sheets[1:]], _rows(sheets[0], formulas=formulas)
    )


def _demand_bounds(file: BinaryIO) -> None:
    with _Damaged(), zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        if "xl/workbook.xml" not in {part.filename.lower() for part in parts}:
            raise Unreadable(Problem.NO_TABLE)
        shared = sum(part.file_size for part in parts if part.filename.lower() == _SHARED)
        unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or shared > MOST_SHARED:
        raise Unreadable(Problem.TOO_LARGE, megabytes=MOST_UNPACKED // 1024 // 1024)


def _has_formulas(sheet: Any) -> bool:
    """Whether a formula stands in the sheet: then what was not computed must be told from what is empty."""
    with sheet._get_source() as source:
        before = b""
        while chunk := source.read(1 << 20):
            if b"<f>" in (both := before + chunk) or b"<f " in both or b"<f/" in both:
                return True
            before = chunk[-2:]
    return False


def _rows(sheet: Any, *, formulas: Any) -> Iterator[Cells]:
    sheet.reset_dimensions()
    with _Damaged():
        found = _plain(sheet) if formulas is None else _beside(sheet, formulas)
        for line, cells in enumerate(found, start=1):
            if any(cells[MOST_CELLS:]):
                raise Unreadable(Problem.TOO_MANY_CELLS, line=line, most=MOST_CELLS)
            if any(cell.strip() for cell in cells):
                yield line, cells[:MOST_CELLS]


def _plain(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows(values_only=True):
        yield [_text(value) for value in row]


def _beside(sheet: Any, formulas: Any) -> Iterator[list[str]]:
    """The values, and a mark where a formula has none."""
    formulas.reset_dimensions()
    for row, beside in zip(sheet.iter_rows(values_only=True), formulas.iter_rows(), strict=True):
        yield [
            UNCOMPUTED if value is None and beside[at].data_type == "f" else _text(value)
            for at, value in enumerate(row)
        ]


def _text(value: Any) -> str:
    """A cell as it would stand in a text file: whole numbers without a point, days without a time."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        # Excel keeps a time as a part of a day, which may be some microseconds off.
        rounded = (value + timedelta(milliseconds=500)).replace(microsecond=0)
        return str(rounded.date()) if rounded.time() == _MIDNIGHT else rounded.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return _UNSEEN.sub(lambda sign: chr(int(sign[1], 16)), str(value))


class _Damaged:
    """Whatever the library says of a workbook that is none is one sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, NotImplementedError) or (
            isinstance(error, RuntimeError) and "password" in str(error)
        ):
            raise Unreadable(Problem.OLD_EXCEL) from error
        known = (Unreadable, MemoryError, GeneratorExit)
        if isinstance(error, (Exception, ZlibError)) and not isinstance(error, known):
            raise Unreadable(Problem.BROKEN) from error
