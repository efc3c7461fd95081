"""Writing an export: one moment of the whole city, encrypted on its way, in memory that does not grow with it."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from applications.city.export.description import describe
from applications.city.export.packing import README, Entry, Manifest, Writer, entry_of
from applications.city.export.sealing import public_keys, sealing
from applications.city.export.tables import TABLES, Unreadable
from applications.models import CityExport
from notifications.snapshot import one_moment

# What is going on, how many rows are done, of how many (None: not known yet).
Tell = Callable[[str, int, "int | None"], None]
_TELL_EVERY: Final = 10_000


class NotExported(Exception):
    """Nothing was exported; the message says why."""


def export_city(request: CityExport, path: Path, *, tell: Tell, now: datetime) -> tuple[Manifest, str]:
    """Write the whole city to `path`, which must not exist; returns its manifest and the SHA-256 of the file.

    Raises `NotExported`, and OSError if the file can't be written; then nothing is left at `path`. Every row is read
    twice in one snapshot: for the manifest, which stands first, and for the file itself.
    """
    if path.exists():
        raise NotExported(f"{path} exists already: name a file that does not.")
    part = path.with_name(f"{path.name}.part")
    try:
        file = _new(part)
    except FileExistsError:
        raise NotExported(
            f"{part} exists: another export writes it, or one was broken off. If none is at work, delete it."
        ) from None
    try:
        with file:
            with sealing(file, public_keys(request.keys)) as stream:
                manifest = _write(stream, tell=tell, now=now)
            file.flush()
            os.fsync(file.fileno())
        # Whoever made a file of that name meanwhile keeps it.
        os.link(part, path)
    except Unreadable as error:
        raise NotExported(
            f"{error}: a value can't be read by any key of IIN_KEYS. rotate_iin_keys --check names the column."
        ) from error
    except FileExistsError:
        raise NotExported(f"{path} exists already: name a file that does not.") from None
    finally:
        part.unlink(missing_ok=True)
    return manifest, _sha256(path)


def _new(path: Path) -> IO[bytes]:
    """A file that nobody else can read, and that was not there before."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write(stream: IO[bytes], *, tell: Tell, now: datetime) -> Manifest:
    readme = describe().encode().splitlines(keepends=True)
    with one_moment():
        entries = [entry_of(README, readme)]
        for table in TABLES:
            lines = _told(table.lines(), f"{table.name}: read", None, tell)
            entries.append(entry_of(table.name, lines, columns=table.column_names))
        manifest = Manifest(made_at=now.isoformat(), files=entries)
        writer = Writer(stream, manifest)
        writer.write(entries[0], readme)
        for table, entry in zip(TABLES, entries[1:], strict=True):
            writer.write(entry, _told(table.lines(), f"{table.name}: written", entry, tell))
    writer.close()
    return manifest


def _told(lines: Iterable[bytes], what: str, entry: Entry | None, tell: Tell) -> Iterator[bytes]:
    for done, line in enumerate(lines, start=1):
        if done % _TELL_EVERY == 0:
            tell(what, done, entry.rows if entry else None)
        yield line
    if entry:
        tell(what, entry.rows, entry.rows)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
