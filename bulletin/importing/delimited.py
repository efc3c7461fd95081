"""Text files with separators, as Excel and others write them: which letters, which separator, which rows. Pure."""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import BinaryIO, Final

from bulletin.importing.problems import Problem, Unreadable

# A row of a file: its first line's number, and its cells.
Cells = tuple[int, list[str]]
# How many of the cells of a row are headings that are known.
Recognise = Callable[[list[str]], int]

SEPARATORS: Final = (";", ",", "\t")
# Where the headings are looked for: a title may stand above them.
TOP: Final = 12
_CHUNK: Final = 1 << 20
_WINDOWS: Final = "cp1251"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(file: BinaryIO) -> str:
    """In which encoding the text is: told by its mark, else tried. Leaves the file at its beginning.

    Raises `Unreadable`. Windows-1251 (`is_old`) is what is left once UTF-8 does not fit; its Kazakh relatives can't be
    told from it, so letters that neither Kazakh nor Russian has are refused.
    """
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return _demand(file, name)
    if start[1:2] == b"\0":
        return _demand(file, "utf-16-le")
    if start[:1] == b"\0":
        return _demand(file, "utf-16-be")
    if _fits(file, "utf-8"):
        return "utf-8"
    return _demand(file, _WINDOWS)


def is_old(encoding: str) -> bool:
    """Whether the encoding has no Kazakh letters."""
    return encoding == _WINDOWS


def _demand(file: BinaryIO, encoding: str) -> str:
    if not _fits(file, encoding):
        raise Unreadable(Problem.ENCODING)
    return encoding


def _fits(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    foreign = set("ЂЃѓЉЊЌЋЏђљњќћџЎўЈҐЄЇґєјЅѕї") if is_old(encoding) else set()
    try:
        while chunk := file.read(_CHUNK):
            if foreign and not foreign.isdisjoint(decoder.decode(chunk)):
                return False
            elif not foreign:
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def rows_of(file: BinaryIO, encoding: str, *, recognise: Recognise) -> Iterator[Cells]:
    """The rows that are not empty, from the first one on, with the separator that makes most sense of the headings.

    A first line `sep=;` says which it is. Raises `Unreadable` where it comes to what is no row.
    """
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield from _separated(text, recognise)
    finally:
        # The file stays open, or is closed already: it is the caller's.
        with suppress(ValueError):
            text.detach()


def _separated(text: io.TextIOWrapper, recognise: Recognise) -> Iterator[Cells]:
    top = list(islice(_bounded(text), TOP))
    skipped = 0
    if top and top[0].strip().lower().startswith("sep=") and len(top[0].strip()) == 5:
        separator, skipped = top[0].strip()[4], 1
    elif top and top[0].strip("\r\n").lower() == "sep=\t":
        separator, skipped = "\t", 1
    else:
        separator = max(SEPARATORS, key=lambda one: _sense(top, one, recognise))
    yield from _rows(chain(top[skipped:], _bounded(text)), separator, first=skipped + 1)


def _sense(top: list[str], separator: str, recognise: Recognise) -> tuple[int, int]:
    """How much sense a separator makes: known headings at best in a row, and how often it stands in the first lines."""
    best = 0
    for line in top:
        try:
            best = max(best, recognise(next(csv.reader([line], delimiter=separator), [])))
        except csv.Error:
            continue
    return best, sum(line.count(separator) for line in top)


def _rows(lines: Iterable[str], separator: str, *, first: int) -> Iterator[Cells]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = first + reader.line_num
        try:
            cells = next(reader, None)
        except csv.Error as error:
            is_long = "field larger" in str(error)
            raise Unreadable(Problem.LONG_CELL if is_long else Problem.QUOTE, line=line) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a text, a very long one in parts, which the reader of rows then refuses."""
    while line := text.readline(2 * csv.field_size_limit()):
        yield line
