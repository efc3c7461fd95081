"""Files as Excel in Kazakh and Russian really writes them, and files that are none."""

import datetime as dt
import io
import json
import zipfile
from random import Random

import pytest
import xlsxwriter
from django.core.management import get_commands
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from bulletin.importing import workbook
from bulletin.importing.columns import (
    Choice,
    Column,
    Day,
    Degrees,
    Email,
    Iin,
    Moment,
    Phone,
    Several,
    Slug,
    Text,
    Whole,
    by_name,
    read_row,
    tidy,
)
from bulletin.importing.problems import BROUGHT_BY, SENTENCES, Fault, Problem, Unreadable
from bulletin.importing.table import read_table
from bulletin.models import LATITUDES
from tests.factories import nth_iin


class Colour(TextChoices):
    STATE = "state", _("state kindergarten")
    PRIVATE = "private", _("private kindergarten")


COLUMNS = (
    Column("slug", _("address on the site"), Slug(50), "amina"),
    Column("name_kk", _("name in Kazakh"), Text(50), "Амина"),
    Column("ownership", _("ownership"), Choice(Colour), "state", required=False),
    Column("phone", _("phone"), Phone(), "+7 701 777 98 76", required=False),
)
ROWS = [["slug", "name_kk", "ownership", "phone"], ["amina", "Әміна «Құлыншақ»", "private", "87017779876"]]


def text(rows, separator=";", newline="\r\n"):
    return newline.join(separator.join(cells) for cells in rows)


def read(data, columns=COLUMNS):
    table = read_table(io.BytesIO(data), columns)
    return table, list(table.rows)


def problems(rows):
    return [(fault.line, fault.column, fault.problem) for row in rows for fault in row.faults]


def book(rows, **sheets):
    made = Workbook()
    made.active.title = "Тізім"
    for row in rows:
        made.active.append(row)
    for name, state in sheets.items():
        made.create_sheet(name).sheet_state = state
    return saved(made)


def saved(made):
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_every_way_of_writing_the_same_table(encoding, separator, newline):
    table, (row,) = read(text(ROWS, separator, newline).encode(encoding))
    assert table.notes == []
    assert row.values == {
        "slug": "amina",
        "name_kk": "Әміна «Құлыншақ»",
        "ownership": "private",
        "phone": "+77017779876",
    }
    assert row.line == 2


@pytest.mark.parametrize("separator", [";", ",", "|", "\t"])
def test_a_line_that_names_the_separator(separator):
    _table, (row,) = read(f"sep={separator}\r\n{text(ROWS, separator)}".encode())
    assert (row.line, row.values["slug"]) == (3, "amina")


def test_windows_1251_is_read_and_said():
    data = text([ROWS[0], ["amina", "Амина", "state", ""], ["b", "Балаба?ша", "", ""]]).encode("cp1251")
    table, rows = read(data)
    assert [note.problem for note in table.notes] == [Problem.OLD_ENCODING]
    assert rows[0].values["name_kk"] == "Амина"
    assert problems(rows) == [(3, "name_kk", Problem.LOST_LETTERS)]


@pytest.mark.parametrize(
    "data", [b"\x98a", "slug;name_kk\na;Қазақ".encode("kz1048"), b"\xff\xfe\x00\xd8\x00"]
)
def test_letters_that_can_not_be_told_are_not_guessed(data):
    with pytest.raises(Unreadable) as refused:
        read(data)
    assert refused.value.fault.problem is Problem.ENCODING


@pytest.mark.parametrize(
    "heading",
    [
        ["SLUG", " Name_KK "],
        *([column.heading_in(language).upper() for column in COLUMNS[:2]] for language in ("kk", "ru", "en")),
    ],
)
def test_headings_in_any_language_and_spelling(heading):
    _table, (row,) = read(text([heading, ["a", "Әли"]]).encode())
    assert row.values == {"slug": "a", "name_kk": "Әли"}


def test_a_title_above_the_headings_and_empty_rows_between():
    data = text([["Балабақшалар тізімі", "", "", ""], [""] * 4, *ROWS, [""] * 4, [" ", "", "", ""]])
    _table, (row,) = read(data.encode())
    assert row.line == 4


def test_columns_that_nobody_knows_are_named_and_ignored():
    table, (row,) = read(b"slug;name_kk;colour\na;B;red")
    assert row.values == {"slug": "a", "name_kk": "B"}
    assert [(note.problem, note.values["columns"]) for note in table.notes] == [
        (Problem.UNKNOWN_COLUMNS, "colour")
    ]


@pytest.mark.parametrize("rows", [b"slug;name_kk;;\na;B;;", b"slug;name_kk\na;B;;;"])
def test_empty_cells_to_the_right_are_no_cells(rows):
    assert problems(read(rows)[1]) == []


