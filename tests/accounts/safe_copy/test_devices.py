"""A table of what telephones, scanners and programs make: what is kept of each file, or why it is refused."""

import io
import zipfile
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pypdf import PdfReader

from accounts.safe_copy import Cause, FileType, Kind, Refused
from accounts.safe_copy.__main__ import make_copy
from accounts.uploads import check_documents
from tests.accounts.safe_copy.devices import (
    COLOURS,
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    SIZE,
    drawn,
    encrypted,
    heic_of_ten_bits,
    png,
    saved,
    scan_in_a_pdf,
    with_an_xml,
    with_pages,
    without_pages,
)
from tests.accounts.safe_copy.pdfs import pdf

Shades = list[tuple[int, int, int]]
Maker = Callable[[], bytes]

GREYS: Shades = [(shade,) * 3 for shade in (255, 170, 85, 0)]
BLACK_AND_WHITE: Shades = [(shade,) * 3 for shade in (255, 255, 0, 0)]
IN_COLOUR: Shades = list(COLOURS)
# How bright the colours are without their colour.
AS_GREY: Shades = [(shade,) * 3 for shade in (255, 88, 113, 54)]
WHITE_FOR_BLACK: Shades = [*GREYS[:3], (255, 255, 255)]

PICTURES: dict[str, tuple[Maker, FileType, Shades]] = {
    # Every depth of every kind of PNG that there is.
    "PNG, line art of a fax": (lambda: png(GREY, 1), FileType.PNG, BLACK_AND_WHITE),
    "PNG, 4 shades of grey": (lambda: png(GREY, 2), FileType.PNG, GREYS),
    "PNG, 16 shades of grey": (lambda: png(GREY, 4), FileType.PNG, GREYS),
    "PNG, 256 shades of grey": (lambda: png(GREY, 8), FileType.PNG, GREYS),
    "PNG, 65,536 shades of grey": (lambda: png(GREY, 16), FileType.PNG, GREYS),
    "PNG, colour": (lambda: png(RGB, 8), FileType.PNG, IN_COLOUR),
    "PNG, colour of 48 bits": (lambda: png(RGB, 16), FileType.PNG, IN_COLOUR),
    "PNG, 2 colours": (lambda: png(PALETTE, 1), FileType.PNG, IN_COLOUR[:2] * 2),
    "PNG, 4 colours": (lambda: png(PALETTE, 2), FileType.PNG, IN_COLOUR),
    "PNG, 16 colours": (lambda: png(PALETTE, 4), FileType.PNG, IN_COLOUR),
    "PNG, 256 colours": (lambda: png(PALETTE, 8), FileType.PNG, IN_COLOUR),
    "PNG, grey, partly transparent": (lambda: png(GREY_ALPHA, 8), FileType.PNG, GREYS),
    "PNG, grey of 16 bits, partly transparent": (lambda: png(GREY_ALPHA, 16), FileType.PNG, GREYS),
    "PNG, colour, partly transparent": (lambda: png(RGBA, 8), FileType.PNG, IN_COLOUR),
    "PNG, colour of 48 bits, partly transparent": (lambda: png(RGBA, 16), FileType.PNG, IN_COLOUR),
    "PNG, palette with a transparent colour": (lambda: png(PALETTE, 8, see_through=True), FileType.PNG, IN_COLOUR),
    "PNG, 16 bits with a transparent shade": (lambda: png(GREY, 16, see_through=True), FileType.PNG, WHITE_FOR_BLACK),
    "PNG, interlaced": (lambda: png(RGB, 8, interlaced=True), FileType.PNG, IN_COLOUR),
    "PNG, interlaced, 65,536 shades": (lambda: png(GREY, 16, interlaced=True), FileType.PNG, GREYS),
    "PNG, a film": (
        lambda: saved("PNG", save_all=True, append_images=[drawn("L")]), FileType.PNG, IN_COLOUR,
    ),
    "JPEG": (lambda: saved("JPEG", quality=95), FileType.JPEG, IN_COLOUR),
    "JPEG, progressive": (lambda: saved("JPEG", quality=95, progressive=True), FileType.JPEG, IN_COLOUR),
    "JPEG, grey, of a scanner": (lambda: saved("JPEG", "L", quality=95), FileType.JPEG, AS_GREY),
    "JPEG for print (CMYK)": (lambda: saved("JPEG", "CMYK", quality=95), FileType.JPEG, IN_COLOUR),
    "JPEG of a telephone held upright": (
        lambda: saved("JPEG", quality=95, turned=True), FileType.JPEG, IN_COLOUR,
    ),
    "JPEG with a second view (MPO)": (lambda: saved("MPO", quality=95), FileType.JPEG, IN_COLOUR),
    "HEIC of a telephone": (lambda: saved("HEIF", quality=95), FileType.JPEG, IN_COLOUR),
    "HEIC of a telephone held upright": (
        lambda: saved("HEIF", quality=95, turned=True), FileType.JPEG, IN_COLOUR,
    ),
    "HEIC of ten bits (HDR)": (heic_of_ten_bits, FileType.JPEG, IN_COLOUR),
    "HEIC, partly transparent": (lambda: saved("HEIF", "RGBA", quality=95), FileType.JPEG, IN_COLOUR),
    "WebP": (lambda: saved("WEBP", quality=95), FileType.JPEG, IN_COLOUR),
    "WebP without loss": (lambda: saved("WEBP", lossless=True), FileType.JPEG, IN_COLOUR),
    "WebP, partly transparent": (lambda: saved("WEBP", "RGBA", quality=95), FileType.JPEG, IN_COLOUR),
    "WebP, a film": (
        lambda: saved("WEBP", quality=95, save_all=True, append_images=[drawn("L")]), FileType.JPEG, IN_COLOUR,
    ),
}  # fmt: skip
PAPERS: dict[str, tuple[Maker, int]] = {
    "PDF": (pdf, 1),
    "PDF of a scanner": (scan_in_a_pdf, 1),
    "PDF that forbids copying and printing": (lambda: encrypted(owner="authority"), 1),
    "PDF with an XML beside it": (with_an_xml, 1),
    "PDF of 200 pages": (lambda: with_pages(200), 200),
    "PDF with something before it": (lambda: b"\r\n\r\n" + pdf(), 1),
}


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("word/document.xml", "<w/>")
    return buffer.getvalue()


