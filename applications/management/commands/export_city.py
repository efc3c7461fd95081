"""`manage.py export_city FILE`: everything that the portal holds as one encrypted file, once two officials agreed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from applications.city.export import description
from applications.city.export.requests import allowed_exports, note_made
from applications.city.export.writing import NotExported, export_city
from applications.models import CityExport
from notifications.clock import read_clock


class Command(BaseCommand):
    help = (
        "Writes everything that the portal holds to one file, encrypted for the keys for which one official asked and "
        "another one allowed it (/admin/, Exports of the city). The portal may run meanwhile. FILE may be a folder. "
        "Exit 1: nothing is allowed, or the file could not be written; then nothing is left of it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="the file to write, or the folder for it")
        parser.add_argument("--request", type=int, help="which export, where several are allowed")
        parser.add_argument(
            "--describe",
            action="store_true",
            help="only print what every file and column means (docs/export.md)",
        )

    def handle(self, *args: Any, file: Path | None = None, describe: bool = False, **options: Any) -> None:
        if describe:
            self.stdout.write(description.describe(), ending="")
            return
        if file is None:
            raise CommandError("Name the file to write, or the folder for it.", returncode=2)
        now = read_clock()
        request = self._request(options["request"])
        path = file / f"city-{now:%Y-%m-%d}.age" if file.is_dir() else file
        try:
            manifest, sha256 = export_city(request, path, tell=self._tell, now=now)
        except NotExported as error:
            raise CommandError(f"Nothing was exported. {error}") from error
        except OSError as error:
            raise CommandError(f"Nothing was exported. {path}: {error.strerror or error}") from error
        if not note_made(request, sha256=sha256, now=read_clock()):
            path.unlink()
            raise CommandError("Nothing was exported. Another export was made of this request meanwhile.")
        self.stdout.write(f"{path}: {manifest.rows:,} rows in {len(manifest.files) - 1} tables.")
        self.stdout.write(f"SHA-256: {sha256}")
        self.stdout.write(
            "Tell the receiver this sum by another way than the file: import_city --sha256 compares it."
        )

    def _request(self, wanted: int | None) -> CityExport:
        allowed = allowed_exports(now=read_clock())
        if wanted is not None:
            allowed = [request for request in allowed if request.pk == wanted]
        if not allowed:
            raise CommandError(
                "No export is allowed: one official asks for it in the workplace and another one allows it; then it "
                "can be made once, within seven days."
            )
        if len(allowed) > 1:
            numbers = ", ".join(str(request.pk) for request in allowed)
            raise CommandError(
                f"Several exports are allowed: choose one by --request ({numbers}).", returncode=2
            )
        return allowed[0]

    def _tell(self, what: str, done: int, total: int | None) -> None:
        self.stdout.write(f"    {what} {done:,}" + (f" of {total:,}" if total is not None else ""))
        self.stdout.flush()
