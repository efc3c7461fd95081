"""Kindergartens by file: good rows are taken, bad ones are named, and nothing is lost by what a file leaves out."""

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from bulletin.importing.columns import Slug, Text
from bulletin.importing.kindergartens import Kindergartens
from bulletin.journal_actions import Action
from bulletin.models import ImportBatch, Kindergarten
from tests.factories import GroupFactory, LocalityFactory, VacancyFactory

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

    def run(*lines: str, encoding: str = "utf-8", **options: object) -> tuple[int, str, str]:
        file = tmp_path / "kindergartens.csv"
        file.write_bytes("\r\n".join(lines).encode(encoding))
        out, err = StringIO(), StringIO()
        try:
            call_command("import_kindergartens", str(file), stdout=out, stderr=err, **options)
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


def test_absent_columns_stay_as_they_are_and_empty_cells_empty(load) -> None:
    load(HEADING, AMINA)
    required = ",".join(HEADING.split(",")[:8])
    assert "unchanged 1" in load(required, ",".join(AMINA.split(",")[:8]))[1]
    amina = Kindergarten.objects.get()
    assert (amina.phone.as_e164, amina.head) == ("+77253331234", "М. Дүйсенова")
    assert "changed 1" in load(HEADING, AMINA.replace("М. Дүйсенова", ""))[1]
    assert Kindergarten.objects.get().head == ""


BAD = [
    (AMINA.replace("amina", "", 1), "slug: The cell is empty."),
    (AMINA.replace("amina", "Әмина ../", 1), "slug «Әмина ../»: This can't be an address"),
    (AMINA.replace("amina", "a" * 81, 1), "Too long. The most signs: 80."),
    (AMINA.replace("ЖМ «Амина»", ""), "name_kk: The cell is empty."),
    (AMINA.replace("ЖМ «Амина»", "ә" * 201), "Too long. The most signs: 200."),
    (AMINA.replace("ЖМ «Амина»", "a\0b"), "can't be seen"),
    (AMINA.replace("ЖМ «Амина»", "Балаба?ша"), "name_kk «Балаба?ша»: Letters were lost"),
    (AMINA.replace("turkistan", "astana"), "locality «astana»: The portal does not know it."),
    (AMINA.replace("private", "mine"), "ownership «mine»: There is no such value. Write one of: state"),
    (AMINA.replace("nursery", "#REF!"), "Excel could not compute"),
    (AMINA.replace("+77253331234", "12"), "phone «12»: This is no phone number."),
    (AMINA.replace("+77253331234", '"7,7253E+10"'), "its last digits are lost"),
    (AMINA + ",one too many", "more cells than the heading"),
    ("amina", "locality: The cell is empty."),
    (BALPAN, "slug «balpan»: The same stands in row 2 already."),
]


@pytest.mark.parametrize(("row", "reason"), BAD)
def test_with_a_bad_row_nothing_is_loaded_unless_it_may_be_left_out(load, row: str, reason: str) -> None:
    lines = HEADING, BALPAN, row, BALPAN.replace("balpan", "third", 1)
    code, out, err = load(*lines)
    assert code == 1
    assert "row 3" in err
    assert reason in err
    assert "Nothing was loaded" in err
    assert "Would be: added 2, changed 0, unchanged 0, left out 1." in out
    assert not Kindergarten.objects.exists()
    code, out, err = load(*lines, skip_bad=True)
    assert code == 1
    assert "Added 2, changed 0, unchanged 0, left out 1." in out
    assert set(Kindergarten.objects.values_list("slug", flat=True)) == {"balpan", "third"}


def test_every_fault_of_a_row_is_named(load) -> None:
    _code, _out, err = load(HEADING, AMINA.replace("private", "mine").replace("nursery", "school"))
    assert "ownership «mine»" in err
    assert "type «school»" in err


@pytest.mark.parametrize(
    "name",
    ["Кентау қаласы", "КЕНТАУ", "город Кентау", "Кентау г.", "Кентау қ.", "Kentau"],
)
def test_a_locality_may_be_named_in_words(load, name) -> None:
    LocalityFactory.create(slug="kentau", name_kk="Кентау қаласы", name_ru="г. Кентау")
    LocalityFactory.create(slug="kentau-a", name_kk="Кентау ауданының ауылы", name_ru="Кентауский район")
    assert load(HEADING, AMINA.replace("turkistan", name))[0] == 0
    assert Kindergarten.objects.get().locality.slug == "kentau"


def test_a_city_and_a_village_of_one_name_are_told_apart(load) -> None:
    LocalityFactory.create(slug="city", name_kk="Абай қаласы", name_ru="г. Абай")
    LocalityFactory.create(slug="village", name_kk="Абай ауылы", name_ru="с. Абай")
    assert load(HEADING, AMINA.replace("turkistan", "с. Абай"))[0] == 0
    assert Kindergarten.objects.get().locality.slug == "village"
    assert "several of this name" in load(HEADING, AMINA.replace("turkistan", "Абай"))[2]


