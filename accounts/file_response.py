"""Files of families, as they go out again: never guessed at, never run, never kept by a cache."""

from django.db.models.fields.files import FieldFile
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from accounts.file_names import name_for_people
from accounts.safe_copy import FileType
from accounts.uploads import CONTENT_TYPES, type_of


def file_response(file: FieldFile, *, name: str, shown: bool = False) -> HttpResponse:
    """A stored file as a download; a picture to be looked at where it may be `shown`.

    Its type is that of the stored file, and its name ends accordingly, whatever its sender called it. Read as a whole:
    uploads are small, and nothing stays open when the browser goes away. Raises FileNotFoundError, also where the file
    was deleted because its time was over.
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
    # A browser draws the page around a picture itself, with a style of its own.
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    response["Cache-Control"] = "private, no-store"
    return response
