"""The file of an export: any tar reads it, and whoever reads it here believes nothing."""

import gzip
import io
import json
import tarfile

import pytest

from applications.city.export import packing
from applications.city.export.packing import MANIFEST, BadExport, Manifest, Reader, Writer, entry_of
from tests.applications.city.export.exports import manifest_of, members, packed, read_all

LINES = {
    "a.jsonl": [b'{"id":1}\n', b'{"id":2}\n'],
    "empty.jsonl": [],
    "b.jsonl": [b"%d\n" % n for n in range(1000)],
}


def written() -> bytes:
    target = io.BytesIO()
    files = [entry_of(name, lines, columns=["id"]) for name, lines in LINES.items()]
    writer = Writer(target, Manifest(made_at="now", files=files))
    for entry in files:
        writer.write(entry, LINES[entry.name])
    writer.close()
    return target.getvalue()


def test_any_tar_reads_it():
    found = members(written())
    assert list(found) == [MANIFEST, *LINES]
    assert found["b.jsonl"] == b"".join(LINES["b.jsonl"])
    told = json.loads(found[MANIFEST])["files"]
    assert [(entry["name"], entry["rows"]) for entry in told] == [
        ("a.jsonl", 2),
        ("empty.jsonl", 0),
        ("b.jsonl", 1000),
    ]


def test_it_is_read_as_it_was_written():
    assert read_all(written()) == [line for lines in LINES.values() for line in lines]


def test_a_file_that_changes_while_it_is_written_is_an_error():
    entry = entry_of("a.jsonl", [b"1\n"])
    writer = Writer(io.BytesIO(), Manifest(made_at="now", files=[entry]))
    with pytest.raises(ValueError, match="changed"):
        writer.write(entry, [b"1\n", b"2\n"])


@pytest.mark.parametrize("length", [0, 5, 100, 400, -8, -1])
def test_a_part_of_it_is_refused(length):
    with pytest.raises(BadExport):
        read_all(written()[:length])


def entry(name: str = "a.jsonl", content: bytes = b"1\n", **changes):
    told = entry_of(name, [content] if content else [])
    return {
        "name": told.name,
        "bytes": told.bytes,
        "sha256": told.sha256,
        "rows": told.rows,
        "columns": [],
    } | changes


ENDLESS = b"1" * 5_000_000
HOSTILE = {
    "no tar": gzip.compress(b"x" * 2000),
    "no gzip": b"x" * 2000,
    "something else": packed({"readme": b"x"}),
    "manifest that is no JSON": packed({MANIFEST: b"x"}),
    "manifest that is a list": packed({MANIFEST: b"[]"}),
    "manifest without files": packed({MANIFEST: b'{"format":"balabaqsha-city","version":1}'}),
    "manifest of nothing but brackets": packed({MANIFEST: b"[" * 100_000}),
    "manifest that is too long": packed({MANIFEST: b" " * 2_000_000}),
    "manifest of another kind": packed({MANIFEST: manifest_of(format="other")}),
    "version in words": packed({MANIFEST: manifest_of(version="1")}),
    "true for a version": packed({MANIFEST: manifest_of(version=True)}),
    "a number of a thousand digits": packed({MANIFEST: b'{"format":"balabaqsha-city","version":' + b"9" * 5000 + b"}"}),
    "entry with more in it": packed({MANIFEST: manifest_of(entry(more=1)), "a.jsonl": b"1\n"}),
    "entry of a negative size": packed({MANIFEST: manifest_of(entry(bytes=-1)), "a.jsonl": b"1\n"}),
    "size in words": packed({MANIFEST: manifest_of(entry(bytes="1")), "a.jsonl": b"1\n"}),
    "path that leads out": packed({MANIFEST: manifest_of(entry()), "../a.jsonl": b"1\n"}),
    "absolute path": packed({MANIFEST: manifest_of(entry()), "/etc/a.jsonl": b"1\n"}),
    "link": packed({MANIFEST: manifest_of(entry()), "a.jsonl": b"1\n"}, kind=tarfile.SYMTYPE),
    "folder": packed({MANIFEST: manifest_of(entry()), "a.jsonl": b"1\n"}, kind=tarfile.DIRTYPE),
    "name of any length": packed({MANIFEST: manifest_of(entry()), "a.jsonl": b"1\n"}, kind=tarfile.GNUTYPE_LONGNAME),
    "file that is missing": packed({MANIFEST: manifest_of(entry())}),
    "file that is longer": packed({MANIFEST: manifest_of(entry()), "a.jsonl": b"1\n2\n"}),
    "other content": packed({MANIFEST: manifest_of(entry()), "a.jsonl": b"2\n"}),
    "other number of rows": packed({MANIFEST: manifest_of(entry(rows=2)), "a.jsonl": b"1\n"}),
    "line without an end": packed({MANIFEST: manifest_of(entry(content=b"1")), "a.jsonl": b"1"}),
    "line without bounds": packed({MANIFEST: manifest_of(entry(content=ENDLESS)), "a.jsonl": ENDLESS}),
    "one file more": packed({MANIFEST: manifest_of(entry()), "a.jsonl": b"1\n", "b.jsonl": b"1\n"}),
    "bomb": packed({MANIFEST: manifest_of(entry(bytes=10**15)), "a.jsonl": b"1\n"}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_refused_in_words(name):
    with pytest.raises(BadExport) as refusal:
        read_all(HOSTILE[name])
    assert str(refusal.value).endswith(".")


def test_the_control_of_those_is_accepted():
    assert read_all(packed({MANIFEST: manifest_of(entry()), "a.jsonl": b"1\n"})) == [b"1\n"]


def test_a_bomb_is_refused_before_it_is_read():
    bomb = packed({MANIFEST: manifest_of(entry(bytes=10**15))})
    with pytest.raises(BadExport, match="times its size"):
        Reader(io.BytesIO(bomb), size=len(bomb))


def test_a_newer_format_says_what_to_do():
    newer = packed({MANIFEST: manifest_of(version=packing.VERSION + 1)})
    with pytest.raises(BadExport, match="update this portal first"):
        read_all(newer)
