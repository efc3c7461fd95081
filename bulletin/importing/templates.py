"""Templates to download: the headings, an example, and what each column takes; as CSV and as a workbook."""

import csv
import io

import xlsxwriter
from django.utils.translation import gettext

from bulletin.importing.columns import Choice, Column, Several
from bulletin.importing.kinds import Kind

CSV, XLSX = "csv", "xlsx"


def template(kind: Kind, ending: str) -> bytes:
    """A file of the kind with its headings in the language of the reader, and one example row to be replaced."""
    return _workbook(kind) if ending == XLSX else _text(kind)


def allowed_words(column: Column) -> list[tuple[str, str]]:
    """The plain names that a column takes, each with its word; none where it takes more than a few.

    What the portal knows of now is among them: localities, categories of benefits.
    """
    if column.known is not None:
        return [(name, str(word)) for name, word in column.known()]
    takes = column.takes.of if isinstance(column.takes, Several) else column.takes
    return [(name, str(word)) for name, word in takes.allowed()] if isinstance(takes, Choice) else []


def _text(kind: Kind) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([column.heading for column in kind.columns])
    writer.writerow([column.example for column in kind.columns])
    # With its mark Excel reads UTF-8 as what it is.
    return text.getvalue().encode("utf-8-sig")


def _workbook(kind: Kind) -> bytes:
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        # As text, so that Excel drops no zero and makes no date of anything.
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet(gettext("Data"))
        sheet.set_column(0, len(kind.columns) - 1, 22, text)
        sheet.freeze_panes(1, 0)
        for at, column in enumerate(kind.columns):
            sheet.write_string(0, at, str(column.heading), bold)
            sheet.write_string(1, at, column.example, text)
            if isinstance(column.takes, Choice):
                allowed = [name for name, _word in allowed_words(column)]
                sheet.data_validation(1, at, 10_000, at, {"validate": "list", "source": allowed})
        _explain(book, kind, bold)
    return kept.getvalue()


def _explain(book: xlsxwriter.Workbook, kind: Kind, bold: object) -> None:
    sheet = book.add_worksheet(gettext("Explanations"))
    sheet.set_column(0, 4, 32)
    headings = (
        gettext("Column"),
        gettext("Plain name"),
        gettext("Required"),
        gettext("Takes"),
        gettext("Allowed values"),
    )
    for at, heading in enumerate(headings):
        sheet.write_string(0, at, heading, bold)
    for line, column in enumerate(kind.columns, start=1):
        allowed = ", ".join(f"{name} – {word}" for name, word in allowed_words(column))
        takes = f"{column.takes.words}. {column.about}" if column.about else str(column.takes.words)
        required = gettext("yes") if column.required else gettext("no")
        for at, cell in enumerate((str(column.heading), column.name, required, takes, allowed)):
            sheet.write_string(line, at, cell)
