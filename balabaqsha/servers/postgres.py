"""PostgreSQL of this checkout."""

import shutil
import signal
import tempfile
from pathlib import Path

import psycopg2

from balabaqsha.servers.errors import EmbeddedError
from balabaqsha.servers.programs import postgres_programs
from balabaqsha.servers.server import Server

# The database, the owner of its tables, and the portal's own role (docs/adr/0014-two-database-roles.md).
ROLE = "balabaqsha"
WEB_ROLE = "balabaqsha_web"


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
        """The address for the role that creates and changes tables."""
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
            # A refused statement holds people's data, and so does its explanation: neither belongs in a log.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        if self.test:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(postgres_programs() / "postgres"), "-D", str(self.data), *options]

    def prepare(self) -> None:
        if (self.data / "PG_VERSION").exists():
            self._check_version()
        else:
            self._init()
        # The server trusts a process id left by a crash if another of our processes has it now.
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
                # Data from before there were two roles has only one; the other gets its rights from `set_up`.
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [WEB_ROLE])
                if not cursor.fetchone():
                    cursor.execute(f"CREATE ROLE {WEB_ROLE} LOGIN")
        finally:
            connection.close()

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(host=str(self.sockets), user=ROLE, dbname=database, connect_timeout=5)

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        ours = postgres_programs().parent.name.removeprefix("pginstall")
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
        command = [str(postgres_programs() / "initdb"), "-U", ROLE, "-D", str(fresh), *options, *speed]
        with tempfile.TemporaryFile() as log:
            code = self._popen(command, log).wait()
            if code:
                log.seek(0)
                raise EmbeddedError(f"initdb failed ({code}):\n{log.read().decode(errors='replace')}")
        fresh.rename(self.data)
