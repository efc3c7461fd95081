"""Files that parents send: looked into, rebuilt, renamed, and only then kept.

A type is what decodes, not what the name or the browser says. Pictures are drawn anew, so nothing that was hidden in
the file survives: neither the place where a photo was taken nor a program behind the picture.
"""

import io
import struct
import uuid
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.utils.translation import gettext as _
from PIL import Image, ImageFile, ImageOps

from accounts.pdf_scan import HEADER, MARGIN, PdfRefused, check_pdf


class FileType(StrEnum):
    """The value is also the extension under which the file is kept."""

    JPEG = "jpg"
    PNG = "png"
    PDF = "pdf"


IMAGES: Final = frozenset({FileType.JPEG, FileType.PNG})
DOCUMENTS: Final = IMAGES | {FileType.PDF}
CONTENT_TYPES: Final = {
    FileType.JPEG: "image/jpeg",
    FileType.PNG: "image/png",
    FileType.PDF: "application/pdf",
}
PHOTO_SIDE: Final = 800  # pixels: more than any page of the portal shows
JPEG_QUALITY: Final = 88


def check_upload(file: "File[bytes]", *, types: frozenset[FileType] = DOCUMENTS) -> "ContentFile[bytes]":
    """A safe copy of `file` under a random name with the extension of its real type.

    Pictures are re-encoded in their own format without metadata, upright; a PDF stays as it is. Raises
    `ValidationError` with a sentence for the reader when it is empty, over `UPLOAD_MAX_BYTES`, over
    `UPLOAD_MAX_PIXELS`, of no type among `types`, damaged, or a PDF that is encrypted or carries scripts or files.
    """
    content = _read(file)
    if HEADER in content[:MARGIN] and FileType.PDF in types:
        try:
            check_pdf(content)
        except PdfRefused:
            raise ValidationError(
                _(
                    "This PDF can't be accepted: it is damaged, protected by a password, or has scripts or files inside"
                ),
                code="pdf_refused",
            ) from None
        return _named(content, FileType.PDF)
    picture, file_type = _decode(content, types=types)
    return _named(_encode(picture, file_type), file_type)


def check_photo(file: "File[bytes]") -> "ContentFile[bytes]":
    """A person's photo as a JPEG of at most 800 by 800 pixels; raises `ValidationError` like `check_upload`."""
    picture, _file_type = _decode(_read(file), types=IMAGES)
    picture.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    return _named(_encode(picture, FileType.JPEG), FileType.JPEG)


def _read(file: "File[bytes]") -> bytes:
    largest = settings.UPLOAD_MAX_BYTES
    if file.size > largest:
        raise ValidationError(
            _("The file is too large. The largest allowed size, MB: %(megabytes)s")
            % {"megabytes": largest // (1024 * 1024)},
            code="too_large",
        )
    file.seek(0)
    content: bytes = file.read()
    if not content:
        raise ValidationError(_("The file is empty. Choose another one"), code="empty")
    return content


def _decode(content: bytes, *, types: frozenset[FileType]) -> tuple[Image.Image, FileType]:
    """The picture, upright and in plain colours."""
    # WeasyPrint, once imported, lets Pillow make do with half a picture in the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG"]) as opened:
            if opened.width * opened.height > settings.UPLOAD_MAX_PIXELS:
                raise _too_many_pixels()
            file_type = FileType.PNG if opened.format == "PNG" else FileType.JPEG
            upright = ImageOps.exif_transpose(opened)
            return _plain(upright), file_type
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except (OSError, ValueError, SyntaxError, TypeError, EOFError, IndexError, KeyError, struct.error):
        # Pillow's decoders answer damage with any of these.
        raise ValidationError(_wrong_type(types), code="wrong_type") from None


def _plain(picture: Image.Image) -> Image.Image:
    """`picture` as RGB on white, without anything that came along in the file."""
    if picture.has_transparency_data:
        with_alpha = picture.convert("RGBA")
        canvas = Image.new("RGB", picture.size, "white")
        canvas.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return canvas
    plain = picture.convert("RGB")
    plain.info = {}
    return plain


def _encode(picture: Image.Image, file_type: FileType) -> bytes:
    buffer = io.BytesIO()
    if file_type is FileType.PNG:
        picture.save(buffer, "PNG", optimize=True)
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return buffer.getvalue()


def _named(content: bytes, file_type: FileType) -> "ContentFile[bytes]":
    return ContentFile(content, name=f"{uuid.uuid4().hex}.{file_type}")


def _too_many_pixels() -> ValidationError:
    return ValidationError(
        _("The picture is too large. The largest allowed size, megapixels: %(megapixels)s")
        % {"megapixels": settings.UPLOAD_MAX_PIXELS // 1_000_000},
        code="too_many_pixels",
    )


def _wrong_type(types: frozenset[FileType]) -> str:
    if FileType.PDF in types:
        return _("This is neither a PDF nor a JPEG or PNG picture, or the file is damaged")
    return _("This is not a JPEG or PNG picture, or the file is damaged")