REFUSED: dict[str, tuple[Maker, Cause]] = {
    "PDF that opens with a password": (lambda: encrypted(user="secret", owner="secret"), Cause.PASSWORD),
    "PDF without a page": (without_pages, Cause.NO_PAGES),
    "PDF with an empty page": (lambda: pdf(text=b""), Cause.NO_PAGES),
    "PDF of 201 pages": (lambda: with_pages(201), Cause.TOO_MANY_PAGES),
    "PDF in name only": (lambda: b"%PDF-1.4 garbage %%EOF", Cause.DAMAGED),
    "PDF cut off on its way": (lambda: scan_in_a_pdf()[:400], Cause.DAMAGED),
    "JPEG cut off on its way": (lambda: saved("JPEG")[:600], Cause.DAMAGED),
    "PNG cut off on its way": (lambda: png(RGB, 16)[:70], Cause.DAMAGED),
    "HEIC cut off on its way": (lambda: saved("HEIF")[:500], Cause.DAMAGED),
    "TIFF": (lambda: saved("TIFF"), Cause.UNKNOWN_TYPE),
    "GIF": (lambda: saved("GIF"), Cause.UNKNOWN_TYPE),
    "BMP": (lambda: saved("BMP"), Cause.UNKNOWN_TYPE),
    "text document (DOCX)": (archive, Cause.UNKNOWN_TYPE),
    "program": (lambda: b"MZ\x90\0" + bytes(200), Cause.UNKNOWN_TYPE),
}


def test_the_table_is_long_enough():
    assert len(PICTURES) + len(PAPERS) + len(REFUSED) >= 40


def made_of(content: bytes):
    return make_copy(content, kind=Kind.DOCUMENT, most_pixels=40_000_000)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("kind", Kind)
def test_of_a_picture_every_shade_is_kept(name, kind):
    make, file_type, shades = PICTURES[name]
    made = make_copy(make(), kind=kind, most_pixels=40_000_000)
    assert made.file_type is (file_type if kind is Kind.DOCUMENT else FileType.JPEG)
    kept = Image.open(io.BytesIO(made.content)).convert("RGB")
    assert kept.size == SIZE
    width, height = SIZE
    places = [(x, y) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    for place, shade in zip(places, shades, strict=True):
        assert kept.getpixel(place) == pytest.approx(shade, abs=4)


@pytest.mark.parametrize("name", PAPERS)
def test_of_a_paper_every_page_is_kept(name):
    make, pages = PAPERS[name]
    made = made_of(make())
    assert made.file_type is FileType.PDF
    read = PdfReader(io.BytesIO(made.content))
    assert not read.is_encrypted
    assert len(read.pages) == pages
    assert read.pages[0].extract_text().strip() == "Anyqtama" or read.pages[0].images


@pytest.mark.parametrize("name", REFUSED)
def test_of_what_is_refused_the_cause_is_told(name):
    make, cause = REFUSED[name]
    with pytest.raises(Refused) as caught:
        made_of(make())
    assert caught.value.cause is cause


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "sent_as", "kept_as"),
    [
        (lambda: saved("JPEG"), "анықтама.pdf", "анықтама.jpg"),
        (lambda: saved("HEIF"), "IMG_0042.HEIC", "IMG_0042.jpg"),
        (lambda: png(GREY, 16), "scan.jpeg", "scan.png"),
        (pdf, "справка" * 40 + ".pdf", "справка" * 20 + "справка"[:6] + ".pdf"),
        (pdf, "кешірім.docx.exe", "кешірім.docx.pdf"),
        (pdf, ".pdf", "file.pdf"),
    ],
)
def test_the_name_follows_what_was_found_in_the_file(parent, make, sent_as, kept_as):
    (kept,) = check_documents([SimpleUploadedFile(sent_as, make())], sender=parent)
    assert kept.name == kept_as
    assert type(kept.copy.content) is bytes


@pytest.mark.django_db
def test_each_of_these_refusals_has_a_sentence_of_its_own(parent):
    """As the sender reads them: no two causes are told alike."""
    chosen = [
        "PDF that opens with a password",
        "PDF without a page",
        "PDF of 201 pages",
        "PDF in name only",
        "GIF",
    ]
    sentences = set()
    for name in chosen:
        with pytest.raises(ValidationError) as caught:
            check_documents([SimpleUploadedFile("a", REFUSED[name][0]())], sender=parent)
        sentences |= set(caught.value.messages)
    assert len(sentences) == len(chosen)
