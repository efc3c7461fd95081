"""What every command that imports a file has in common: its options, what it prints, how it ends."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from bulletin.importing.kinds import LOAD_FILES, Kind, Outcome
from bulletin.importing.problems import Fault, Problem, Unreadable
from bulletin.importing.running import AnotherAtWork, Disturbed, Report, State, own_localities, run_import
from notifications.clock import read_clock

# What `--absent` may say, where a kind has it: leave those in whom a newer file does not have, or take them back.
KEEP: Final = "keep"
TAKE_BACK: Final = "take-back"


class ImportCommand(BaseCommand):
    """Ends with 0 when everything was taken, 1 when a row was refused or left out or another import is at work, and 2
    when the file can't be read."""

    kind: ClassVar[Kind]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV or XLSX; its first row names the columns")
        parser.add_argument("--dry-run", action="store_true", help="check the file, change nothing")
        parser.add_argument("--skip-bad", action="store_true", help="leave bad rows out and load the others")
        parser.add_argument("--by", metavar="NAME", help="the login of the employee for whom it is done")
        parser.add_argument(
            "--links",
            type=Path,
            metavar="FILE",
            help="a new file into which one-time links are written instead of being printed",
        )
        parser.add_argument("--format", choices=["text", "json"], default="text", help="of what is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        with override("en"):
            self._demand_new(options["links"])
            by = self._employee(options["by"])
            report = self._run(by, options)
            self._hand_over(report, options["links"], as_json=options["format"] == "json")
            self.report(report, as_json=options["format"] == "json")
            self._end(report)

    def _demand_new(self, links: Path | None) -> None:
        with suppress(OSError):
            if links is not None and links.exists():
                words = f"There is a file {links} already. Name a new one: nobody else could read it."
                raise CommandError(words, returncode=2)

    def _employee(self, name: str | None) -> User | None:
        if name is None:
            if self.kind.needs_employee:
                words = f"Say whose it is: --by NAME, an employee with {self._rights()}."
                raise CommandError(words, returncode=2)
            return None
        user = User.objects.filter(username=name).first()
        if user is None or not self.kind.may_be_loaded_by(user):
            words = f"There is no active employee {name} with {self._rights()}."
            raise CommandError(words, returncode=2)
        return user

    def _rights(self) -> str:
        return f"the rights {', '.join((LOAD_FILES, *self.kind.permissions))}"

    def _hand_over(self, report: Report, path: Path | None, *, as_json: bool) -> None:
        """The one-time links: this once, and nowhere else."""
        if not report.secrets or (as_json and path is None):
            return
        text = "".join(f"{one['login']}\t{settings.SITE_URL}{one['link']}\n" for one in report.secrets)
        if path is None:
            self.stdout.write(text)
            return
        try:
            # A file that is there keeps who may read it.
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
        except OSError as error:
            self.stderr.write(f"The links could not be written to {path} ({error.strerror}); here they are.")
            self.stdout.write(text)
        report.secrets = ()

    def _run(self, by: User | None, options: Mapping[str, Any]) -> Report:
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                return run_import(
                    self.kind,
                    file,
                    file_name=path.name,
                    now=read_clock(),
                    by=by,
                    localities=None if by is None else own_localities(self.kind, by),
                    dry_run=options["dry_run"],
                    skip_bad=options["skip_bad"],
                    take_absent=options.get("absent") == TAKE_BACK,
                    tell=self._tell,
                )
        except OSError as error:
            fault = Fault(Problem.NO_FILE, values={"why": error.strerror or "?"})
            raise CommandError(sentence(fault), returncode=2) from error
        except Unreadable as error:
            raise CommandError(f"Nothing was loaded. {sentence(error.fault)}", returncode=2) from error
        except (AnotherAtWork, Disturbed) as error:
            raise disturbed(error) from error

    def _tell(self, done: int) -> None:
        if sys.stderr.isatty():
            # The cursor goes back to where it was: what is printed next takes the place of the count.
            self.stderr.write(f"{done:,} rows\r", style_func=str, ending="")
            self.stderr.flush()

    def report(self, report: Report, *, as_json: bool) -> None:
        """Print the report: for programs on standard output alone, for people the faults on standard error."""
        if as_json:
            self.stdout.write(json.dumps(_told(report), ensure_ascii=False, indent=2))
            return
        for fault in (*report.notes, *report.faults):
            self.stderr.write(sentence(fault))
        if report.bad > len({fault.line for fault in report.faults}):
            self.stderr.write("… and more rows like these.")
        counts = report.counts
        self.stdout.write(
            f"{'Added' if report.state in (State.LOADED, State.SAME) else 'Would be: added'} {counts[Outcome.ADDED]}, "
            f"changed {counts[Outcome.CHANGED]}, unchanged {counts[Outcome.UNCHANGED]}, left out {report.bad}."
        )
        if report.batch is not None:
            self.stdout.write(f"Batch {report.batch}. To take it back: undo_import {report.batch}")

    def _end(self, report: Report) -> None:
        if report.state is State.REFUSED:
            raise CommandError(
                "Nothing was loaded: correct these rows, or load the others with --skip-bad.", returncode=1
            )
        if report.bad:
            raise CommandError("Some rows are bad: correct them and import the file again.", returncode=1)


def sentence(fault: Fault) -> str:
    """A fault in one line: where, what, and what to do."""
    where = f"row {fault.line}" if fault.line else ""
    cell = f"{fault.column} «{fault.value}»" if fault.value else fault.column
    place = ", ".join(filter(None, (where, cell)))
    words = f"{fault.sentence} {fault.remedy_in_terminal}"
    return f"{place}: {words}" if place else words


def disturbed(error: AnotherAtWork | Disturbed) -> CommandError:
    """What is said where somebody else is in the way; ends with 1."""
    if isinstance(error, Disturbed):
        words = "Somebody else is changing the same rows. Nothing was changed: try again."
        return CommandError(words, returncode=1)
    since = f" since {timezone.localtime(error.since):%H:%M}" if error.since else ""
    return CommandError(
        f"Nothing was changed: another import is at work{since}. Try again when it has ended.", returncode=1
    )


def _told(report: Report) -> dict[str, Any]:
    told = report.as_json()
    for name in ("notes", "faults"):
        for kept, fault in zip(told[name], getattr(report, name), strict=True):
            kept |= {"sentence": fault.sentence, "remedy": fault.remedy_in_terminal}
    if report.secrets:
        told["secrets"] = list(report.secrets)
    return told
