"""Files that parents send: copied safely, renamed, and only then kept.

The type is what the content decodes as, not what the name or the browser says. Nothing is kept as it came: pictures are
redrawn, and PDFs are rewritten (docs/adr/0012-uploads.md). All of it happens within the request, so a family that sent
a file in time knows at once whether it is accepted.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import limits
from accounts.file_names import name_for_people
from accounts.models import User
from accounts.safe_copy import MOST_PAGES, Cause, Copy, FileType, Kind, Part, Refused
from accounts.safe_copy.process import Turn, safe_copy, turn
from notifications.alone import alone_in_transaction
from notifications.clock import read_clock

T = TypeVar("T")

CONTENT_TYPES: Final = {
    FileType.JPEG: "image/jpeg",
    FileType.PNG: "image/png",
    FileType.PDF: "application/pdf",
}
# What a file chooser offers. Without HEIC in the list, telephones turn it into a JPEG twice as large. The browser
# shrinks photos that are larger than the largest file allowed (static/js/photos.js).
_PICTURES: Final = ".jpg,.jpeg,.png,.webp,.heic,.heif"
# Copy it: widgets write into what they are given.
PHOTO_INPUT: Final = {"accept": _PICTURES, "data-largest": str(settings.UPLOAD_MAX_BYTES)}
DOCUMENT_INPUT: Final = PHOTO_INPUT | {"accept": f".pdf,{_PICTURES}"}

_CAUSES: Final[dict[Cause, Promise]] = {
    Cause.DAMAGED: gettext_lazy("The file is damaged or not complete. Make it anew, or choose another one."),
    Cause.TOO_MANY_PIXELS: gettext_lazy(
        "The picture is too large. The largest allowed size, megapixels: %(megapixels)s. Save it smaller or as a JPEG."
    ),
    Cause.TOO_COMPLEX: gettext_lazy(
        "The file takes too long to read. Print it into a new PDF, or photograph the paper."
    ),
    Cause.PASSWORD: gettext_lazy(
        "The PDF opens only with a password. Save it without the password, or photograph the paper."
    ),
    Cause.NO_PAGES: gettext_lazy(
        "There is nothing on the pages of the PDF. Make it anew, or photograph the paper."
    ),
    Cause.TOO_MANY_PAGES: gettext_lazy(
        "The PDF has too many pages. The most that is allowed: %(pages)s. Send only the pages that are needed."
    ),
    Cause.PORTFOLIO: gettext_lazy(
        "This PDF is a folder with other files inside. Send those files one by one."
    ),
    Cause.UNDRAWN: gettext_lazy(
        "Part of this PDF is not on its pages: a form or notes that only some programs show. Print it into a new PDF, "
        "or photograph the paper."
    ),
    Cause.BUSY: gettext_lazy("Many files are being checked just now. Choose the file again in a minute."),
}
_UNKNOWN: Final[dict[Kind, Promise]] = {
    Kind.DOCUMENT: gettext_lazy(
        "The file is neither a PDF nor a picture (JPEG, PNG, HEIC, WebP). Photograph the paper, or save it as a PDF."
    ),
    **dict.fromkeys(
        (Kind.PHOTO, Kind.SHOWN_PHOTO, Kind.THUMBNAIL),
        gettext_lazy("The file is not a picture (JPEG, PNG, HEIC, WebP). Choose another photo."),
    ),
}
# Parts whose loss may have changed more than the look of the file.
_TOLD: Final[dict[Part, Promise]] = {
    Part.ATTACHMENTS: gettext_lazy("attached files"),
    Part.MEDIA: gettext_lazy("sound and films"),
}


@dataclass(frozen=True)
class Upload:
    """A file that may be kept: the sender's name for it, with the ending of its true type, and its safe copy."""

    name: str
    copy: Copy

    @property
    def file(self) -> "ContentFile[bytes]":
        """The copy under a random name."""
        return ContentFile(self.copy.content, name=random_name(self.copy.file_type))

    @property
    def loss(self) -> str:
        """A sentence for the sender about what the copy lacks; empty if nothing important is missing."""
        parts = [str(_TOLD[part]) for part in Part if part in self.copy.left_out and part in _TOLD]
        if not parts:
            return ""
        return _(
            "Not kept of the file %(name)s: %(parts)s. If they matter, send them as files of their own."
        ) % {
            "name": self.name,
            "parts": ", ".join(parts),
        }


