"""Safe copies of files from strangers.

Decoders of pictures and PDFs read whatever a stranger wrote, so they run in a process of their own with little memory,
little time and no secrets (`__main__`), which `process` starts and never trusts. Nothing in this package imports
Django, so the child starts as quickly as its decoders load.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FileType(StrEnum):
    """What a copy is; the value is also the ending of its name."""

    JPEG = "jpg"
    PNG = "png"
    PDF = "pdf"


# The first bytes of a file of the type.
BEGINNINGS: Final = {
    FileType.JPEG: b"\xff\xd8\xff",
    FileType.PNG: b"\x89PNG\r\n\x1a\n",
    FileType.PDF: b"%PDF-",
}
# How far from the beginning and the end of a file readers still look for the marks of a PDF.
MARGIN: Final = 1024
MOST_PAGES: Final = 200
MOST_KEPT: Final = 20 * 1024 * 1024  # bytes of a copy


class Kind(StrEnum):
    """What is asked for: a photo, always a JPEG, or a document for reading.

    A person's photo is small; one that everybody looks at is larger, and has a thumbnail beside it.
    """

    PHOTO = "photo"
    SHOWN_PHOTO = "shown_photo"
    THUMBNAIL = "thumbnail"
    DOCUMENT = "document"


class Part(StrEnum):
    """What a PDF had and its copy lacks."""

    SCRIPTS = "scripts"
    ACTIONS = "actions"
    ATTACHMENTS = "attachments"
    MEDIA = "media"
    FORM = "form"


class Cause(StrEnum):
    """Why there is no copy."""

    UNKNOWN_TYPE = "unknown_type"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_COMPLEX = "too_complex"
    PASSWORD = "password"  # noqa: S105
    NO_PAGES = "no_pages"
    TOO_MANY_PAGES = "too_many_pages"
    PORTFOLIO = "portfolio"
    UNDRAWN = "undrawn"
    BUSY = "busy"


class Refused(Exception):
    """No copy is made; `cause` says why."""

    def __init__(self, cause: Cause) -> None:
        self.cause = cause
        super().__init__(cause)


@dataclass(frozen=True)
class Copy:
    """A copy to keep: its bytes, what they are, what was left out, and of a picture width and height in pixels."""

    content: bytes
    file_type: FileType
    left_out: frozenset[Part] = frozenset()
    size: tuple[int, int] = (0, 0)
