"""Bring a portal from "installed" to "ready to serve": catalogues, fonts, static files, tables, first data, demo."""

import hashlib
import re
import shutil
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from accounts.checks import files_can_be_kept
from balabaqsha.postgresql.rights import owner_alias
from balabaqsha.turns import alone_in, alone_on

# Between two looks for a database that does not answer.
PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Makes everything ready that must be ready before the first request. Safe and quick to run again."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reset-demo", action="store_true", help="Throw the demo city away and build it anew."
        )
        parser.add_argument(
            "--wait",
            type=_seconds,
            default=0,
            metavar="SECONDS",
            help="how long to wait for a database that does not answer yet, as after a restart of the server",
        )

    def handle(self, *args: Any, reset_demo: bool = False, wait: int = 0, **options: Any) -> None:
        if reset_demo and not settings.DEMO:
            raise CommandError("There is no demo city here: BALABAQSHA_DEMO is off.")
        if not settings.DEMO:
            # On a fresh machine the fonts come later; that their folder is missing would be a warning.
            (Path(settings.VAR_DIR) / "fonts").mkdir(parents=True, exist_ok=True)
            with self.step("Settings of a real portal"):
                call_command("check", deploy=True, fail_level="WARNING", stdout=self.stdout)
        else:
            refuse_files_that_can_not_be_kept()
        with alone_in(settings.VAR_DIR, say=self.stdout.write):
            self.build_files()
            await_database(owner_alias(), seconds=wait, say=self.stdout.write)
            with alone_on(connections[owner_alias()], say=self.stdout.write):
                self.fill_database(reset_demo=reset_demo)

    def build_files(self) -> None:
        """What is read from the disk: catalogues, fonts, static files."""
        with self.step("Message catalogues"):
            call_command("compile_catalogues", stdout=self.stdout)
        with self.step("Fonts"):
            call_command("build_fonts", stdout=self.stdout)
        with self.step("Static files"):
            collect_changed_static(Path(settings.STATIC_ROOT))

    def fill_database(self, *, reset_demo: bool) -> None:
        """Tables, rights, and the rows with which a portal begins."""
        with self.step("Database tables"):
            call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEMO:
            with self.step("Role and zones of the database"):
                call_command(
                    "check",
                    deploy=True,
                    fail_level="WARNING",
                    databases=[DEFAULT_DB_ALIAS],
                    stdout=self.stdout,
                )
        if reset_demo:
            with self.step("Demo city forgotten"):
                forget_everything()
        with self.step("Roles of employees"):
            call_command("setup_roles", stdout=self.stdout)
        with self.step("Working-day calendar"):
            call_command("load_holidays", stdout=self.stdout)
        with self.step("Benefit categories"):
            call_command("load_benefit_categories", stdout=self.stdout)
        if settings.DEMO:
            with self.step("Demo city"):
                call_command("setup_demo", stdout=self.stdout)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Name a step and how long it took."""
        started = time.monotonic()
        self.stdout.write(f"==> {name} ...")
        self.stdout.flush()
        yield
        self.stdout.write(f"    done in {time.monotonic() - started:.1f} s")
        self.stdout.flush()


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ArgumentTypeError("must be a whole number of seconds from 0 to 9999")
    return int(text)


def await_database(alias: str, *, seconds: float, say: Callable[[str], None]) -> None:
    """Return once the database answers. Raises OperationalError if it still does not after so many seconds.

    Whatever it refuses for counts: only its own language tells a server that is starting from a wrong password.
    """
    deadline = time.monotonic() + seconds
    said = ""
    while True:
        try:
            connections[alias].ensure_connection()
        except OperationalError as error:
            if time.monotonic() >= deadline:
                raise
            reason = str(error).strip().partition("\n")[0]
            if reason != said:
                say(f"    the database does not answer yet: {reason}")
                said = reason
            time.sleep(PAUSE_SECONDS)
        else:
            return


def refuse_files_that_can_not_be_kept() -> None:
    """What `check --deploy` refuses of MEDIA_ROOT, for a demo. Raises CommandError."""
    for problem in files_can_be_kept(None):
        raise CommandError(f"{problem.msg}\n{problem.hint}")


def forget_everything() -> None:
    """Empty every table, and throw away what was uploaded and the file of the SMS. For the demo only."""
    call_command("flush", interactive=False, verbosity=0, database=owner_alias())
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
    Path(settings.SMS_FILE).unlink(missing_ok=True)


def collect_changed_static(root: Path) -> None:
    """collectstatic, skipped while no source file has changed since the last time: it takes seconds."""
    mark = root.with_name(root.name + ".collected")
    now = static_fingerprint()
    if not mark.exists() or mark.read_text() != now or not root.exists():
        call_command("collectstatic", interactive=False, verbosity=0)
        mark.write_text(now)


def static_fingerprint() -> str:
    """Changes when a static source file is added, removed, renamed or written differently."""
    found = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda item: str(item[0])):
            content = Path(storage.path(name)).read_bytes()
            found.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return found.hexdigest()
