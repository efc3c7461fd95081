"""manage.py sweep_files: delete the uploads and papers that no row names."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import stored_files


class Command(BaseCommand):
    help = "Deletes files under MEDIA_ROOT that no row names and that are older than an hour (the beat does it hourly)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would be deleted")
        parser.add_argument(
            "--accept",
            action="store_true",
            help="the files are those of this database, however many no row names: mark the folder and delete those",
        )

    def handle(self, *args: Any, dry_run: bool = False, accept: bool = False, **options: Any) -> None:
        if dry_run:
            self.stdout.write(f"Files that no row names: {len(stored_files.orphans())}")
        else:
            try:
                deleted = stored_files.sweep_orphans(accepted=accept)
            except stored_files.SweepRefused as refused:
                raise CommandError(str(refused)) from None
            self.stdout.write(f"Files deleted that no row named: {deleted}")
