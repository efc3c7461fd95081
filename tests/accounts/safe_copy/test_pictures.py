"""Pictures from strangers: what is kept, what is refused, and what is lost on the way."""

import io
import warnings
import zlib

import pillow_heif
import pytest
from PIL import Image, ImageFile

from accounts.safe_copy import Cause, Copy, FileType, Kind, Refused
from accounts.safe_copy import pictures as module
from accounts.safe_copy.pictures import KEPT_PIXELS, LOSSLESS_PIXELS, SIDES, copy_picture

pillow_heif.register_heif_opener()
FORMATS = ["JPEG", "PNG", "WEBP", "HEIF"]
MOST = 40_000_000


@pytest.fixture(autouse=True)
def _own_settings_of_pillow(monkeypatch):
    """What a copy changes in the process is not the next test's."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", ImageFile.LOAD_TRUNCATED_IMAGES)


def picture(file_type="JPEG", *, size=(60, 40), mode="RGB", colour="red", **options) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour if mode in {"RGB", "RGBA"} else 0).save(buffer, file_type, **options)
    return buffer.getvalue()


def copy(content: bytes, *, kind=Kind.DOCUMENT, most_pixels=MOST) -> Copy:
    return copy_picture(content, kind=kind, most_pixels=most_pixels)


def colour_at(made: Copy, place: tuple[int, int]) -> tuple[int, int, int]:
    pixel = opened(made).convert("RGB").getpixel(place)
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return red, green, blue


def opened(made: Copy) -> Image.Image:
    return Image.open(io.BytesIO(made.content))


def refusal(content: bytes, **options) -> Cause:
    with pytest.raises(Refused) as caught:
        copy(content, **options)
    return caught.value.cause


@pytest.mark.parametrize("file_type", FORMATS)
def test_a_picture_is_drawn_anew(file_type):
    made = copy(picture(file_type))
    assert made.file_type is (FileType.PNG if file_type == "PNG" else FileType.JPEG)
    assert opened(made).format == ("PNG" if file_type == "PNG" else "JPEG")
    red, green, blue = colour_at(made, (30, 20))
    assert red > 240
    assert max(green, blue) < 20


@pytest.mark.parametrize("file_type", FORMATS)
def test_the_place_where_a_photo_was_taken_is_lost(file_type):
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    content = picture(file_type, exif=exif)
    assert b"SECRET-PLACE" in content
    assert b"SECRET-PLACE" not in copy(content).content


@pytest.mark.parametrize("file_type", FORMATS)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("note", range(1, 9))
def test_a_turned_photo_is_put_upright(file_type, kind, note):
    """One corner is blue; as the camera notes it, it belongs to the upper left."""
    upright = Image.new("RGB", (64, 32), "red")
    upright.paste("blue", (0, 0, 16, 16))
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    # Who writes HEIF turns the picture as the note says.
    held = upright.transpose(turns[note]) if note in turns and file_type != "HEIF" else upright
    exif = Image.Exif()
    exif[0x0112] = note
    buffer = io.BytesIO()
    held.save(buffer, file_type, exif=exif)
    made = opened(copy(buffer.getvalue(), kind=kind))
    assert made.size == (64, 32)
    assert made.getpixel((4, 4))[2] > 200
    assert made.getpixel((60, 28))[0] > 200


def test_a_note_that_is_broken_costs_nobody_the_photo():
    content = picture(exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert opened(copy(content)).size == (60, 40)


def test_a_program_behind_the_picture_is_lost():
    assert b"<script>" not in copy(picture() + b"<script>alert(1)</script>").content


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_every_kind_of_colour_becomes_a_photo(mode):
    assert opened(copy(picture("PNG", mode=mode), kind=Kind.PHOTO)).mode == "RGB"


@pytest.mark.parametrize("kind", Kind)
def test_shades_of_a_scanner_stay_apart(kind):
    """65,536 shades of grey: white, middle, dark and black."""
    shades = [65535, 32768, 8192, 0]
    row = b"".join(shade.to_bytes(2, "little") * 10 for shade in shades)
    scan = Image.frombytes("I;16", (40, 10), row * 10)
    buffer = io.BytesIO()
    scan.save(buffer, "PNG")
    made = opened(copy(buffer.getvalue(), kind=kind)).convert("L")
    assert [made.getpixel((10 * place + 5, 5)) for place in range(4)] == pytest.approx(
        [255, 128, 32, 0], abs=4
    )


def test_what_is_transparent_becomes_white():
    assert opened(copy(picture("PNG", mode="RGBA", colour=(0, 0, 0, 0)))).getpixel((5, 5)) == (255, 255, 255)


def test_a_photo_is_made_small():
    assert opened(copy(picture(size=(3000, 1000)), kind=Kind.PHOTO)).size == (SIDES[Kind.PHOTO], 266)


def test_a_document_keeps_what_an_a4_page_needs():
    made = opened(copy(picture(size=(6000, 3000))))
    assert made.width * made.height == pytest.approx(KEPT_PIXELS, rel=0.01)
    assert made.width / made.height == pytest.approx(2, rel=0.01)


def test_a_long_picture_of_a_screen_keeps_its_width():
    assert opened(copy(picture("PNG", size=(1080, 11_000)))).size == (1080, 11_000)


@pytest.mark.parametrize(("height", "expected"), [(2000, FileType.PNG), (2001, FileType.JPEG)])
def test_a_large_picture_without_loss_becomes_a_jpeg(height, expected):
    assert LOSSLESS_PIXELS == 2000 * 2000
    assert copy(picture("PNG", size=(2000, height))).file_type is expected


def test_a_large_jpeg_is_decoded_at_a_part_of_its_size(monkeypatch):
    """108 million pixels, as telephones take them, of which a sixteenth is ever held."""
    content = picture(size=(12_000, 9000), quality=1)
    sizes = []
    real = module._in_eight_bits

    def watched(decoded):
        sizes.append(decoded.size)
        return real(decoded)

    monkeypatch.setattr(module, "_in_eight_bits", watched)
    assert opened(copy(content, kind=Kind.PHOTO)).size == (800, 600)
    assert opened(copy(content)).size == (4000, 3000)
    assert sizes == [(1500, 1125), (6000, 4500)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a picture", id="text"),
        pytest.param(picture("GIF"), id="GIF"),
        pytest.param(picture("TIFF"), id="TIFF"),
        pytest.param(b"<svg/>", id="SVG"),
        pytest.param(b"MZ\x90", id="program"),
        pytest.param(b"%!PS\n1 1 scale", id="PostScript"),
        pytest.param(b"\0\0\0\x18ftypavif" + bytes(50), id="AVIF"),
    ],
)
def test_what_is_no_picture(content):
    assert refusal(content) is Cause.UNKNOWN_TYPE


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("file_type", FORMATS)
def test_a_cut_photo_is_refused_also_where_pillow_was_told_to_be_lenient(file_type, share, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    noise = Image.effect_noise((600, 400), 90)
    buffer = io.BytesIO()
    noise.save(buffer, file_type)
    whole = buffer.getvalue()
    assert refusal(whole[: int(len(whole) * share)]) in {Cause.DAMAGED, Cause.UNKNOWN_TYPE}


@pytest.mark.parametrize("file_type", ["PNG", "WEBP", "HEIF"])
def test_a_pixel_too_many(file_type):
    assert copy(picture(file_type, size=(64, 64)), most_pixels=4096)
    assert refusal(picture(file_type, size=(64, 66)), most_pixels=4096) is Cause.TOO_MANY_PIXELS


def test_jpegs_may_be_larger_unless_they_come_in_one_piece(monkeypatch):
    monkeypatch.setattr(module, "MOST_JPEG_PIXELS", 8192)
    assert copy(picture(size=(64, 128)), most_pixels=4096)
    assert refusal(picture(size=(64, 129)), most_pixels=4096) is Cause.TOO_MANY_PIXELS
    assert refusal(picture(size=(64, 128), progressive=True), most_pixels=4096) is Cause.TOO_MANY_PIXELS


def png_of(width: int, height: int) -> bytes:
    header = picture("PNG", size=(1, 1))
    huge = header[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + header[24:29]
    return huge + zlib.crc32(huge[12:29]).to_bytes(4, "big") + header[33:]


def test_a_picture_bomb_is_not_unpacked():
    assert refusal(png_of(60_000, 60_000)) is Cause.TOO_MANY_PIXELS


def test_a_bomb_in_webp_is_not_unpacked():
    """Its decoder takes memory for the whole picture before anybody asks how large it is."""
    small = picture("WEBP", size=(16, 16), lossless=True)
    at = small.index(b"VP8L") + 9
    bits = (16_383) | (16_383 << 14)
    assert refusal(small[:at] + bits.to_bytes(4, "little") + small[at + 4 :]) is Cause.TOO_MANY_PIXELS


def test_several_pictures_in_one_file_give_the_first():
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    for file_type, options in (
        ("WEBP", {"save_all": True}),
        ("PNG", {"save_all": True}),
        ("MPO", {"save_all": True}),
    ):
        buffer = io.BytesIO()
        frames[0].save(buffer, file_type, append_images=frames[1:], **options)
        red, _green, blue = colour_at(copy(buffer.getvalue()), (15, 15))
        assert red > 200, file_type
        assert blue < 50, file_type


def test_nothing_is_said_to_the_log_about_large_pictures():
    with warnings.catch_warnings(action="error"):
        assert copy(picture("PNG", size=(64, 64)), most_pixels=4096)
