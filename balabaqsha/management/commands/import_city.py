"""`manage.py import_city FILE --key KEYFILE`: a city that `export_city` wrote, into an empty portal."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from accounts import audit
from applications.city.export.packing import BadExport, Manifest, Reader
from applications.city.export.reading import NotEmpty, import_city
from applications.city.export.sealing import BadKey, Sealed, opening, private_keys
from applications.journal_actions import Action
from balabaqsha.postgresql.rights import owner_alias
from notifications.clock import read_clock

# Longer than any file of keys.
_MOST_IN_KEY_FILE = 100_000


class Command(BaseCommand):
    help = (
        "Loads an export of a city into a portal that set_up has made and nobody has used yet, as the owner of the "
        "tables (MIGRATE_DATABASE_URL): all of it or nothing. Nobody has a password afterwards. Exit 1: the portal is "
        "not empty; 2: the file or the key can't be used."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what export_city wrote")
        parser.add_argument(
            "--key", type=Path, required=True, help="the file of age-keygen with the private key"
        )
        parser.add_argument("--sha256", help="what export_city printed: another file is refused")

    @no_translations
    def handle(self, *args: Any, file: Path, key: Path, sha256: str | None = None, **options: Any) -> None:
        try:
            keys = private_keys(_read_keys(key))
            with file.open("rb") as source:
                if sha256 is not None:
                    _compare(source, sha256)
                size = file.stat().st_size
                with opening(source, keys) as stream:
                    manifest = import_city(Reader(stream, size=size), using=owner_alias(), tell=self._tell)
        except NotEmpty as error:
            raise CommandError(str(error)) from error
        except (BadKey, BadExport, Sealed) as error:
            raise CommandError(f"Nothing was imported. {error}", returncode=2) from error
        except OSError as error:
            words = f"Can't read {error.filename or file}: {error.strerror or error}"
            raise CommandError(words, returncode=2) from error
        self._enter(manifest)

    def _enter(self, manifest: Manifest) -> None:
        audit.record(
            Action.CITY_IMPORTED, actor=None, reason=f"Export of {manifest.made_at}", now=read_clock()
        )
        self.stdout.write(f"{manifest.rows:,} rows of {manifest.made_at} are imported.")
        self.stdout.write(
            "Nobody has a password: families choose one with a code, employees by reset_second_factor."
        )
        self.stdout.write("Run rebuild_queue --check and check_invariants.")

    def _tell(self, what: str, done: int, total: int) -> None:
        self.stdout.write(f"    {what} {done:,} of {total:,}")
        self.stdout.flush()


def _read_keys(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MOST_IN_KEY_FILE)
    except UnicodeDecodeError:
        raise BadKey("A file of keys is text.") from None


def _compare(source: IO[bytes], sha256: str) -> None:
    found = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]
    source.seek(0)
    if found != sha256.strip().lower():
        raise BadExport(f"It is another file: its SHA-256 is {found}.")
