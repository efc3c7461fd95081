"""How an export lies in its file: a compressed tar, first a manifest with the size and hash of every other file.

It is written and read as a stream, so that it can be encrypted on its way and takes no memory, however large it is.
Whoever reads it believes nothing: names are compared and never used as paths, sizes are those of the manifest.
"""

import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any, Final

FORMAT: Final = "balabaqsha-city"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
README: Final = "README.md"
_BLOCK: Final = 512
_MOST_IN_MANIFEST: Final = 1_000_000
# The longest row of a table; texts of people are much shorter.
_MOST_IN_LINE: Final = 4_000_000
# How much larger than its file an export may be. Real ones are some ten times as large.
_MOST_TIMES: Final = 150
_ALWAYS_ALLOWED: Final = 50_000_000


class BadExport(Exception):
    """The export can't be used; the message says why, without a value of it."""


@dataclass(frozen=True)
class Entry:
    """One file of an export."""

    name: str
    bytes: int
    sha256: str
    rows: int
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Manifest:
    """What an export holds, and when it was true."""

    made_at: str
    files: Sequence[Entry]
    version: int = VERSION

    @property
    def size(self) -> int:
        return sum(entry.bytes for entry in self.files)

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(entry.rows for entry in self.files if entry.columns)

    def to_json(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1).encode() + b"\n"


def entry_of(name: str, lines: Iterable[bytes], *, columns: Sequence[str] = ()) -> Entry:
    """What the manifest says of a file that will hold `lines`."""
    size, rows, found = 0, 0, hashlib.sha256()
    for line in lines:
        size, rows = size + len(line), rows + 1
        found.update(line)
    return Entry(name, size, found.hexdigest(), rows, columns)


class Writer:
    """Writes the files of a manifest in its order."""

    def __init__(self, stream: IO[bytes], manifest: Manifest) -> None:
        self._packed = gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6)
        text = manifest.to_json()
        self._begin(MANIFEST, len(text))
        self._packed.write(text)
        self._pad(len(text))

    def write(self, entry: Entry, lines: Iterable[bytes]) -> None:
        """Raises ValueError if `lines` are not those of `entry`."""
        self._begin(entry.name, entry.bytes)
        size = 0
        for line in lines:
            size += len(line)
            self._packed.write(line)
        if size != entry.bytes:
            raise ValueError(f"{entry.name} changed while it was written.")
        self._pad(size)

    def close(self) -> None:
        """Write the end. The stream stays open."""
        self._packed.write(bytes(2 * _BLOCK))
        self._packed.close()

    def _begin(self, name: str, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._packed.write(info.tobuf(tarfile.GNU_FORMAT))

    def _pad(self, size: int) -> None:
        self._packed.write(bytes(-size % _BLOCK))


class Reader:
    """Reads what a `Writer` wrote. Every method raises `BadExport` for anything else.

    `size` is that of the file: an export that says to be very much larger is refused before it is read.
    """

    def __init__(self, stream: IO[bytes], *, size: int) -> None:
        self._packed = gzip.GzipFile(fileobj=stream, mode="rb")
        length = self._begin(MANIFEST)
        if length > _MOST_IN_MANIFEST:
            raise BadExport("The manifest is too long.")
        self.manifest = _manifest(self._read(length))
        self._pad(length)
        if self.manifest.size > max(_MOST_TIMES * size, _ALWAYS_ALLOWED):
            raise BadExport(f"It says to hold more than {_MOST_TIMES} times its size: no real export does.")

    def lines(self, entry: Entry) -> Iterator[bytes]:
        """The lines of the next file, which must be that of `entry`.

        Only at their end it is known that they are those that were written.
        """
        if self._begin(entry.name) != entry.bytes:
            raise BadExport(f"{entry.name}: its size is not that of the manifest.")
        left, found, rows = entry.bytes, hashlib.sha256(), 0
        while left:
            line = self._line(min(left, _MOST_IN_LINE))
            if not line.endswith(b"\n"):
                raise BadExport(f"{entry.name}: line {rows + 1} has no end.")
            left, rows = left - len(line), rows + 1
            found.update(line)
            yield line
        if (found.hexdigest(), rows) != (entry.sha256, entry.rows):
            raise BadExport(f"{entry.name}: it does not hold what its manifest says.")
        self._pad(entry.bytes)

    def finish(self) -> None:
        """Read to the end, where it shows whether anything is missing or was added."""
        if self._read(2 * _BLOCK) != bytes(2 * _BLOCK) or self._line(1):
            raise BadExport("There is more in it than its manifest says.")

    def _begin(self, name: str) -> int:
        try:
            info = tarfile.TarInfo.frombuf(self._read(_BLOCK), "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeError):
            raise BadExport(f"It has no file {name} where one should be.") from None
        if info.name != name or not info.isreg():
            raise BadExport(f"It has no file {name} where one should be.")
        return info.size

    def _pad(self, size: int) -> None:
        self._read(-size % _BLOCK)

    def _read(self, size: int) -> bytes:
        try:
            found = self._packed.read(size)
        except (EOFError, OSError, zlib.error):
            raise BadExport("It is damaged, or its end is missing.") from None
        if len(found) != size:
            raise BadExport("Its end is missing.")
        return found

    def _line(self, most: int) -> bytes:
        try:
            return self._packed.readline(most)
        except (EOFError, OSError, zlib.error):
            raise BadExport("It is damaged, or its end is missing.") from None


def _manifest(text: bytes) -> Manifest:
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise BadExport("It is no export of a portal.")
        version = found["version"]
        if type(version) is not int:
            raise TypeError
        if version > VERSION:
            raise BadExport(
                f"A newer portal made it (format {version}, this one reads {VERSION}): update this portal first."
            )
        files = [_entry(one) for one in found["files"]]
        return Manifest(made_at=str(found["made_at"])[:40], files=files, version=version)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise BadExport("Its manifest can't be read.") from None


def _entry(found: Any) -> Entry:
    entry = Entry(**found)
    if not (
        isinstance(entry.name, str) and isinstance(entry.sha256, str) and isinstance(entry.columns, list)
    ):
        raise TypeError
    if not all(type(number) is int and number >= 0 for number in (entry.bytes, entry.rows)):
        raise TypeError
    return entry
