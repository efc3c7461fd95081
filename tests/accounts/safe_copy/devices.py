"""What telephones, scanners and programs make, as files: each shows the same four fields."""

import io
import struct
import zlib
from typing import Final

import pikepdf
import pillow_heif
from PIL import Image

from tests.accounts.safe_copy.pdfs import pdf

pillow_heif.register_heif_opener()

SIZE: Final = (64, 48)
# From the upper left by rows, in shades of 16 bits: white, a light grey, a dark grey, black. A PNG of few bits holds
# the nearest that it can.
SHADES: Final = (65535, 43690, 21845, 0)
# The same in colour, of eight bits.
COLOURS: Final = ((255, 255, 255), (200, 40, 40), (40, 160, 60), (30, 40, 190))
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_PASSES: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip


def field_at(x: int, y: int) -> int:
    """Which of the four fields a pixel belongs to."""
    return 2 * (y >= SIZE[1] // 2) + (x >= SIZE[0] // 2)


def png(kind: int, depth: int, *, interlaced: bool = False, see_through: bool = False) -> bytes:
    """A PNG of any kind and depth that there is, written by hand: Pillow writes a few of them.

    With an alpha channel, or `see_through`, the first field is transparent, and black behind it.
    """
    width, height = SIZE
    fields = [_samples(kind, depth, field, see_through=see_through) for field in range(4)]
    data = b""
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        for y in range(top, height, down):
            row = [sample for x in range(left, width, across) for sample in fields[field_at(x, y)]]
            bits = "".join(f"{sample:0{depth}b}" for sample in row)
            bits += "0" * (-len(bits) % 8)
            data += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced)))]
    if kind == PALETTE:
        chunks.append((b"PLTE", b"".join(bytes(colour) for colour in COLOURS[: 1 << depth])))
    if see_through:
        # What is black is transparent; of a palette, the first colour is.
        absent = {GREY: b"\0\0", RGB: b"\0\0" * 3, PALETTE: b"\0"}
        chunks.append((b"tRNS", absent[kind]))
    chunks += [(b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    out = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks:
        out += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return out


def _samples(kind: int, depth: int, field: int, *, see_through: bool) -> list[int]:
    """What a PNG of the kind holds for one pixel of the field."""
    most = (1 << depth) - 1
    if kind == PALETTE:
        return [field % (1 << depth)]
    is_absent = field == 0 and (see_through or kind in (GREY_ALPHA, RGBA))
    if is_absent:
        parts = [0] * (1 if kind in (GREY, GREY_ALPHA) else 3)
    elif kind in (GREY, GREY_ALPHA):
        parts = [round(SHADES[field] * most / 65535)]
    else:
        parts = [round(part * most / 255) for part in COLOURS[field]]
    return parts + ([0 if is_absent else most] if kind in (GREY_ALPHA, RGBA) else [])


def drawn(mode: str = "RGB") -> Image.Image:
    """The four fields as a picture of Pillow."""
    picture = Image.new("RGB", SIZE)
    for field, colour in enumerate(COLOURS):
        left, top = field % 2 * SIZE[0] // 2, field // 2 * SIZE[1] // 2
        picture.paste(colour, (left, top, left + SIZE[0] // 2, top + SIZE[1] // 2))
    if mode == "RGBA":
        picture.putalpha(Image.new("L", SIZE, 255))
        picture.paste((0, 0, 0, 0), (0, 0, SIZE[0] // 2, SIZE[1] // 2))
        return picture
    return picture.convert(mode)


def saved(file_type: str, mode: str = "RGB", *, turned: bool = False, **options: object) -> bytes:
    """The picture in a format that Pillow writes; `turned` as a telephone held upright keeps it."""
    picture = drawn(mode)
    if turned:
        exif = Image.Exif()
        exif[0x0112] = 6
        options["exif"] = exif
        if file_type != "HEIF":
            picture = picture.transpose(Image.Transpose.ROTATE_90)
    buffer = io.BytesIO()
    picture.save(buffer, file_type, **options)
    return buffer.getvalue()


def heic_of_ten_bits() -> bytes:
    """What telephones with HDR make."""
    raw = b"".join(
        struct.pack("<3H", *(part * 257 for part in COLOURS[field_at(x, y)]))
        for y in range(SIZE[1])
        for x in range(SIZE[0])
    )
    buffer = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", SIZE, raw).save(buffer, quality=95)
    return buffer.getvalue()


def scan_in_a_pdf() -> bytes:
    buffer = io.BytesIO()
    drawn().save(buffer, "PDF")
    return buffer.getvalue()


def encrypted(*, owner: str, user: str = "") -> bytes:
    """A PDF that opens with the password `user`, and forbids copying to everybody else than the `owner`."""
    buffer = io.BytesIO()
    rights = pikepdf.Permissions(extract=False, print_highres=False)
    with pikepdf.open(io.BytesIO(pdf())) as opened:
        opened.save(buffer, encryption=pikepdf.Encryption(owner=owner, user=user, allow=rights))
    return buffer.getvalue()


def with_an_xml() -> bytes:
    """An electronic invoice or certificate: a page, and the same for machines."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as opened:
        opened.attachments["data.xml"] = pikepdf.AttachedFileSpec(opened, b"<a/>", mime_type="text/xml")
        opened.save(buffer)
    return buffer.getvalue()


def without_pages() -> bytes:
    buffer = io.BytesIO()
    pikepdf.new().save(buffer)
    return buffer.getvalue()


def with_pages(number: int) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as opened:
        for _ in range(number - 1):
            opened.pages.append(opened.pages[0])
        opened.save(buffer)
    return buffer.getvalue()
