"""Public lists as CSV, written row by row and safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from django.http import StreamingHttpResponse

# What a spreadsheet takes for the beginning of a formula; also behind spaces, and in full width.
_FORMULA_MARKS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# Tells a spreadsheet that the file is UTF-8; without it Kazakh letters are garbled.
_BYTE_ORDER_MARK: Final = "\ufeff"


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, value: str) -> str:
        return value


def csv_response(
    *, filename: str, heading: Iterable[object], rows: Iterable[Iterable[object]]
) -> StreamingHttpResponse:
    """An attachment of that name which is produced while it is sent; no more than a row of it is held."""
    response = StreamingHttpResponse(
        lines(heading=heading, rows=rows), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def lines(*, heading: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The lines of a CSV file: comma, double quotes, CRLF, with a byte order mark. Pure."""
    writer = csv.writer(_Echo())
    yield _BYTE_ORDER_MARK + writer.writerow([safe_cell(cell) for cell in heading])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def safe_cell(value: object) -> str:
    """The value as text that no spreadsheet takes for a formula: such text gets an apostrophe in front. Pure."""
    text = "" if value is None else str(value)
    begins = text.lstrip(" \u00a0")[:1]
    return f"'{text}" if begins in _FORMULA_MARKS and begins else text