def test_a_name_that_two_localities_have_is_not_guessed(load) -> None:
    for slug in ("first", "second"):
        LocalityFactory.create(slug=slug, name_kk="Абай", name_ru="Абай")
    assert "several of this name" in load(HEADING, AMINA.replace("turkistan", "Абай"))[2]


@pytest.mark.parametrize("state", ["published", "recalled"])
def test_a_kindergarten_with_families_stays_where_it_is(load, state: str) -> None:
    LocalityFactory.create(slug="kentau")
    load(HEADING, AMINA)
    group = GroupFactory.create(kindergarten=Kindergarten.objects.get())
    vacancy = VacancyFactory.create(group=group, state=state, seats_taken=int(state == "recalled"))
    code, _out, err = load(HEADING, AMINA.replace("turkistan", "kentau"))
    assert (code, "It can't change while something depends on it" in err) == (1, True)
    vacancy.state, vacancy.seats_taken = "recalled", 0
    vacancy.save()
    assert load(HEADING, AMINA.replace("turkistan", "kentau"))[0] == 0
    assert Kindergarten.objects.get().locality.slug == "kentau"


def test_what_was_loaded_is_recorded_and_what_was_not_is_not(load) -> None:
    load(HEADING, AMINA, dry_run=True)
    load(HEADING, "bad")
    assert not ImportBatch.objects.exists()
    assert "Batch" in load(HEADING, AMINA, BALPAN)[1]
    batch = ImportBatch.objects.get()
    assert (batch.kind, batch.file_name, batch.added) == ("kindergartens", "kindergartens.csv", 2)
    assert len(batch.sha256) == 64
    assert batch.rows.count() == 2
    assert batch.places == [Kindergarten.objects.first().locality_id]
    entry = AuditEntry.objects.get(action=Action.FILE_LOADED)
    assert entry.target == "kindergartens.csv · kindergartens"
    load(HEADING, AMINA, BALPAN)
    assert ImportBatch.objects.count() == 1


def test_the_report_is_given_to_programs_too(load) -> None:
    _code, out, _err = load(HEADING, AMINA, BALPAN.replace("state", "mine"), dry_run=True, format="json")
    told = json.loads(out)
    assert told["counts"] == {"added": 1, "changed": 0, "unchanged": 0, "left_out": 1}
    (fault,) = told["faults"]
    assert (fault["line"], fault["column"], fault["value"], fault["problem"]) == (
        3,
        "ownership",
        "mine",
        "not_allowed",
    )
    assert fault["remedy"].startswith("Write one of")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([""], "no table"),
        (["slug,name_kk"], "lacks these columns: name_ru"),
        ([HEADING + ",slug", AMINA], "twice: slug"),
        ([HEADING, AMINA, 'balpan,"never closed'], "quotation mark in row 3"),
        ([HEADING, "a" * 200_000], "cell of row 2 is too long"),
    ],
)
def test_a_file_that_is_not_such_a_table_is_refused_whole(load, lines: list[str], reason: str) -> None:
    code, _out, err = load(*lines)
    assert code == 2
    assert reason in err
    assert not Kindergarten.objects.exists()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_kindergartens", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="directory"):
        call_command("import_kindergartens", str(tmp_path))


def test_a_point_on_the_map_comes_whole_or_not_at_all(load) -> None:
    heading = f"{HEADING},latitude,longitude"
    code, _out, err = load(heading, f'{AMINA},"43,2973",68.2517', f"{BALPAN},43.3,")
    assert code != 0
    assert "latitude and longitude" in err
    assert load(heading, f'{AMINA},"43,2973",68.2517', f"{BALPAN},,")[0] == 0
    amina, balpan = Kindergarten.objects.order_by("slug")
    assert (amina.latitude, amina.longitude) == (Decimal("43.297300"), Decimal("68.251700"))
    assert (balpan.latitude, balpan.longitude) == (None, None)
    # The same file again changes nothing, and one without the columns leaves the point.
    assert "changed 0, unchanged 1" in load(heading, f"{AMINA},43.2973,68.2517")[1]
    assert load(HEADING, AMINA)[0] == 0
    amina.refresh_from_db()
    assert amina.latitude == Decimal("43.297300")


def test_the_columns_fit_the_fields() -> None:
    for column in Kindergartens.columns:
        field = Kindergarten._meta.get_field(column.name)
        if isinstance(column.takes, Text | Slug) and column.name != "locality":
            assert column.takes.longest == field.max_length