@pytest.mark.parametrize("rows", [b"slug;name_kk;;\na;B;C;", b"slug;name_kk\na;B;;C"])
def test_cells_without_a_heading_are_said(rows):
    assert problems(read(rows)[1]) == [(2, "", Problem.EXTRA_CELLS)]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", Problem.NO_ROWS),
        (b"\xef\xbb\xbf", Problem.NO_ROWS),
        (b";;;\r\n;;", Problem.NO_ROWS),
        (b"slug;ownership\na;state", Problem.HEADING_LACKS),
        (b"slug;name_kk;SLUG\na;b;c", Problem.HEADING_TWICE),
        (b'slug;name_kk\na;"b\nc;d', Problem.QUOTE),
        (b'slug;name_kk\na;"b" c', Problem.QUOTE),
        (b"slug;name_kk\n" + b"a" * 200_000, Problem.LONG_CELL),
        (b"%PDF-1.7", Problem.NO_TABLE),
        (b"PK\x03\x04 and nothing", Problem.BROKEN),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Problem.OLD_EXCEL),
    ],
)
def test_a_file_that_is_no_table(data, problem):
    with pytest.raises(Unreadable) as refused:
        read(data)
    assert refused.value.fault.problem is problem


def test_a_quotation_mark_inside_of_a_cell_is_a_letter():
    _table, (row,) = read('slug;name_kk\na;ЖМ "Амина" бақшасы'.encode())
    assert row.values["name_kk"] == 'ЖМ "Амина" бақшасы'


# --- workbooks ---------------------------------------------------------------------------------------------------


def test_a_workbook_is_read_as_a_table():
    _table, (row,) = read(book([*ROWS, [None, None]]))
    assert row.values["name_kk"] == "Әміна «Құлыншақ»"


def test_numbers_and_dates_of_a_workbook_are_what_they_look_like():
    columns = (
        Column("slug", _("slug"), Slug(20), ""),
        Column("phone", _("phone"), Phone(), ""),
        Column("day", _("date"), Day(), ""),
        Column("at", _("time"), Moment(), ""),
    )
    rows = [
        ["slug", "phone", "day", "at"],
        [12, 77017779876, dt.date(2019, 6, 26), dt.datetime.fromisoformat("2019-06-26T10:30")],
        [12.0, "8 701 777 98 76", 43642, 43642.4375],
    ]
    _table, found = read(book(rows), columns)
    for row in found:
        assert row.values == {
            "slug": "12",
            "phone": "+77017779876",
            "day": dt.date(2019, 6, 26),
            "at": dt.datetime.fromisoformat("2019-06-26T10:30"),
        }


def test_the_first_visible_sheet_is_read_and_the_others_are_named():
    made = Workbook()
    made.active.sheet_state = "hidden"
    for name in ("Бірінші", "Екінші"):
        sheet = made.create_sheet(name)
        sheet.append(["slug", "name_kk"])
        sheet.append(["a", name])
    table, (row,) = read(saved(made))
    assert row.values["name_kk"] == "Бірінші"
    assert [(note.problem, note.values) for note in table.notes] == [
        (Problem.MORE_SHEETS, {"read": "Бірінші", "others": "Екінші"})
    ]


def test_signs_that_a_sheet_writes_by_their_number_are_those_signs():
    """A line break pasted from Windows is none of a name's letters; another unseen sign is said."""
    _table, (broken, unseen) = read(
        book([["slug", "name_kk"], ["a", "Амина_x000D_\nҚұлыншақ"], ["b", "Ами_x0001_на"]])
    )
    assert broken.values["name_kk"] == "Амина Құлыншақ"
    assert [(fault.column, fault.problem) for fault in unseen.faults] == [("name_kk", Problem.CONTROL)]


def test_formulas_have_their_results_and_what_was_never_computed_is_said():
    kept = io.BytesIO()
    made = xlsxwriter.Workbook(kept)
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["slug", "name_kk", "phone"])
    sheet.write_row(1, 0, ["a"])
    sheet.write_formula(1, 1, '="Аб"&"ай"', None, "Абай")
    sheet.write_formula(1, 2, "=A1", None, "")
    sheet.write_row(2, 0, ["b"])
    sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    made.close()
    _table, rows = read(kept.getvalue())
    assert rows[0].values["name_kk"] == "Абай"
    assert (3, "name_kk", Problem.EXCEL_ERROR) in problems(rows)
    by_openpyxl = Workbook()
    by_openpyxl.active.append(["slug", "name_kk"])
    by_openpyxl.active.append(["a", "=A1"])
    assert problems(read(saved(by_openpyxl))[1]) == [(2, "name_kk", Problem.UNCOMPUTED)]


