"""Pictures redrawn: upright, in plain colours, no larger than a page needs, without metadata."""

import io
import struct
import warnings
from typing import Final

from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from accounts.safe_copy import BEGINNINGS, Cause, Copy, FileType, Kind, Refused

# A large JPEG is decoded at an eighth to a half of its size, so it may have more pixels than the others.
# A progressive one may not: its decoder always holds the whole picture.
MOST_JPEG_PIXELS: Final = 200_000_000
KEPT_PIXELS: Final = 12_000_000  # an A4 page at 300 dots an inch has 8.7 million
# A larger lossless picture costs seconds and megabytes, and a JPEG shows the same.
LOSSLESS_PIXELS: Final = 4_000_000
# The longer side of a photo in pixels: of a person's more than any page shows, of a shown one a screen, of a thumbnail
# half the width of a telephone at its density.
SIDES: Final = {Kind.PHOTO: 800, Kind.SHOWN_PHOTO: 1600, Kind.THUMBNAIL: 480}
JPEG_QUALITY: Final = 88
FORMATS: Final = ["JPEG", "PNG", "WEBP"]
# The brands with which a picture in HEIF begins; the longer names belong to AVIF and to films.
HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"})
# How to rotate a picture by the orientation that the camera noted in the file.
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
DAMAGE: Final = (
    # Pillow's decoders answer damage with any of these.
    OSError, ValueError, SyntaxError, TypeError, EOFError, IndexError, KeyError, RuntimeError, struct.error,
)  # fmt: skip


def copy_picture(content: bytes, *, kind: Kind, most_pixels: int) -> Copy:
    """The picture in `content` drawn anew: a photo as a small JPEG, a document as a PNG where it came as a small one.

    `most_pixels` bounds every format but the JPEG, whose bound is `MOST_JPEG_PIXELS`. Raises `Refused` (UNKNOWN_TYPE,
    DAMAGED, TOO_MANY_PIXELS). Changes settings of Pillow that hold for the whole process.
    """
    # Once imported, WeasyPrint makes Pillow accept truncated pictures in the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    is_jpeg = content.startswith(BEGINNINGS[FileType.JPEG])
    # Pillow gives up at twice this number, in some formats before it allocates the memory.
    Image.MAX_IMAGE_PIXELS = (MOST_JPEG_PIXELS if is_jpeg else most_pixels) // 2
    try:
        with warnings.catch_warnings(action="ignore"), _open(content) as opened:
            _check_size(opened, most_pixels=most_pixels)
            file_type = FileType.PNG if opened.format == "PNG" else FileType.JPEG
            picture = _draw(opened, kind=kind)
    except Image.DecompressionBombError:
        raise Refused(Cause.TOO_MANY_PIXELS) from None
    except DAMAGE:
        raise Refused(Cause.DAMAGED) from None
    if kind in SIDES or picture.width * picture.height > LOSSLESS_PIXELS:
        file_type = FileType.JPEG
    return Copy(content=_encode(picture, file_type), file_type=file_type, size=picture.size)


def _open(content: bytes) -> Image.Image:
    formats = list(FORMATS)
    if content[4:8] == b"ftyp" and content[8:12] in HEIF_BRANDS:
        # Loaded only where it is needed: it doubles the time that the process needs to start.
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
        formats = ["HEIF"]
    try:
        return Image.open(io.BytesIO(content), formats=formats)
    except UnidentifiedImageError:
        raise Refused(Cause.UNKNOWN_TYPE) from None


def _check_size(opened: Image.Image, *, most_pixels: int) -> None:
    in_parts = opened.format in ("JPEG", "MPO") and not opened.info.get("progressive")
    if opened.width * opened.height > (MOST_JPEG_PIXELS if in_parts else most_pixels):
        raise Refused(Cause.TOO_MANY_PIXELS)


def _draw(opened: Image.Image, *, kind: Kind) -> Image.Image:
    """The picture at the size in which it is kept. It is shrunk before it is rotated, which takes less memory."""
    size = _kept_size(opened, kind=kind)
    if opened.format in ("JPEG", "MPO"):
        opened.draft(None, size)
    picture = _on_white(_in_eight_bits(opened))
    if picture.width * picture.height > size[0] * size[1]:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if picture is opened:
        picture = picture.copy()
    turn = TURNS.get(_orientation(opened) or 1)
    picture = picture.transpose(turn) if turn is not None else picture
    picture.info = {}
    return picture


def _kept_size(picture: Image.Image, *, kind: Kind) -> tuple[int, int]:
    width, height = picture.size
    if kind in SIDES:
        scale = min(1.0, SIDES[kind] / max(width, height))
    else:
        scale = min(1.0, (KEPT_PIXELS / (width * height)) ** 0.5)
    return max(1, int(width * scale)), max(1, int(height * scale))


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    """The same shades in eight bits: Pillow's own conversion clips all but the darkest of 65,536."""
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda shade: shade * (1 / 256)).convert("L")
    return picture


def _on_white(picture: Image.Image) -> Image.Image:
    """`picture` as RGB, with white behind what is transparent."""
    if picture.has_transparency_data:
        with_alpha = picture.convert("RGBA")
        canvas = Image.new("RGB", picture.size, "white")
        canvas.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return canvas
    # The conversion makes a copy even if there is nothing to do.
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _orientation(opened: Image.Image) -> int | None:
    try:
        return opened.getexif().get(ExifTags.Base.Orientation)
    except DAMAGE:
        # What the camera noted is broken, the picture is not.
        return None


def _encode(picture: Image.Image, file_type: FileType) -> bytes:
    buffer = io.BytesIO()
    if file_type is FileType.PNG:
        picture.save(buffer, "PNG")
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return buffer.getvalue()
