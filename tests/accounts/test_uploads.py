"""Files from strangers: what is kept, what is refused, and what is lost on the way."""

import io
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageFile

from accounts.uploads import IMAGES, PHOTO_SIDE, check_photo, check_upload


def picture(file_type="JPEG", *, size=(60, 40), mode="RGB", **options) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, "red" if mode in {"RGB", "RGBA"} else 0).save(buffer, file_type, **options)
    return buffer.getvalue()


def pdf(*objects: bytes) -> bytes:
    return b"%PDF-1.7\n" + b"\n".join(objects) + b"\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def upload(content: bytes, name: str = "file.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def refusal(content: bytes, **options) -> str:
    with pytest.raises(ValidationError) as caught:
        check_upload(upload(content), **options)
    return caught.value.code


@pytest.mark.parametrize(("file_type", "extension"), [("JPEG", "jpg"), ("PNG", "png")])
def test_a_picture_is_drawn_anew_under_a_random_name(file_type, extension):
    kept = check_upload(upload(picture(file_type), name="../../мен.exe"))
    assert kept.name.endswith(f".{extension}")
    assert len(kept.name or "") == 32 + 1 + len(extension)
    assert Image.open(kept).format == file_type


def test_the_place_where_a_photo_was_taken_is_lost():
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    content = picture(exif=exif)
    assert b"SECRET-PLACE" in content
    kept = check_upload(upload(content))
    assert b"SECRET-PLACE" not in kept.read()


def test_a_turned_photo_is_put_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = check_upload(upload(picture(size=(60, 40), exif=exif)))
    assert Image.open(kept).size == (40, 60)


def test_a_program_behind_the_picture_is_lost():
    kept = check_upload(upload(picture() + b"<script>alert(1)</script>"))
    assert b"<script>" not in kept.read()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_every_kind_of_colour_becomes_a_photo(mode):
    assert Image.open(check_photo(upload(picture("PNG", mode=mode)))).mode == "RGB"


def test_a_photo_is_made_small():
    assert max(Image.open(check_photo(upload(picture(size=(3000, 1000))))).size) == PHOTO_SIDE


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not a picture", id="text"),
        pytest.param(b"\xff\xd8\xff\xe0 cut", id="header only"),
        pytest.param(picture()[:200], id="cut JPEG"),
        pytest.param(picture("PNG")[:60], id="cut PNG"),
        pytest.param(picture("GIF"), id="GIF"),
        pytest.param(b"<svg/>", id="SVG"),
        pytest.param(b"MZ\x90", id="program"),
    ],
)
def test_a_photo_that_is_not_one(content):
    assert refusal(content) == "wrong_type"


@pytest.mark.parametrize("file_type", ["JPEG", "PNG"])
def test_a_cut_photo_is_refused_also_where_pillow_was_told_to_be_lenient(file_type, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = picture(file_type, size=(600, 400))
    assert refusal(whole[: len(whole) * 9 // 10]) == "wrong_type"


def test_an_empty_file():
    assert refusal(b"") == "empty"


def test_too_large(settings):
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    assert refusal(b"x" * (1024 * 1024 + 1)) == "too_large"
    assert refusal(b"x" * 1024 * 1024) == "wrong_type"


def test_too_many_pixels(settings):
    settings.UPLOAD_MAX_PIXELS = 2400
    assert check_upload(upload(picture(size=(60, 40))))
    assert refusal(picture(size=(60, 41))) == "too_many_pixels"


def test_a_picture_bomb_is_not_unpacked():
    header = picture("PNG", size=(1, 1))
    huge = header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:29]
    huge += zlib.crc32(huge[12:29]).to_bytes(4, "big") + header[33:]
    assert refusal(huge) == "too_many_pixels"


def test_a_plain_pdf_stays_as_it_is():
    content = pdf(b"1 0 obj << /Type /Catalog >> endobj")
    kept = check_upload(upload(content))
    assert kept.name.endswith(".pdf")
    assert kept.read() == content


def test_a_pdf_of_our_own_making_is_accepted():
    weasyprint = pytest.importorskip("weasyprint")
    content = weasyprint.HTML(string="<p>Жолдама ұзартылды</p>").write_pdf()
    assert check_upload(upload(content)).name.endswith(".pdf")


def test_a_pdf_is_no_photo():
    assert refusal(pdf(b"1 0 obj << >> endobj"), types=IMAGES) == "wrong_type"


@pytest.mark.parametrize(
    "hidden",
    [
        b"/Encrypt 5 0 R", b"<< /S /JavaScript /JS (app.alert(1)) >>", b"/Java#53cript", b"/EmbeddedFiles 3 0 R",
        b"<< /S /Launch /F (calc.exe) >>", b"<</XFA 4 0 R>>", b"<</S/Rendition>>",
    ],
)  # fmt: skip
def test_a_pdf_that_does_things_is_refused(hidden):
    assert refusal(pdf(b"1 0 obj " + hidden + b" endobj")) == "pdf_refused"
    packed = zlib.compress(b"x" * 2_000_000 + b" << " + hidden + b" >> ")
    stream = b"2 0 obj << /Type /ObjStm /Filter /FlateDecode >> stream\n" + packed + b"\nendstream endobj"
    assert refusal(pdf(stream)) == "pdf_refused"


def test_objects_that_cannot_be_looked_into_are_refused():
    stream = b"2 0 obj << /Type /Obj#53tm /Filter /LZWDecode >> stream\n\x80\x0b\x60\nendstream endobj"
    assert refusal(pdf(stream)) == "pdf_refused"


def test_a_pdf_bomb_is_refused():
    bomb = zlib.compress(b"\0" * (70 * 1024 * 1024))
    part = b"2 0 obj << >> stream\n" + bomb + b"\nendstream endobj"
    assert refusal(pdf(*[part] * 4)) == "pdf_refused"


def test_a_cut_pdf_is_refused():
    assert refusal(b"%PDF-1.7\n1 0 obj << >>") == "pdf_refused"
