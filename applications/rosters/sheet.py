"""A table in words, and as a spreadsheet: local dates, and no cell that a program takes for a formula. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from io import BytesIO
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from applications.csv_file import safe_cell

Cell = str | int | date | datetime | None

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DAY, _MINUTE = "dd.mm.yyyy", "dd.mm.yyyy hh:mm"
# Wide enough for a name, and no wider than what still prints on A4.
_NARROWEST, _WIDEST = 8, 40


@dataclass(frozen=True)
class Sheet:
    """What stands in the table, and in sentences above it. Instants are told in `zone`, to the minute."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    zone: tzinfo
    notes: Sequence[str] = ()

    def told(self, cell: Cell) -> str:
        """A cell in words, as the page and the CSV show it."""
        if isinstance(cell, datetime):
            return f"{cell.astimezone(self.zone):%d.%m.%Y %H:%M}"
        if isinstance(cell, date):
            return f"{cell:%d.%m.%Y}"
        return "" if cell is None else str(cell)

    @property
    def in_words(self) -> list[list[str]]:
        return [[self.told(cell) for cell in row] for row in self.rows]

    def xlsx(self) -> bytes:
        """The spreadsheet: dates are dates, a heading repeats on every printed page, an A4 page is wide enough."""
        return workbook([("", self)])

    def write(self, book: Workbook, page: Worksheet) -> None:
        """Write it into a page of a spreadsheet."""
        bold, day, minute = (
            book.add_format(look)
            for look in ({"bold": True, "text_wrap": True}, {"num_format": _DAY}, {"num_format": _MINUTE})
        )
        page.set_paper(9)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.write_string(0, 0, self.title, book.add_format({"bold": True}))
        for line, note in enumerate(self.notes, start=1):
            page.write_string(line, 0, note)
        head = len(self.notes) + 2
        for column, heading in enumerate(self.headings):
            page.write_string(head, column, heading, bold)
            longest = max((len(self.told(row[column])) for row in self.rows), default=0)
            page.set_column(column, column, min(max(longest + 2, _NARROWEST), _WIDEST))
        for number, row in enumerate(self.rows, start=head + 1):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime):
                    naive = cell.astimezone(self.zone).replace(second=0, microsecond=0, tzinfo=None)
                    page.write_datetime(number, column, naive, minute)
                elif isinstance(cell, date):
                    page.write_datetime(number, column, cell, day)
                elif isinstance(cell, int):
                    page.write_number(number, column, cell)
                else:
                    page.write_string(number, column, safe_cell(cell))
        page.repeat_rows(head)
        page.freeze_panes(head + 1, 1)


# What a spreadsheet allows in the name of a page.
_LONGEST_NAME: Final = 31


def workbook(pages: Iterable[tuple[str, Sheet]]) -> bytes:
    """A spreadsheet with a page for each table, under its name; an empty one gets the spreadsheet's own."""
    file = BytesIO()
    # What looks like a formula or an address stays the text that it is.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as book:
        for name, sheet in pages:
            sheet.write(book, book.add_worksheet(name[:_LONGEST_NAME] or None))
    return file.getvalue()
