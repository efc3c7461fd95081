"""What a PDF may not carry if strangers are to open it: encryption, scripts, attachments, programs to start.

It is a filter by names, not a reader: the bytes of the file and of every compressed part are searched for the names
that such things can't do without, and a part that may hold objects but can't be unpacked is refused.
"""

import re
import zlib
from typing import Final

HEADER: Final = b"%PDF-"
# How far from the beginning and the end readers still accept the marks of a PDF.
MARGIN: Final = 1024
# Bytes to unpack and copy before giving up, and what even an empty part is charged with.
MOST_WORK: Final = 256 * 1024 * 1024
LEAST_WORK: Final = 10_000
CHUNK: Final = 1024 * 1024
FORBIDDEN_NAMES: Final = (
    "Encrypt", "JavaScript", "Rendition", "EmbeddedFile", "EmbeddedFiles", "Launch", "RichMedia", "XFA",
)  # fmt: skip
STREAM: Final = re.compile(rb"(?<!end)stream\r?\n")


class PdfRefused(ValueError):
    """Not a PDF, or one that must not be passed on; the text says which, in English, for logs and tests."""


def _spelt(name: str) -> str:
    """A pattern for `name` with any of its letters written as `#4A`, which PDF allows."""
    return "".join(f"(?:{letter}|(?i:#{ord(letter):02x}))" for letter in name)


FORBIDDEN: Final = re.compile(
    f"/(?:{'|'.join(map(_spelt, FORBIDDEN_NAMES))})(?=[\\s/<>()\\[\\]%\\d]|$)".encode()
)
OBJECTS_INSIDE: Final = re.compile(f"/{_spelt('ObjStm')}".encode())


def check_pdf(content: bytes) -> None:
    """Raise `PdfRefused` unless `content` is a whole PDF without any of the forbidden things."""
    if HEADER not in content[:MARGIN] or b"%%EOF" not in content[-MARGIN:]:
        raise PdfRefused("not a PDF")
    _search(content)
    view = memoryview(content)
    budget = MOST_WORK
    previous = 0
    for stream in STREAM.finditer(content):
        spent, unpacked = _search_stream(view[stream.end() :], budget=budget)
        budget -= spent + LEAST_WORK
        if not unpacked and OBJECTS_INSIDE.search(content, previous, stream.start()):
            raise PdfRefused("objects in a form that can't be looked into")
        previous = stream.end()


def _search(data: bytes) -> None:
    found = FORBIDDEN.search(data)
    if found:
        raise PdfRefused(f"contains {found[0].decode('latin-1')}")


def _search_stream(data: memoryview, *, budget: int) -> tuple[int, bool]:
    """Search what zlib makes of the beginning of `data`, in chunks: bytes handled, and whether anything came out.

    Raises `PdfRefused` when more than `budget` bytes would have to be handled.
    """
    unpacker = zlib.decompressobj()
    packed: bytes | memoryview = data
    spent = 0
    tail = b""
    try:
        while packed and not unpacker.eof:
            chunk = unpacker.decompress(packed, CHUNK)
            packed = unpacker.unconsumed_tail
            spent += len(chunk) + len(packed) + len(unpacker.unused_data)
            if spent > budget:
                raise PdfRefused("too large when unpacked")
            if not chunk:
                break
            _search(tail + chunk)
            tail = chunk[-100:]
    except zlib.error:
        pass
    return spent, bool(tail)