def check_documents(files: "Sequence[File[bytes]]", *, sender: User) -> list[Upload]:
    """Safe copies of the `files` (pictures and PDFs) that `sender` hands in at once.

    Raises `ValidationError` with a sentence for each file that can't be accepted, or with one for all of them if the
    sender has handed in too many within an hour or is handing in others right now, or if too many other people are.
    Takes `process.REQUEST_SECONDS` at most, so call it last, once everything else that was sent is valid.
    """
    with _one_press(sender) as own_turn:
        return each_named(files, lambda file: _check(file, kind=Kind.DOCUMENT, turn=own_turn))


def each_named(files: "Sequence[File[bytes]]", check: "Callable[[File[bytes]], T]") -> list[T]:
    """The result of `check` for each file. Raises its `ValidationError`s together; with several files, each is named.

    It stops at the first file for which there is no room: there is none for the others either.
    """
    checked, faults = [], []
    for file in files:
        try:
            checked.append(check(file))
        except ValidationError as fault:
            if getattr(fault, "code", None) == Cause.BUSY:
                raise
            prefix = f"{file.name}: " if len(files) > 1 else ""
            faults += [
                ValidationError(prefix + message, code=fault.error_list[0].code) for message in fault.messages
            ]
    if faults:
        raise ValidationError(faults)
    return checked


def check_photo(file: "File[bytes]", *, sender: User) -> Upload:
    """A person's photo as a small JPEG; raises `ValidationError` like `check_documents`."""
    with _one_press(sender) as own_turn:
        return _check(file, kind=Kind.PHOTO, turn=own_turn)


def check_shown_photo(file: "File[bytes]", *, sender: User) -> tuple[Upload, Upload]:
    """A photo for everybody, large and as a thumbnail; raises `ValidationError` like `check_documents`."""
    with _one_press(sender) as own_turn:
        large = _check(file, kind=Kind.SHOWN_PHOTO, turn=own_turn)
        return large, _check(file, kind=Kind.THUMBNAIL, turn=own_turn)


def random_name(file_type: FileType) -> str:
    """A name for a stored file: it can't be guessed and tells nothing but the type."""
    return f"{uuid.uuid4().hex}.{file_type}"


def type_of(name: str) -> FileType:
    """The type of a stored file, by the ending of its name."""
    return FileType(PurePath(name).suffix.removeprefix("."))


@contextmanager
def _one_press(sender: User) -> Iterator[Turn]:
    """The turn for one sender's files. One upload at a time per sender, across all processes; each is counted."""
    with alone_in_transaction(f"upload {sender.pk}") as is_alone:
        if not is_alone:
            raise ValidationError(
                _(
                    "Other files of yours are being checked just now. Wait until that is done, then send these."
                ),
                code="under_way",
            )
        try:
            _count(sender)
            with turn() as taken:
                yield taken
        except Refused as refused:
            raise _sentence(refused.cause, kind=Kind.DOCUMENT) from None


def _count(sender: User) -> None:
    allowed = limits.allow(limits.UPLOADS_PER_ACCOUNT, str(sender.pk), now=read_clock())
    if not allowed.ok:
        at = date_format(localtime(allowed.retry_at), "H:i") if allowed.retry_at else "—"
        raise ValidationError(
            _("You sent too many files within an hour. You can send files again at: %(time)s") % {"time": at},
            code="too_many_uploads",
        )


def _check(file: "File[bytes]", *, kind: Kind, turn: Turn) -> Upload:
    content = _read(file)
    try:
        copy = safe_copy(content, kind=kind, most_pixels=settings.UPLOAD_MAX_PIXELS, turn=turn)
    except Refused as refused:
        raise _sentence(refused.cause, kind=kind) from None
    return Upload(name=name_for_people(file.name or "", copy.file_type), copy=copy)


def _read(file: "File[bytes]") -> bytes:
    largest = settings.UPLOAD_MAX_BYTES
    if file.size > largest:
        raise ValidationError(
            _(
                "The file is too large. The largest allowed size, MB: %(megabytes)s. Save it smaller, or photograph "
                "the paper at a lower resolution."
            )
            % {"megabytes": largest // (1024 * 1024)},
            code="too_large",
        )
    file.seek(0)
    content: bytes = file.read()
    if not content:
        raise ValidationError(_("The file is empty. Choose another one"), code="empty")
    return content


def _sentence(cause: Cause, *, kind: Kind) -> ValidationError:
    words = _UNKNOWN[kind] if cause is Cause.UNKNOWN_TYPE else _CAUSES[cause]
    values: dict[str, Any] = {"megapixels": settings.UPLOAD_MAX_PIXELS // 1_000_000, "pages": MOST_PAGES}
    return ValidationError(str(words) % values, code=cause)
