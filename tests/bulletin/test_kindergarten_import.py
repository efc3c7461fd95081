"""Kindergartens from CSV: good rows are taken, hostile ones are named."""

from io import StringIO
from pathlib import Path

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from bulletin import kindergarten_import
from bulletin.kindergarten_import import REQUIRED, BadFileError, Import, import_kindergartens
from bulletin.models import Kindergarten
from tests.factories import LocalityFactory

pytestmark = pytest.mark.django_db

HEADING = "slug,name_kk,name_ru,locality,ownership,type,address_kk,address_ru,phone,head"
AMINA = (
    "amina,ЖМ «Амина»,ЧУ «Амина»,turkistan,private,nursery,"
    "Уәлиқожа ата 134,ул. Уалихожа ата 134,+77253331234,М. Дүйсенова"
)
BALPAN = "balpan,МКҚК «Балпан»,ГККП «Балпан»,turkistan,state,nursery,Абай 1,ул. Абая 1,,"


@pytest.fixture(autouse=True)
def _turkistan() -> None:
    LocalityFactory.create()


@pytest.fixture
def load(tmp_path: Path):
    """Import a file with these lines; the exit code, what was said, and what was complained of."""

    def run(*lines: str, encoding: str = "utf-8", dry_run: bool = False) -> tuple[int, str, str]:
        file = tmp_path / "kindergartens.csv"
        file.write_bytes("\r\n".join(lines).encode(encoding))
        out, err = StringIO(), StringIO()
        arguments = [str(file), *(["--dry-run"] if dry_run else [])]
        try:
            call_command("import_kindergartens", *arguments, stdout=out, stderr=err)
        except CommandError as error:
            return error.returncode, out.getvalue(), f"{err.getvalue()}{error}"
        return 0, out.getvalue(), err.getvalue()

    return run


def test_good_rows_are_taken(load) -> None:
    code, out, _err = load(HEADING, AMINA, BALPAN)
    assert code == 0
    assert "Added 2, changed 0, unchanged 0, left out 0." in out
    amina = Kindergarten.objects.get(slug="amina")
    assert amina.name_kk == "ЖМ «Амина»"
    assert amina.phone.as_e164 == "+77253331234"
    assert amina.sort_key


def test_the_same_file_again_changes_nothing(load) -> None:
    load(HEADING, AMINA, BALPAN)
    assert "Added 0, changed 0, unchanged 2" in load(HEADING, AMINA, BALPAN)[1]


def test_a_changed_row_changes_its_kindergarten(load) -> None:
    load(HEADING, AMINA, BALPAN)
    assert "Added 0, changed 1, unchanged 1" in load(HEADING, AMINA.replace("134", "135"), BALPAN)[1]
    assert Kindergarten.objects.get(slug="amina").address_kk == "Уәлиқожа ата 135"


def test_dry_run_says_the_same_and_writes_nothing(load) -> None:
    assert "Would be: added 2" in load(HEADING, AMINA, BALPAN, dry_run=True)[1]
    assert not Kindergarten.objects.exists()


def test_a_byte_order_mark_semicolons_quotes_and_blank_lines_are_understood(load) -> None:
    row = 'amina;"ЖМ ""Амина;1""";ЧУ «Амина»;turkistan;private;nursery; Абай 1 ;ул. Абая 1;;'
    code, _out, err = load(HEADING.replace(",", ";"), "", row, "", encoding="utf-8-sig")
    assert (code, err) == (0, "")
    amina = Kindergarten.objects.get()
    assert (amina.name_kk, amina.address_kk) == ('ЖМ "Амина;1"', "Абай 1")


def test_columns_may_stand_in_any_order_and_optional_ones_be_absent(load) -> None:
    columns = HEADING.split(",")[:8]
    cells = AMINA.split(",")[:8]
    assert load(",".join(reversed(columns)), ",".join(reversed(cells)))[0] == 0
    assert Kindergarten.objects.get().phone == ""


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (AMINA.replace("amina", "", 1), "slug"),
        (AMINA.replace("amina", "Әмина ../", 1), "slug"),
        (AMINA.replace("amina", "a" * 81, 1), "slug"),
        (AMINA.replace("ЖМ «Амина»", ""), "name_kk"),
        (AMINA.replace("ЖМ «Амина»", "ә" * 201), "name_kk"),
        (AMINA.replace("ЖМ «Амина»", "a\0b"), "NUL"),
        (AMINA.replace("turkistan", "astana"), "there is no locality 'astana'"),
        (AMINA.replace("private", "mine"), "ownership"),
        (AMINA.replace("nursery", "школа"), "type"),
        (AMINA.replace("+77253331234", "12"), "phone"),
        (AMINA + ",one too many", "more cells"),
        ("amina", "locality"),
        (BALPAN, "earlier row"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_taken(load, row: str, reason: str) -> None:
    code, out, err = load(HEADING, BALPAN, row, BALPAN.replace("balpan", "third", 1))
    assert code == 1
    assert "line 3: " in err
    assert reason in err
    assert "Added 2, changed 0, unchanged 0, left out 1." in out
    assert set(Kindergarten.objects.values_list("slug", flat=True)) == {"balpan", "third"}


def test_a_bad_row_leaves_its_kindergarten_as_it_was(load) -> None:
    load(HEADING, AMINA)
    assert load(HEADING, AMINA.replace("134", "135").replace("private", "mine"))[0] == 1
    assert Kindergarten.objects.get().address_kk == "Уәлиқожа ата 134"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([""], "lacks these columns"),
        (["slug,name_kk"], "lacks these columns: name_ru"),
        ([HEADING, AMINA, 'balpan,"never closed'], "line 3"),
        ([HEADING, "a" * 200_000], "line 2"),
    ],
)
def test_a_file_that_is_not_such_a_table_is_refused_whole(load, lines: list[str], reason: str) -> None:
    code, _out, err = load(*lines)
    assert code == 2
    assert reason in err
    assert not Kindergarten.objects.exists()


def test_another_encoding_is_refused(load) -> None:
    code, _out, err = load(HEADING, "abai,Абай,Абай,turkistan,state,nursery,1,1", encoding="cp1251")
    assert code == 2
    assert "UTF-8" in err


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_kindergartens", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="directory"):
        call_command("import_kindergartens", str(tmp_path))


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_one_and_a_sentence():
    other = psycopg2.connect(**connection.get_connection_params())
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [kindergarten_import._IMPORT_LOCK])
        with pytest.raises(BadFileError, match="another import is at work"):
            import_kindergartens([",".join(REQUIRED)])
        other.rollback()
        assert import_kindergartens([",".join(REQUIRED)]) == Import()
    finally:
        other.close()
