"""Families' files as responses: the type is never guessed, nothing is run, no cache keeps them."""

from django.db.models.fields.files import FieldFile
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from accounts.file_names import name_for_people
from accounts.safe_copy import FileType
from accounts.uploads import CONTENT_TYPES, type_of


def file_response(file: FieldFile, *, name: str, shown: bool = False) -> HttpResponse:
    """A stored file as a download; with `shown`, a picture is displayed instead.

    The type is that of the stored file, and the name ends accordingly, whatever the sender called it. The file is read
    whole: uploads are small, and nothing stays open when the browser disconnects. Raises FileNotFoundError, also when
    the file was deleted because its retention period was over.
    """
    if not file:
        raise FileNotFoundError
    with file.open("rb") as stored:
        content = stored.read()
    file_type = type_of(file.name or "")
    response = HttpResponse(content, content_type=CONTENT_TYPES[file_type])
    download = not shown or file_type is FileType.PDF
    disposition = content_disposition_header(download, name_for_people(name, file_type))
    response["Content-Disposition"] = disposition or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    # A browser shows a picture inside a page of its own, which it styles inline.
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    response["Cache-Control"] = "private, no-store"
    return response
