"""PDFs written by hand, byte by byte, so that nothing tidies up what is wrong with them."""

import io
import zlib
from collections.abc import Callable

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, StreamObject

PAGE_TEXT = b"BT /F1 12 Tf 72 700 Td (Anyqtama) Tj ET"
# What does something, leads somewhere or holds something, wherever it stands.
ACTIVE = frozenset({
    "/JS", "/JavaScript", "/OpenAction", "/AA", "/A", "/URI", "/Launch", "/GoToR", "/GoToE", "/SubmitForm",
    "/ImportData", "/Annots", "/AcroForm", "/XFA", "/EmbeddedFile", "/EmbeddedFiles", "/EF", "/AF", "/FileAttachment",
    "/Filespec", "/F", "/RichMedia", "/Rendition", "/Movie", "/Sound", "/Screen", "/Names", "/Outlines", "/Metadata",
    "/PS", "/Ref", "/Next", "/Encrypt", "/Collection", "/PieceInfo", "/OPI", "/Alternates", "/Dests",
})  # fmt: skip


def stream(data: bytes, entries: bytes = b"", *, line_end: bytes = b"\n") -> bytes:
    """A stream of `data` as it is; `entries` join its dictionary."""
    return b"<< /Length %d %s >>\nstream%s%s\nendstream" % (len(data), entries, line_end, data)


def packed(data: bytes, entries: bytes = b"", **options: bytes) -> bytes:
    return stream(zlib.compress(data), b"/Filter /FlateDecode " + entries, **options)


def objects(
    *, root: bytes = b"", page: bytes = b"", resources: bytes = b"", text: bytes = PAGE_TEXT, **more: bytes
) -> dict[int, bytes]:
    """A document of one page; `more` are objects by number: `_10=b"<< … >>"`."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    found = {
        1: b"<< /Type /Catalog /Pages 2 0 R " + root + b" >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> "
        + resources + b" >> " + page + b" >>",
        4: stream(text),
        5: font,
    }  # fmt: skip
    return found | {int(name[1:]): body for name, body in more.items()}


def write(found: dict[int, bytes], *, trailer: bytes = b"", before: bytes = b"") -> bytes:
    """The file, with a cross-reference table that is true."""
    out = before + b"%PDF-1.7\n"
    offsets = {}
    for number, body in found.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(out), max(found) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n"
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return out


def pdf(**parts: bytes) -> bytes:
    """A document of one page with `parts` as `objects` takes them."""
    return write(objects(**parts))


def compact(
    found: dict[int, bytes],
    hidden: dict[int, bytes],
    *,
    pack: Callable[[bytes], bytes],
    entries: bytes,
    name: bytes = b"/ObjStm",
    line_end: bytes = b"\n",
) -> bytes:
    """The document with the `hidden` objects in an object stream that `pack` packs, and a cross-reference stream."""
    bodies, offset, head = b"", 0, b""
    for number, body in hidden.items():
        head += b"%d %d " % (number, offset)
        bodies += body + b" "
        offset = len(bodies)
    data = pack(head + bodies)
    container = max([*found, *hidden]) + 1
    found = found | {
        container: stream(
            data, b"/Type %s /N %d /First %d %s" % (name, len(hidden), len(head), entries), line_end=line_end
        )
    }
    out, rows = b"%PDF-1.7\n", {0: (0, 0, 65535)}
    for number, body in found.items():
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    for index, number in enumerate(hidden):
        rows[number] = (2, container, index)
    own = container + 1
    rows[own] = (1, len(out), 0)
    table = b"".join(
        kind.to_bytes(1, "big") + where.to_bytes(4, "big") + rest.to_bytes(2, "big")
        for kind, where, rest in (rows.get(number, (0, 0, 0)) for number in range(own + 1))
    )
    entries = b"/Type /XRef /W [1 4 2] /Size %d /Root 1 0 R" % (own + 1)
    start = len(out)
    return out + b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (own, packed(table, entries), start)


def png_predicted(data: bytes, *, columns: int = 16) -> bytes:
    """`data` as PNG's predictor "up" writes it, then packed: a search of what zlib unpacks finds no name in it."""
    data += b" " * (-len(data) % columns)
    rows = [data[start : start + columns] for start in range(0, len(data), columns)]
    out, above = b"", bytes(columns)
    for row in rows:
        out += b"\x02" + bytes((new - old) % 256 for new, old in zip(row, above, strict=True))
        above = row
    return zlib.compress(out)


PREDICTED = b"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 16 >>"


def active_names(content: bytes) -> set[str]:
    """Every name of `ACTIVE`, as key or as value, that another reader of PDF than ours finds anywhere in `content`."""
    reader = PdfReader(io.BytesIO(content))
    found: set[str] = set()
    seen: set[tuple[int, int]] = set()
    waiting = [reader.trailer]
    while waiting:
        item = waiting.pop()
        if isinstance(item, IndirectObject):
            if (item.idnum, item.generation) in seen:
                continue
            seen.add((item.idnum, item.generation))
            item = item.get_object()
        if isinstance(item, NameObject):
            found |= {str(item)} & ACTIVE
        elif isinstance(item, DictionaryObject | StreamObject):
            found |= set(item) & ACTIVE
            waiting += [dict.__getitem__(item, key) for key in item]
        elif isinstance(item, ArrayObject):
            waiting += list.__iter__(item)
    return found
