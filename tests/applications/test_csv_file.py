"""Files of public lists: no spreadsheet finds a formula in them, however it cuts them into cells."""

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from applications.csv_file import lines, safe_cell

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+7701", "-1", "@SUM(A1)", "\tx", "\rx", " =cmd|' /C calc'!A0", "\u00a0=1", "＝1", "\n=1"],
)
def test_no_cell_is_a_formula(text):
    assert safe_cell(text).startswith(f"'{text[0]}")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a; \u00a0\u200b\ufeff=1;-1", "a;' \u00a0\u200b\ufeff=1;'-1"),
        ('a";@SUM(A1)', "a\";'@SUM(A1)"),
        ('a;"=1', "a;'\"=1"),
        ("a\n=1\r\n+1\t-1|@x", "a\n'=1\r\n'+1\t'-1|'@x"),
        ("\n=1", "'\n'=1"),
        ("\u202f\u3000\u2009=1", "'\u202f\u3000\u2009=1"),
        ("\u2060\u00ad\u200f＝1", "'\u2060\u00ad\u200f＝1"),
        ("\u2800\u3164\ufe0f＋1", "'\u2800\u3164\ufe0f＋1"),
        ("а; б; в", "а; б; в"),
        ("2019-2020; а-б", "2019-2020; а-б"),
    ],
)
def test_nor_a_part_of_one_that_some_spreadsheet_cuts_off(text, safe):
    assert safe_cell(text) == safe


@given(
    st.lists(
        st.lists(st.text(' ;=+-@"\n\r\t,|a\u00a0\u200b＝', max_size=8), min_size=2, max_size=2), max_size=3
    ),
    st.sampled_from(",;\t|"),
)
def test_however_a_file_is_cut(rows, delimiter):
    """Read by any separator, with quotes and without, no piece begins like a formula."""
    body = "".join(lines(heading=["a", "b"], rows=rows)).removeprefix("\ufeff")
    pieces = [
        piece for row in csv.reader(io.StringIO(body, newline=""), delimiter=delimiter) for piece in row
    ]
    if delimiter != ",":
        pieces += re.split(f"[{delimiter}\r\n]", body)
    for piece in pieces:
        assert not piece.strip("\u200b\u00a0 ").startswith(tuple("=+-@＝"))


def test_one_function_writes_every_file():
    """A second writer of CSV would forget what this one knows."""
    own = ("accounts", "applications", "balabaqsha", "bulletin", "children", "notifications")
    writers = {
        str(path.relative_to(ROOT))
        for app in own
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"csv\.(writer|DictWriter)|text/csv", path.read_text())
    }
    # A template holds our own words alone, and a made-up queue is there to be read again; the pages name a type.
    own_words = {
        "bulletin/importing/templates.py",
        "applications/admin/city.py",
        "balabaqsha/demo/former_file.py",
        "balabaqsha/demo/former_queue.py",
        "balabaqsha/demo/views.py",
        "balabaqsha/open_data/openapi.py",
        "balabaqsha/open_data/views.py",
    }
    assert writers == {"applications/csv_file.py", *own_words}


@pytest.mark.parametrize("value", ["19-000417", "Түркістан қ.", "<5", "", 7, None, "a=b"])
def test_plain_cells_stay(value):
    assert safe_cell(value) == ("" if value is None else str(value))


def test_quotes_and_line_breaks_stay_in_their_cell():
    body = "".join(lines(heading=["a"], rows=[['x"y\nz,']]))
    assert list(csv.reader(io.StringIO(body.removeprefix("\ufeff")))) == [["a"], ['x"y\nz,']]
