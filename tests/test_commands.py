"""Commands end in words: whatever an operator types, and whatever is down."""

import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Thread

import psycopg2
import pytest
from cryptography.fernet import InvalidToken
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from balabaqsha import command_line, turns
from tests.patience import PATIENCE
from tests.test_docs import own_commands

CHECKOUT = Path(__file__).resolve().parent.parent
NOWHERE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nowhere", "REDIS_URL": "redis://127.0.0.1:1/0"}

LONG = "x" * 5000
SURROGATE = "\udcff"
# What is wrong, for every command: none of it does anything. An empty line is the command alone, with nothing set up.
BAD = {
    "create_staff": [
        "", "amina", "amina --role king", "amina --role", "amina --language en --role official", "amina extra",
        f"{LONG} --role official", f"{SURROGATE} --superuser", "+77017779876 --role kindergarten",
        "77017779876 --role kindergarten", "әмина --superuser", "-- -x --superuser", "a\nb --superuser",
        "amina --role official --superuser", "amina --role official --locality nowhere",
    ],
    "export_city": ["", "/", "/nowhere/city.age", "/dev/null", LONG, SURROGATE, "city.age --request x",
                    f"city.age --request {'9' * 5000}", "city.age extra"],
    "import_city": ["", "city.age", "/nowhere.age --key /nowhere.key", "manage.py --key manage.py", "/ --key /",
                    "/dev/null --key /dev/null", f"{LONG} --key {LONG}", f"{SURROGATE} --key {SURROGATE}"],
    "forecast": ["", "--since"],
    "sendtestemail": ["nope", "a@", SURROGATE],
    "explain": ["", "26-000000", LONG, SURROGATE, "x --since yesterday", "x --since 2026-13-01", "x --until 25"],
    "import_kindergartens": ["", "/nowhere.csv", "/", LONG, SURROGATE, "/dev/null", "manage.py"],
    "import_localities": ["", "/nowhere.csv", "/", LONG, SURROGATE, "/dev/null", "manage.py --by nobody"],
    "import_groups": ["", "/nowhere.csv", "/", LONG, SURROGATE, "/dev/null", "manage.py"],
    "import_staff": ["", "/nowhere.csv", "/", LONG, SURROGATE, "/dev/null", "manage.py --format yaml"],
    "import_vacancies": ["", "/nowhere.csv", "/", LONG, SURROGATE, "/dev/null", "manage.py"],
    "import_enrolled": ["", "/nowhere.csv", "manage.py", f"manage.py --by {SURROGATE}", "manage.py --by nobody"],
    "undo_import": ["", "x", "-1", "0", "9" * 30, LONG, SURROGATE],
    "invite_imported": ["", "--limit x", "--limit 0", "--limit -1", f"--limit {'9' * 24}", "--limit 1 extra"],
    "reconcile_queue": ["", "/nowhere.csv", "/", LONG, SURROGATE, "/dev/null", "manage.py"],
    "import_queue": ["", "/nowhere.csv", "/", LONG, SURROGATE, "/dev/null", "manage.py"],
    "load_holidays": ["--first-year x", "--first-year 1", "--last-year 99999", "--first-year 2030 --last-year 2029",
                      "--first-year 2100"],
    "recheck_guardianship": ["--limit x", "--limit -1", "--limit 0", "--limit 1.5", f"--limit {'9' * 24}",
                             f"--limit {'9' * 5000}"],
    "sms_costs": ["extra", "--month x", "--month 2026", "--month 2026-13", "--month 0001-01", "--month 9999-12"],
    "send_test_sms": [
        "", "x", LONG, SURROGATE, "+70000000000", "+77017779876 --backend x", "+77017779876 --backend os.path",
        "+77017779876 --backend os.getcwd", "+77017779876 --backend no.such.Thing",
    ],
    "rotate_iin_keys": [
        "extra", "--portion x", "--portion 0", "--portion -1", "--portion 10001", f"--portion {'9' * 5000}",
        "--pause x", "--pause -1", "--pause nan", "--pause inf",
    ],
    "setup_demo": ["--scale x", "--scale 0", "--scale -1", "--scale nan", "--scale inf", "--scale 1e400"],
    "check_health": ["nothing", "beat --name nobody", f"worker --name {LONG}", f"beat --name {SURROGATE}"],
    "migrate": ["nothing", "accounts 9999", "accounts zero extra", "--database nowhere", LONG, SURROGATE],
    "set_up": ["--scale 1", "extra", "--wait", "--wait x", "--wait -1", "--wait 1e9", f"--wait {'9' * 5000}"],
    "interest_campaign": ["extra", "--limit 1"],
    "try_registry": ["x", "940225300008", LONG, SURROGATE, "000000000000", "940225300009 extra"],
    "ready": ["extra", "--format", "--format xml"],
    "rebuild_queue": ["extra"],
    "reset_second_factor": ["", "nobody", LONG, SURROGATE],
    "check_invariants": ["extra"],
    "guard_standby": ["", "extra"],
    "settle_applications": ["extra"],
    "load_benefit_categories": ["extra"],
    "prune_sms_codes": ["extra"],
    "purge_personal_data": ["extra"],
    "send_pending_messages": ["extra"],
    "setup_roles": ["extra"],
    "sweep_files": ["extra"],
    "build_fonts": ["extra"],
    "list_message_kinds": ["extra"],
    "make_push_keys": ["extra"],
    "maintenance_page": ["extra", "--until=tomorrow", "--until=2026-13-40T25:00"],
    "collect_messages": ["extra"],
    "compile_catalogues": ["extra"],
}  # fmt: skip


