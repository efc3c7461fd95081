"""A table as a file: what a spreadsheet program reads is what was meant."""

import io
import zipfile
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from applications.rosters.sheet import Sheet

ZONE = ZoneInfo("Asia/Almaty")
SIGNED = datetime(2026, 11, 30, 19, 59, 59, 999_999, tzinfo=UTC)
SHEET = Sheet(
    title="Ақбота",
    headings=["Бала", "Туған күні", "Қол қойылды", "Нөмір"],
    rows=[("ӘЛИ; «К»", date(2022, 5, 5), SIGNED, 7), ('=HYPERLINK("http://x")', None, None, None)],
    zone=ZONE,
)


def parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def test_instants_are_local_and_to_the_minute():
    assert SHEET.in_words[0] == ["ӘЛИ; «К»", "05.05.2022", "01.12.2026 00:59", "7"]
    assert SHEET.in_words[1][1:] == ["", "", ""]


def test_xlsx_has_dates_as_dates_and_no_formula():
    book = parts(SHEET.xlsx())
    page, words = book["xl/worksheets/sheet1.xml"], book["xl/sharedStrings.xml"]
    assert "<f>" not in page
    assert "hyperlink" not in page
    assert "'=HYPERLINK" in words
    # Days since 1900 as spreadsheets count them: 05.05.2022, and 01.12.2026 00:59 without its seconds.
    assert "<v>44686</v>" in page
    assert f"<v>{46357 + 59 / 1440:.10f}"[:16] in page
    assert "dd.mm.yyyy hh:mm" in book["xl/styles.xml"]


def test_an_empty_table_is_a_file_all_the_same():
    empty = Sheet(title="x", headings=["a"], rows=[], zone=ZONE)
    assert empty.in_words == []
    assert parts(empty.xlsx())
