"""A PostgreSQL of a drill, on an address of loopback of its own: one that takes writes, or one that follows it."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg2

from balabaqsha.runner import Child, Failed, Family
from balabaqsha.servers.programs import postgres_programs
from drills.accounts import hand_over, lowered

ROOT: Final = Path(__file__).resolve().parent.parent
STANDBY_ROLES: Final = ROOT / "deploy" / "standby.sql"
READY_SECONDS: Final = 60

# As docs/going-live.md has them.
SETTINGS: Final = {
    "listen_addresses": "{host}",
    "unix_socket_directories": "",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
    "shared_buffers": "128MB",
    # A frozen standby is noticed, and what it would have to replay is kept.
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "wal_receiver_status_interval": "1s",
    "wal_keep_size": "512MB",
    "wal_log_hints": "on",
    # A page gives up rather than the replica falls behind.
    "max_standby_streaming_delay": "2s",
}


@dataclass(frozen=True)
class Secrets:
    """The passwords of one drill, by role."""

    superuser: str = field(default_factory=secrets.token_hex)
    owner: str = field(default_factory=secrets.token_hex)
    web: str = field(default_factory=secrets.token_hex)
    replicator: str = field(default_factory=secrets.token_hex)
    guard: str = field(default_factory=secrets.token_hex)


@dataclass
class Database:
    """One server. Its folder belongs to the account of servers."""

    name: str
    host: str
    port: int
    folder: Path
    family: Family
    secrets: Secrets
    child: Child | None = None

    @property
    def data(self) -> Path:
        return self.folder / self.name

    def address(self, role: str, password: str, *, database: str = "balabaqsha") -> str:
        return f"postgres://{role}:{password}@{self.host}:{self.port}/{database}"

    def make(self) -> None:
        """A new one, with the roles of a real portal."""
        words = self.folder / "password"
        words.write_text(self.secrets.superuser)
        hand_over(words)
        self._run(
            *("initdb", "-U", "postgres", "-D", str(self.data), f"--pwfile={words}"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", "--auth=scram-sha-256"),
        )
        words.unlink()
        allowed = self.data / "pg_hba.conf"
        with allowed.open("a") as file:
            file.write(
                "host all all 127.0.0.0/8 scram-sha-256\nhost replication all 127.0.0.0/8 scram-sha-256\n"
            )
        self.start()
        own = self.secrets
        self.ask(f"CREATE ROLE balabaqsha LOGIN PASSWORD '{own.owner}'")
        self.ask(
            "CREATE DATABASE balabaqsha OWNER balabaqsha ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0"
        )
        self.ask(f"CREATE ROLE balabaqsha_web LOGIN PASSWORD '{own.web}'")
        take = (
            "REVOKE EXECUTE ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC"
        )
        self.ask(take, database="balabaqsha")
        known = ["-v", f"replicator={own.replicator}", "-v", f"guard={own.guard}"]
        self._run("psql", "-X", "-q", *known, "-f", str(STANDBY_ROLES), self.as_superuser())

    def follow(self, other: "Database") -> None:
        """A copy of the other one, which follows it. Started."""
        source = f"host={other.host} port={other.port} user=balabaqsha_replicator application_name=standby"
        self._run("pg_basebackup", "-D", str(self.data), "-R", "-c", "fast", "-d", source)
        self.start()

    def start(self) -> None:
        """Run until it answers."""
        command = [str(postgres_programs() / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        command += ["-c", f"config_file={self.configured()}"]
        self.child = self.family.start(self.name, lowered(command), log=self.folder / f"{self.name}.log")
        deadline = time.monotonic() + READY_SECONDS
        while True:
            self.family.check_alive()
            with suppress(psycopg2.OperationalError):
                self.ask("SELECT 1")
                return
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} does not answer:\n{self.child.tail()}")
            self.family.pause(0.1)

    def configured(self) -> Path:
        """The file of its settings, apart from its data as on Debian: what is copied brings no settings along."""
        written = self.folder / f"{self.name}.conf"
        lines = [f"{key} = '{value.format(host=self.host)}'" for key, value in SETTINGS.items()]
        written.write_text("\n".join([*lines, ""]))
        hand_over(written)
        return written

    def kill(self) -> None:
        """As a power cut does: with -9, all of its processes. What it had not on its disk is lost."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In good order."""
        self._end(signal.SIGINT)

    def send(self, number: signal.Signals) -> None:
        """To all of its processes."""
        assert self.child is not None
        self.child.signal(number)

    def rejoin(self, other: "Database") -> None:
        """Come back as the standby of the other one, by the shipped program. Started."""
        environment = self.environment() | {
            "PGDATA": str(self.data),
            "PROGRAMS": str(postgres_programs()),
            "CONF": str(self.configured()),
        }
        done = subprocess.run(
            lowered([str(ROOT / "deploy" / "rejoin"), other.host]),
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Failed(f"deploy/rejoin: {done.stderr or done.stdout}")
        self.start()

    def as_superuser(self, *, database: str = "postgres") -> str:
        return self.address("postgres", self.secrets.superuser, database=database)

    def ask(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The answer to a statement of the superuser."""
        with closing(psycopg2.connect(self.as_superuser(database=database), connect_timeout=3)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def environment(self) -> dict[str, str]:
        """For programs of PostgreSQL: where they are, and the passwords."""
        known = self.folder / "pgpass"
        if not known.exists():
            known.touch(mode=0o600)
            rows = {"balabaqsha_replicator": self.secrets.replicator, "postgres": self.secrets.superuser}
            known.write_text("".join(f"*:*:*:{role}:{password}\n" for role, password in rows.items()))
            hand_over(known)
        path = f"{postgres_programs()}:{os.environ.get('PATH', os.defpath)}"
        return {"PATH": path, "LC_ALL": "C.UTF-8", "PGPASSFILE": str(known), "PGPORT": str(self.port)}

    def forget(self) -> None:
        """Throw its data away."""
        shutil.rmtree(self.data, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        assert self.child is not None
        # SIGINT is for the first process, which tells the others; SIGKILL for all.
        if number == signal.SIGKILL:
            self.child.signal(number)
        else:
            self.child.process.send_signal(number)
        self.child.process.wait(READY_SECONDS)
        self.family.children.remove(self.child)
        self.child = None

    def _run(self, program: str, *arguments: str) -> None:
        command = lowered([str(postgres_programs() / program), *arguments])
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{program}: {done.stderr or done.stdout}")
