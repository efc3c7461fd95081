"""Lists as CSV, written row by row and safe to open in a spreadsheet."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from django.http import StreamingHttpResponse

# Characters that may begin a formula, in full width too.
_MARK: Final = "[-=+@\uff1d\uff0b\uff0d\uff20]"
# Invisible characters that may come before it: spaces of every kind, controls, direction marks, fillers; and quotes,
# which a reader may take for those around a cell.
_UNSEEN: Final = (
    r"[\"\s\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
_BEGINS: Final = re.compile(rf"[\t\r\n]|{_UNSEEN}*{_MARK}")
# Where some spreadsheet begins another cell: the Russian Excel ends a cell at a semicolon, whatever the quotes.
_CUT: Final = re.compile(rf"[;|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029](?:(?<=\r)\n)?(?={_UNSEEN}*{_MARK})")
# Tells a spreadsheet that the file is UTF-8; without it Kazakh letters are garbled.
_BYTE_ORDER_MARK: Final = "\ufeff"


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, value: str) -> str:
        return value


def file_name(*parts: str, day: date, ending: str = "csv") -> str:
    """What a file is called: what it holds, of which place and cut, and the day of its figures. Pure.

    Whoever keeps one each month must not overwrite the last one. `parts` are slugs and our own words.
    """
    return f"{'-'.join(parts)}-{day.isoformat()}.{ending}"


def csv_response(
    *, filename: str, heading: Iterable[object], rows: Iterable[Iterable[object]], delimiter: str = ","
) -> StreamingHttpResponse:
    """An attachment of that name, produced while it is sent; only one row is held at a time."""
    response = StreamingHttpResponse(
        lines(heading=heading, rows=rows, delimiter=delimiter), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def lines(
    *, heading: Iterable[object], rows: Iterable[Iterable[object]], delimiter: str = ","
) -> Iterator[str]:
    """The lines of a CSV file: double quotes, CRLF, with a byte order mark. Pure.

    The `delimiter` is a comma, or the semicolon that a spreadsheet in Kazakh or Russian expects.
    """
    writer = csv.writer(_Echo(), delimiter=delimiter)
    yield _BYTE_ORDER_MARK + writer.writerow([safe_cell(cell) for cell in heading])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def safe_cell(value: object) -> str:
    """The value as text in which no spreadsheet finds a formula: each possible start gets an apostrophe. Pure."""
    text = "" if value is None else str(value)
    # Check first: the file of a city has half a million cells, and hardly any of them is changed.
    if _CUT.search(text):
        text = _CUT.sub(r"\g<0>'", text)
    return f"'{text}" if _BEGINS.match(text) else text
