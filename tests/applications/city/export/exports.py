"""Exports in tests: keys, and files that are made by hand to be refused."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage

from applications.city.export.packing import FORMAT, MANIFEST, VERSION, Reader
from applications.city.export.sealing import opening, private_keys, public_keys, sealing


class Keys:
    """A pair of keys of `age`."""

    def __init__(self) -> None:
        identity = pyrage.x25519.Identity.generate()
        self.private, self.public = str(identity), str(identity.to_public())


def sealed(content: bytes, keys: Keys) -> bytes:
    target = io.BytesIO()
    with sealing(target, public_keys(keys.public)) as stream:
        stream.write(content)
    return target.getvalue()


def opened(content: bytes, keys: Keys) -> bytes:
    with opening(io.BytesIO(content), private_keys(keys.private)) as stream:
        return stream.read()


def members(content: bytes) -> dict[str, bytes]:
    """The files of an export in clear, as any tar reads them."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}


def packed(files: dict[str, bytes], *, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A compressed tar of these files; the first one is as it should be, the others are of a `kind`."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb") as stream:
        for number, (name, content) in enumerate(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.type = len(content), kind if number else tarfile.REGTYPE
            stream.write(info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512))
        stream.write(bytes(1024))
    return target.getvalue()


def manifest_of(*files: dict[str, Any], **changes: Any) -> bytes:
    told = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": "2026-11-30T06:00:00+00:00",
        "files": list(files),
    }
    return json.dumps(told | changes).encode()


def read_all(content: bytes) -> list[bytes]:
    """Every line of an export in clear."""
    reader = Reader(io.BytesIO(content), size=len(content))
    lines = [line for entry in reader.manifest.files for line in reader.lines(entry)]
    reader.finish()
    return lines


def rewritten(path: Path, keys: Keys, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Another export beside `path`, sealed as it should be, with files that were changed; the manifest is put right."""
    import hashlib

    files = members(opened(path.read_bytes(), keys))
    change(files)
    told = json.loads(files[MANIFEST])
    for entry in told["files"]:
        text = files.get(entry["name"], b"")
        entry |= {"bytes": len(text), "rows": text.count(b"\n"), "sha256": hashlib.sha256(text).hexdigest()}
    files[MANIFEST] = json.dumps(told).encode()
    other = path.with_name("rewritten.age")
    other.write_bytes(sealed(packed(files), keys))
    return other
