"""PDFs rewritten: only the pages, and only what draws on them.

What is kept is an allowlist of names, so nothing has to be known about what is left out: scripts, actions, attached
files, forms and whatever later versions of PDF add are not on the list. `left_out` names the known ones for the sender.
The programs inside fonts and the contents of pictures are not inspected.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, ObjectSet, ObjectStreamMode, Stream, StreamDecodeLevel, settings

from accounts.safe_copy import MARGIN, MOST_KEPT, MOST_PAGES, Cause, Copy, FileType, Part, Refused
from accounts.safe_copy.pdf_names import (
    ACTIONS,
    DRAWING,
    KEYS,
    NAME_TABLES,
    NOTES,
    PAGE,
    PICTURES,
    SUBTYPES,
    UNPACKING,
)

END: Final = b"%%EOF"
MOST_OBJECTS: Final = 50_000
# Dictionaries and arrays (one object may hold many), and the entries of all of them.
MOST_ENTRIES: Final = 1_000_000
MOST_NESTING: Final = 50
MOST_FILTERS: Final = 4
# Bytes of one stream, and of all of them that are pictures; those that are packed as pictures are not counted. A page
# of A4 at 600 dots an inch in three colours has 104 million.
MOST_IN_STREAM: Final = 128 * 1024 * 1024
MOST_IN_PICTURES: Final = 512 * 1024 * 1024
# Bytes of all others: what draws the pages, forms, fonts. A page of text has some ten thousand. They are looked
# through, which takes twelve times as long as unpacking them.
MOST_DRAWING: Final = 24 * 1024 * 1024
MOST_IMAGE_PIXELS: Final = 200_000_000
# An operator that puts something on the page.
PAINTING: Final = re.compile(rb"(?:^|[\s\])>}])(?:Tj|TJ|'|\"|Do|[fFBbSs]\*?|sh|EI)(?=$|[\s\[(</%])")


def copy_pdf(content: bytes) -> Copy:
    """The pages of `content` as a PDF of their own; what is drawn by annotations and forms is drawn on the pages.

    Raises `Refused` (DAMAGED, PASSWORD, NO_PAGES, TOO_MANY_PAGES, TOO_COMPLEX, PORTFOLIO, UNDRAWN). Changes settings of
    qpdf that hold for the whole process.
    """
    if END not in content[-MARGIN:]:
        # It was cut: what could be read of it is not the document.
        raise Refused(Cause.DAMAGED)
    settings.set_qpdf_limits(
        parser_max_nesting=MOST_NESTING,
        parser_max_container_size=MOST_ENTRIES,
        max_stream_filters=MOST_FILTERS,
        flate_max_memory=MOST_IN_STREAM,
        png_max_memory=MOST_IN_STREAM,
        run_length_max_memory=MOST_IN_STREAM,
        tiff_max_memory=MOST_IN_STREAM,
    )
    limits_met = settings.qpdf_limit_errors()
    try:
        with pikepdf.explicit_conversion(), pikepdf.open(io.BytesIO(content)) as source:
            return _copy(source)
    except pikepdf.PasswordError:
        raise Refused(Cause.PASSWORD) from None
    except (pikepdf.PikepdfError, ValueError, TypeError, KeyError, RuntimeError, OverflowError) as error:
        raise Refused(_cause(error, is_limit=settings.qpdf_limit_errors() > limits_met)) from error


def _cause(error: Exception, *, is_limit: bool) -> Cause:
    """Why qpdf failed; most causes can be told apart only by its messages."""
    words = str(error).lower()
    if is_limit or "limit exceeded" in words:
        return Cause.TOO_COMPLEX
    return Cause.PASSWORD if "encrypt" in words else Cause.DAMAGED


def _copy(source: pikepdf.Pdf) -> Copy:
    if len(source.objects) > MOST_OBJECTS:
        raise Refused(Cause.TOO_COMPLEX)
    left_out = frozenset(_known_parts(source))
    pages = list(source.pages[: MOST_PAGES + 1])
    if not pages:
        raise Refused(Cause.NO_PAGES)
    if len(pages) > MOST_PAGES:
        raise Refused(Cause.TOO_MANY_PAGES)
    form = source.Root.get("/AcroForm")
    _refuse_undrawn(source.Root, pages, form=form if isinstance(form, Dictionary) else Dictionary())
    source.flatten_annotations("all")
    _keep_drawing(source, pages)
    if not _paint_anything(pages):
        raise Refused(Cause.NO_PAGES)
    return Copy(content=_write(pages), file_type=FileType.PDF, left_out=left_out)


def _known_parts(source: pikepdf.Pdf) -> Iterator[Part]:
    """What the copy will lack, anywhere in the file. Raises `Refused(TOO_COMPLEX)`."""
    entries = 0
    for item in _containers(source.objects):
        entries += len(item) if isinstance(item, Array) else len(_keys(item))
        if entries > MOST_ENTRIES:
            raise Refused(Cause.TOO_COMPLEX)
        if isinstance(item, Array):
            continue
        yield from (KEYS[key] for key in _keys(item) if key in KEYS)
        for key, parts in (("/S", ACTIONS), ("/Subtype", SUBTYPES)):
            value = item.get(key)
            if isinstance(value, Name) and str(value) in parts:
                yield parts[str(value)]


def _containers(found: Iterable[pikepdf.Object]) -> Iterator[pikepdf.Object]:
    """Every dictionary, array and stream among `found` and directly inside them."""
    for item in found:
        waiting = [item]
        while waiting:
            one = waiting.pop()
            # Null is None.
            if isinstance(one, Dictionary | Array | Stream):
                yield one
                waiting += [value for value in _values(one) if value is not None and not value.is_indirect]


def _values(item: pikepdf.Object) -> list[pikepdf.Object]:
    return list(item) if isinstance(item, Array) else [item[key] for key in _keys(item)]


def _keys(item: pikepdf.Object) -> list[str]:
    return list(item.keys())


def _refuse_undrawn(root: pikepdf.Object, pages: Sequence[pikepdf.Page], *, form: pikepdf.Object) -> None:
    """Raise `Refused` if something meant to be read would be missing from the pages."""
    if "/Collection" in root:
        raise Refused(Cause.PORTFOLIO)
    if "/XFA" in form and ("/NeedsRendering" in root or not _values(form.get("/Fields", Array()))):
        raise Refused(Cause.UNDRAWN)
    stale = form.get("/NeedAppearances") == True  # noqa: E712 - an object of the PDF
    for page in pages:
        annotations = page.obj.get("/Annots")
        for annotation in annotations if isinstance(annotations, Array) else ():
            if isinstance(annotation, Dictionary) and _says_undrawn(annotation, stale=stale):
                raise Refused(Cause.UNDRAWN)
    if stale:
        # Nothing is left to draw, and qpdf would draw nothing at all.
        del form["/NeedAppearances"]


def _says_undrawn(annotation: pikepdf.Object, *, stale: bool) -> bool:
    subtype = annotation.get("/Subtype")
    appearances = annotation.get("/AP")
    drawn = isinstance(appearances, Dictionary) and "/N" in appearances
    if subtype == Name.Widget:
        return _is_filled_in(annotation) and (stale or not drawn)
    return str(subtype) in NOTES and not drawn


def _is_filled_in(field: pikepdf.Object) -> bool:
    """Whether it is a text field or a choice with a value, its own or inherited."""
    kind = value = None
    for _step in range(MOST_NESTING):
        kind, value = kind or field.get("/FT"), value or field.get("/V")
        parent = field.get("/Parent")
        if not isinstance(parent, Dictionary):
            break
        field = parent
    return kind in (Name.Tx, Name.Ch) and value is not None and len(bytes(value)) > 0


def _keep_drawing(source: pikepdf.Pdf, pages: Sequence[pikepdf.Page]) -> None:
    """Remove what does not draw from the pages and all they refer to. Raises `Refused(TOO_COMPLEX)`."""
    tables, others = ObjectSet(), ObjectSet()
    room = {True: MOST_IN_PICTURES, False: MOST_DRAWING}
    for page in pages:
        _strip(page.obj, PAGE)
        others.add(page.obj)
        waiting = [(page.obj[key], False) for key in _keys(page.obj)]
        while waiting:
            item, is_table = waiting.pop()
            if not isinstance(item, Dictionary | Array | Stream):
                continue
            if item.is_indirect and not (tables if is_table else others).add(item):
                continue
            if isinstance(item, Stream):
                is_picture = item.get("/Subtype") == Name.Image
                room[is_picture] -= _unpack(source, item)
                if room[is_picture] < 0:
                    raise Refused(Cause.TOO_COMPLEX)
            if isinstance(item, Array):
                waiting += [(value, False) for value in item]
            else:
                if not is_table:
                    _strip(item, DRAWING)
                waiting += [(item[key], _is_table(key, item[key])) for key in _keys(item)]


def _is_table(key: str, value: pikepdf.Object) -> bool:
    return key in NAME_TABLES and isinstance(value, Dictionary)


def _strip(item: pikepdf.Object, kept: frozenset[str]) -> None:
    for key in _keys(item):
        if key not in kept:
            del item[key]


def _unpack(source: pikepdf.Pdf, stream: pikepdf.Object) -> int:
    """How many bytes the stream holds when unpacked. Raises `Refused` (DAMAGED, TOO_COMPLEX)."""
    if stream.get("/Subtype") == Name.PS:
        # PostScript, for printers; without its name it does nothing.
        del stream["/Subtype"]
    if int(stream.get("/Width", 0)) * int(stream.get("/Height", 0)) > MOST_IMAGE_PIXELS:
        raise Refused(Cause.TOO_COMPLEX)
    filters = [str(name) for name in _listed(stream.get("/Filter"))]
    if len(filters) > MOST_FILTERS:
        raise Refused(Cause.TOO_COMPLEX)
    is_picture = bool(filters) and filters[-1] in PICTURES
    packing = filters[:-1] if is_picture else filters
    if not UNPACKING.issuperset(packing):
        raise Refused(Cause.DAMAGED)
    if not is_picture:
        return len(_read(stream))
    if packing:
        _lay_bare(source, stream, packing=packing)
    return 0


def _lay_bare(source: pikepdf.Pdf, stream: pikepdf.Object, *, packing: Sequence[str]) -> None:
    """Undo the outer packing of an already packed picture, so that nothing else has to unpack it without a limit."""
    given = _listed(stream.get("/DecodeParms"))
    parameters = [value if isinstance(value, Dictionary) else None for value in given]
    parameters += [None] * (len(packing) + 1 - len(parameters))
    packed = source.make_stream(stream.read_raw_bytes())
    packed["/Filter"] = Array(map(Name, packing))
    packed["/DecodeParms"] = Array(parameters[: len(packing)])
    picture = Name(str(_listed(stream.get("/Filter"))[-1]))
    stream.write(_read(packed), filter=picture, decode_parms=parameters[len(packing)])


def _read(stream: pikepdf.Object) -> bytes:
    return bytes(stream.read_bytes(StreamDecodeLevel.specialized))


def _listed(value: pikepdf.Object | None) -> list[pikepdf.Object]:
    """A list, whether the value is one object or an array of several."""
    if value is None:
        return []
    return list(value) if isinstance(value, Array) else [value]


def _paint_anything(pages: Iterable[pikepdf.Page]) -> bool:
    """Whether anything is put on any page. Raises `Refused(TOO_COMPLEX)`."""
    # Whatever type these streams claim, and however many pages share one.
    room = MOST_DRAWING
    for page in pages:
        for stream in _listed(page.obj.get("/Contents")):
            if isinstance(stream, Stream):
                drawing = _read(stream)
                room -= len(drawing)
                if room < 0:
                    raise Refused(Cause.TOO_COMPLEX)
                if PAINTING.search(drawing):
                    return True
    return False


def _write(pages: Sequence[pikepdf.Page]) -> bytes:
    copy = pikepdf.new()
    for page in pages:
        copy.pages.append(page)
    buffer = io.BytesIO()
    copy.save(
        buffer,
        object_stream_mode=ObjectStreamMode.disable,
        deterministic_id=True,
    )
    if buffer.tell() > MOST_KEPT:
        raise Refused(Cause.TOO_COMPLEX)
    return buffer.getvalue()