def test_merged_cells_hold_their_value_once():
    made = Workbook()
    for row in (["slug", "name_kk"], ["a", "Абай"], ["b", None]):
        made.active.append(row)
    made.active.merge_cells("B2:B3")
    assert problems(read(saved(made))[1]) == [(3, "name_kk", Problem.EMPTY)]


def _zip(**parts):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (_zip(content=b"x"), Problem.NO_TABLE),
        (_zip(**{"xl/workbook.xml": b"<x/>"}), Problem.BROKEN),
        (_zip(**{"xl/workbook.xml": b"<x/>", "xl/sharedStrings.xml": bytes(130 << 20)}), Problem.TOO_LARGE),
        (_zip(**{"xl/workbook.xml": b"<x/>", **{f"x{i}": b"" for i in range(2001)}}), Problem.TOO_LARGE),
    ],
)
def test_a_zip_that_is_no_workbook_or_a_bomb(data, problem):
    with pytest.raises(Unreadable) as refused:
        read(data)
    assert refused.value.fault.problem is problem


def test_a_sheet_that_is_far_too_wide_or_long(monkeypatch):
    with pytest.raises(Unreadable) as refused:
        read(book([["slug", "name_kk", *[""] * 300, "x"]]))
    assert refused.value.fault.problem is Problem.TOO_MANY_CELLS
    monkeypatch.setattr("bulletin.importing.table.MOST_ROWS", 2)
    with pytest.raises(Unreadable) as refused:
        read(b"slug;name_kk\na;b\nc;d\ne;f")
    assert refused.value.fault.problem is Problem.TOO_MANY_ROWS
    monkeypatch.setattr("bulletin.importing.table.MOST_BYTES", 10)
    with pytest.raises(Unreadable) as refused:
        read(b"slug;name_kk\na;b")
    assert refused.value.fault.problem is Problem.TOO_LARGE


