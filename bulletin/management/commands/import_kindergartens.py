"""manage.py import_kindergartens FILE: kindergartens from a CSV file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from bulletin.kindergarten_import import OPTIONAL, REQUIRED, BadFileError, Import, import_kindergartens


class Command(BaseCommand):
    help = (
        "Adds or changes kindergartens from a CSV file (UTF-8, comma or semicolon) with the columns "
        f"{', '.join(REQUIRED)} and optionally {', '.join(OPTIONAL)}. A kindergarten is known by its slug, a locality "
        "by its own. Bad rows are named and left out, the others are taken. Ends with 1 if a row was left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="check the file, change nothing")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as lines:
                result = import_kindergartens(lines, dry_run=options["dry_run"])
        except OSError as error:
            raise CommandError(f"Can't read {options['file']}: {error.strerror}", returncode=2) from error
        except UnicodeDecodeError as error:
            raise CommandError("The file is not UTF-8: save it as CSV UTF-8.", returncode=2) from error
        except BadFileError as error:
            raise CommandError(f"Nothing was imported: {error}", returncode=2) from error
        self._report(result, dry_run=options["dry_run"])

    def _report(self, result: Import, *, dry_run: bool) -> None:
        for row in result.bad:
            self.stderr.write(f"line {row.line}: {row.reason}")
        self.stdout.write(
            f"{'Would be: a' if dry_run else 'A'}dded {len(result.added)}, changed {len(result.changed)}, "
            f"unchanged {len(result.unchanged)}, left out {len(result.bad)}."
        )
        if result.bad:
            raise CommandError(
                "Some rows were left out: correct them and import the file again.", returncode=1
            )