def test_every_command_is_tried():
    assert set(BAD) == own_commands()


def run(*arguments: str) -> int:
    """The exit code of the command as `manage.py` runs it; an error that is ours comes through."""
    try:
        return command_line.main(["manage.py", *arguments])
    except SystemExit as end:
        return int(end.code or 0) if not isinstance(end.code, str) else 1


@pytest.mark.django_db(transaction=True)  # a command closes its connections when it ends
@pytest.mark.parametrize("command", BAD)
def test_bad_input_is_answered_in_words(command, capsys):
    sys.stderr.reconfigure(errors="backslashreplace")  # as a terminal's
    for line in BAD[command]:
        code = run(command, *line.split(" ")) if line else run(command)
        said = capsys.readouterr().err
        assert code in (1, 2), line[:60]
        assert said.strip(), line[:60]
        assert "Traceback" not in said
    assert not User.objects.exists()


def test_what_is_down_is_said_in_words():
    """Every command that needs the database, without it and without Redis."""
    needing = [
        name
        for name in BAD
        if name
        not in {
            "collect_messages",
            "set_up",
            "build_fonts",
            "list_message_kinds",
            "make_push_keys",
            "maintenance_page",
            "compile_catalogues",
            "send_test_sms",
            "sendtestemail",
            "try_registry",
            "import_city",
        }
    ]
    given = {
        "create_staff": ["amina", "--superuser"],
        "explain": ["26-1"],
        "forecast": ["--backtest"],
        "export_city": ["city.age"],
        **{name: ["README.md"] for name in needing if name.startswith("import_")},
        "import_enrolled": ["README.md", "--by", "amina"],
        "undo_import": ["1"],
        "import_queue": ["README.md", "--by", "amina"],
        "invite_imported": ["--limit", "1"],
        "reconcile_queue": ["README.md"],
        "reset_second_factor": ["amina"],
    }
    code = f"""if True:
        from balabaqsha import command_line
        for name, given in {[(name, given.get(name, [])) for name in needing]!r}:
            try:
                ended = command_line.main(["manage.py", name, *given])
            except SystemExit as end:
                ended = end.code
            print("ended:", name, ended, flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env=NOWHERE | {"PATH": "/usr/bin:/bin", "BALABAQSHA_DEMO": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    ended = [line for line in done.stdout.splitlines() if line.startswith("ended:")]
    assert ended == [f"ended: {name} 1" for name in needing]


class TestErrorsInWords:
    @pytest.fixture
    def ending(self, monkeypatch):
        def with_error(error: BaseException, *options: str) -> int:
            def fail(arguments):
                raise error

            monkeypatch.setattr("django.core.management.execute_from_command_line", fail)
            return run("anything", *options)

        return with_error

    def test_of_tables_that_are_not_there(self, db, ending, capsys):
        with connection.cursor() as cursor, pytest.raises(Exception, match="nowhere") as caught:
            cursor.execute("SELECT * FROM nowhere")
        assert ending(caught.value) == 1
        assert "Run: manage.py set_up" in capsys.readouterr().err

    def test_of_tables_that_are_read_piece_by_piece(self, transactional_db, capsys):
        """Closing the cursor that never was hides what was wrong."""
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_profile RENAME TO elsewhere")
        try:
            assert run("sweep_files", "--dry-run") == 1
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE elsewhere RENAME TO accounts_profile")
        assert "Run: manage.py set_up" in capsys.readouterr().err

    def test_of_a_role_that_may_not(self, db, ending, capsys):
        with connection.cursor() as cursor, pytest.raises(Exception, match="denied") as caught:
            cursor.execute("SET LOCAL ROLE pg_monitor; DELETE FROM accounts_user")
        assert ending(caught.value) == 1
        assert "MIGRATE_DATABASE_URL" in capsys.readouterr().err

    def test_of_files(self, ending, capsys):
        assert ending(PermissionError(13, "Permission denied", "/var/fonts")) == 1
        assert "/var/fonts: Permission denied" in capsys.readouterr().err

    def test_of_a_key_that_is_missing(self, ending, capsys):
        assert ending(InvalidToken()) == 1
        assert "IIN_KEYS" in capsys.readouterr().err

    def test_of_an_interruption_are_none(self, ending, capsys):
        assert ending(KeyboardInterrupt()) == 130
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("error", [ValueError("ours"), OSError("ours"), KeyError("ours")])
    def test_of_ours_are_shown_whole(self, error, ending):
        with pytest.raises(type(error)):
            ending(error)

    def test_of_anything_are_shown_whole_to_whoever_asks(self, ending):
        with pytest.raises(PermissionError):
            ending(PermissionError(13, "Permission denied", "/var/fonts"), "--traceback")


class Said(StringIO):
    """What a command says; `on` is done once it says that it waits."""

    def __init__(self, on) -> None:
        super().__init__()
        self.on = on

    def write(self, text: str) -> int:
        written = super().write(text)
        if "waiting for it" in text:
            self.on()
        return written


class TestTwoSetUpsAtOnce:
    @pytest.fixture
    def other(self, transactional_db) -> Iterator[psycopg2.extensions.connection]:
        other = psycopg2.connect(**connection.get_connection_params())
        other.autocommit = True
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [turns._LOCK])
        yield other
        other.close()

    def test_the_second_waits_in_words(self, other):
        said = Said(on=other.close)
        call_command("migrate", verbosity=0, stdout=said)
        assert said.getvalue().count("another set-up is at work: waiting") == 1
        assert other.closed

    def test_it_does_not_wait_for_ever(self, other, monkeypatch):
        monkeypatch.setattr(turns, "WAIT_SECONDS", 0)
        with pytest.raises(CommandError, match="still at work"):
            call_command("migrate", verbosity=0, stdout=StringIO())

    def test_a_turn_is_given_back(self, transactional_db):
        for _again in range(2):
            said = StringIO()
            call_command("migrate", verbosity=0, stdout=said)
            assert said.getvalue() == ""
        other = psycopg2.connect(**connection.get_connection_params())
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [turns._LOCK])
                assert cursor.fetchone() == (True,)
        finally:
            other.close()

    def test_files_are_built_by_one(self, tmp_path):
        said: list[str] = []
        first = turns.alone_in(tmp_path, say=said.append)
        first.__enter__()
        built = []

        def wait(text: str) -> None:
            said.append(text)
            first.__exit__(None, None, None)

        def build() -> None:
            with turns.alone_in(tmp_path, say=wait):
                built.append(True)

        second = Thread(target=build)
        second.start()
        second.join(PATIENCE)
        assert built == [True]
        assert len(said) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "words",
    [
        ["no_such_command"], ["create_staff", "", "--superuser"], ["create_staff", "amina"],
        ["create_staff", "amina", "--role", "official", "--superuser"], ["send_test_sms", "abc"],
        ["send_test_sms", "+70000000000"], ["send_test_sms", "+77017779876", "--backend", ".."],
        ["load_holidays", "--first-year", "2030", "--last-year", "2020"],
        ["recheck_guardianship", "--limit", "1" + "0" * 23], ["check_health", "nothing"],
    ],
)  # fmt: skip
def test_whatever_is_called_wrongly_ends_with_2(words, capsys):
    assert run(*words) == 2
    assert capsys.readouterr().err.strip()


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_a_password_are_sentences(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", StringIO("1234567\n"))
    assert run("create_staff", "amina", "--superuser", "--password-stdin") == 1
    said = capsys.readouterr().err
    assert said.rstrip().endswith(".")
    assert "characters. " in said
    assert ".." not in said


@pytest.mark.parametrize("place", ["heading", "row"])
@pytest.mark.django_db(transaction=True)
def test_a_line_that_is_too_long_for_csv_is_named(place, tmp_path, capsys):
    heading = "slug,name_kk,name_ru,locality,ownership,type,address_kk,address_ru"
    file = tmp_path / "city.csv"
    file.write_text("x" * 200_000 if place == "heading" else f"{heading}\n{'x' * 200_000}\n")
    assert run("import_kindergartens", str(file)) == 2
    assert f"row {1 if place == 'heading' else 2}" in capsys.readouterr().err


@pytest.mark.django_db
def test_files_that_can_not_be_kept_end_a_sweep_in_words(settings, capsys):
    settings.MEDIA_ROOT = Path("/dev/null")
    assert run("sweep_files") == 1
    said = capsys.readouterr().err
    assert "/dev/null" in said
    assert "Traceback" not in said


def test_an_interruption_while_modules_are_loaded_is_no_traceback():
    """It comes before any code of ours could catch it."""
    code = (
        "import os, signal, sys; sys.argv = ['manage.py', 'version']; exec(open('manage.py').read().replace("
    )
    code += "'from balabaqsha', 'os.kill(os.getpid(), signal.SIGINT)\\nfrom balabaqsha'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (-2, "")