def test_a_hidden_workbook_has_nothing_to_read():
    made = Workbook()
    made.create_sheet("x").sheet_state = "hidden"
    data = saved(made)
    rewritten = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(rewritten, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/workbook.xml":
                content = content.replace(b'state="visible"', b'state="veryHidden"')
            new.writestr(name, content)
    with pytest.raises(Unreadable) as refused:
        read(rewritten.getvalue())
    assert refused.value.fault.problem is Problem.NO_SHEET


@given(st.binary(max_size=300))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_a_file_holds_it_is_rows_or_a_sentence(data):
    _rows_or_a_sentence(data)


@given(st.randoms(use_true_random=False), st.integers(1, 40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_happened_to_a_workbook_it_is_rows_or_a_sentence(random: Random, count: int):
    data = bytearray(_WHOLE)
    for _turn in range(count):
        data[random.randrange(len(data))] = random.randrange(256)
    _rows_or_a_sentence(bytes(data[: random.randrange(len(data) // 2, len(data) + 1)]))


_WHOLE = book(ROWS)


def _rows_or_a_sentence(data):
    try:
        _table, rows = read(data)
        faults = [fault for row in rows for fault in row.faults]
    except Unreadable as refused:
        faults = [refused.fault]
    assert all(fault.sentence and fault.remedy for fault in faults)


# --- cells -------------------------------------------------------------------------------------------------------


def outcome(takes, cell, **options):
    column = Column("x", "x", takes, "", **options)
    row = read_row(7, {"x": cell}, by_name([column]))
    return row.faults[0].problem if row.faults else row.values["x"]


SOMEBODY = nth_iin(7)


@pytest.mark.parametrize(
    ("takes", "cell", "expected"),
    [
        (Day(), "26.06.2019", dt.date(2019, 6, 26)),
        (Day(), "2019-06-26", dt.date(2019, 6, 26)),
        (Day(), "26/06/2019", dt.date(2019, 6, 26)),
        (Day(), "43642", dt.date(2019, 6, 26)),
        (Degrees(*LATITUDES), "68.25", Problem.NOT_DEGREES),
        (Degrees(*LATITUDES), "43°18", Problem.NOT_DEGREES),
        (Degrees(*LATITUDES), "4.33E+1", Problem.NOT_DEGREES),
        (Degrees(*LATITUDES), "nan", Problem.NOT_DEGREES),
        (Day(), "06.26.2019", Problem.NOT_DAY),
        (Day(), "30.02.2019", Problem.NOT_DAY),
        (Day(), "2119-06-26", Problem.NOT_DAY),
        (Day(), "26.06.19", Problem.NOT_DAY),
        (Day(), "вчера", Problem.NOT_DAY),
        (Day(last=dt.date(2020, 1, 1)), "2020-01-02", Problem.NOT_DAY),
        (Moment(), "26.06.2019 9:05", dt.datetime.fromisoformat("2019-06-26T09:05")),
        (Moment(), "26.06.2019", Problem.NOT_MOMENT),
        (Phone(), "77017779876", "+77017779876"),
        (Phone(), "7,7017E+10", Problem.CUT_NUMBER),
        (Phone(), "7.7017E+10", Problem.CUT_NUMBER),
        (Phone(), "12", Problem.NOT_PHONE),
        (Phone(mobile=True), "+77253331234", Problem.NOT_PHONE),
        (Iin(), SOMEBODY, SOMEBODY),
        (Iin(), SOMEBODY[1:], Problem.SHORT_IIN),
        (Iin(), "6,01E+11", Problem.CUT_NUMBER),
        (Iin(), "1" * 12, Problem.NOT_IIN),
        (Iin(), "x", Problem.NOT_IIN),
        (Email(), "a@example.kz", "a@example.kz"),
        (Email(), "a@example", Problem.NOT_EMAIL),
        (Email(), "a@x.kz, b@x.kz", Problem.NOT_EMAIL),
        (Whole(1, 50), "25", 25),
        (Whole(1, 5000), "1\u00a0200", 1200),
        (Whole(1, 50), "0", Problem.NOT_WHOLE),
        (Whole(1, 50), "51", Problem.NOT_WHOLE),
        (Whole(1, 50), "2,5", Problem.NOT_WHOLE),
        (Whole(1, 50), "٢", Problem.NOT_WHOLE),
        (Whole(1, 50), "9" * 5000, Problem.NOT_WHOLE),
        (Choice(Colour), "STATE", "state"),
        (Choice(Colour), "Private kindergarten", "private"),
        (Choice(Colour), "mine", Problem.NOT_ALLOWED),
        (Several(Whole(2010, 2030)), "2019; 2020, 2019", [2019, 2020]),
        (Several(Whole(2010, 2030)), ",", Problem.EMPTY),
        (Several(Whole(2010, 2030)), "2019, x", Problem.NOT_WHOLE),
        (Text(5), "Кім?", Problem.LOST_LETTERS),
        (Text(5), "абвгде", Problem.TOO_LONG),
        (Text(5), "#Н/Д", Problem.EXCEL_ERROR),
        (Text(5), "#n/a", Problem.EXCEL_ERROR),
        (Text(5), "a\0", Problem.CONTROL),
        (Text(5), "a\x07", Problem.CONTROL),
        (Text(5), "", Problem.EMPTY),
    ],
)
def test_what_a_cell_means(takes, cell, expected):
    assert outcome(takes, cell) == expected


def test_an_empty_cell_of_an_optional_column_means_nothing():
    assert outcome(Whole(1, 5), "", required=False, empty=None) is None


def test_the_iin_of_a_fault_is_masked():
    column = Column("iin", "IIN", Iin(), "")
    (fault,) = read_row(2, {"iin": "601123500112"}, by_name([column])).faults
    assert fault.value == "••••••••••12"


def test_letters_that_were_typed_as_two_are_one():
    _table, (row,) = read("slug;name_kk\na;и\u0306од".encode())
    assert row.values["name_kk"] == "йод"


def test_every_problem_has_its_words_and_survives_being_kept():
    assert set(SENTENCES) == set(Problem)
    fault = Fault(Problem.TOO_LONG, 3, "name", "x", {"most": 5})
    assert Fault.of_json(fault.as_json()) == fault


def test_a_workbook_is_bounded_by_what_it_unpacks_to(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 100)
    with pytest.raises(Unreadable) as refused:
        read(_WHOLE)
    assert refused.value.fault.problem is Problem.TOO_LARGE


@pytest.mark.parametrize("name", BROUGHT_BY)
def test_what_brings_it_in_is_a_page_in_the_workplace_and_a_command_in_a_terminal(name):
    fault = Fault(Problem.UNKNOWN, values={"first": name})
    page, command = BROUGHT_BY[name]
    assert command in get_commands()
    assert command in fault.remedy_in_terminal
    for language in ("kk", "ru"):
        with override(language):
            assert (str(page) in fault.remedy, "_" in fault.remedy) == (True, False)


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\ud800"])
def test_a_fault_shows_nothing_that_a_terminal_obeys_or_a_database_refuses(sign):
    row = read_row(2, {"name_kk": tidy(f"Ами{sign}на")}, by_name(COLUMNS))
    [fault] = row.faults
    assert fault.value == "Ами\ufffdна"
    json.dumps(row.cells, ensure_ascii=False).encode()
