"""PDFs from strangers: what draws stays, everything else is dropped, and what can't be repaired is refused by name."""

import io
import zlib

import pikepdf
import pytest
from pypdf import PdfReader
from weasyprint import HTML, Attachment

from accounts.safe_copy import MOST_PAGES, Cause, FileType, Part, Refused
from accounts.safe_copy import pdf as module
from accounts.safe_copy.pdf import copy_pdf
from tests.accounts.safe_copy.pdfs import (
    PAGE_TEXT,
    PREDICTED,
    active_names,
    compact,
    objects,
    packed,
    pdf,
    png_predicted,
    stream,
    write,
)

SCRIPT = b"<< /S /JavaScript /JS (app.alert(1)) >>"
SPEC = b"<< /Type /Filespec /F (a.exe) /EF << /F 11 0 R >> >>"
EMBEDDED = stream(b"MZ", b"/Type /EmbeddedFile")
FORM = stream(b"0 0 9 9 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] ")
XMP = stream(b"<x:xmpmeta/>", b"/Type /Metadata /Subtype /XML")
HIDDEN = {10: b"<< /Type /Action /S /JavaScript /JS (app.alert(1)) >>"}


def refusal(content: bytes) -> Cause:
    with pytest.raises(Refused) as caught:
        copy_pdf(content)
    return caught.value.cause


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def appended(content: bytes, number: int, body: bytes) -> bytes:
    """An incremental update, as a program writes that saves without rewriting the file."""
    previous = content.rindex(b"xref\n0")
    offset, out = len(content), content + b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n%d 1\n%010d 00000 n \n" % (number, offset)
    return out + b"trailer\n<< /Size 20 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (previous, start)


ACTIVE_FILES = {
    "a script that starts": pdf(root=b"/OpenAction " + SCRIPT),
    "a script in a part of its own": pdf(root=b"/OpenAction 10 0 R", _10=SCRIPT),
    "letters of names as numbers": pdf(root=b"/Open#41ction << /#53 /#4a#61vaScript /J#53 (x) >>"),
    "a script among the names": pdf(root=b"/Names << /JavaScript << /Names [(a) " + SCRIPT + b"] >> >>"),
    "a script as a stream": pdf(root=b"/OpenAction << /S /JavaScript /JS 10 0 R >>", _10=packed(b"app.alert(1)")),
    "an action of the document": pdf(root=b"/AA << /WC " + SCRIPT + b" >>"),
    "an action of the page": pdf(page=b"/AA << /O " + SCRIPT + b" >>"),
    "a chain of actions": pdf(root=b"/OpenAction << /S /Named /N /Print /Next [" + SCRIPT + b" 10 0 R] >>", _10=SCRIPT),
    "a chain that bites its tail": pdf(root=b"/OpenAction 10 0 R", _10=b"<< /S /URI /URI (a) /Next 10 0 R >>"),
    "a link": pdf(page=b"/Annots [<< /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://x.kz) >> >>]"),
    "a form that is sent": pdf(root=b"/OpenAction << /S /SubmitForm /F (http://x.kz) >>"),
    "a form that is filled from a file": pdf(root=b"/OpenAction << /S /ImportData /F (x.fdf) >>"),
    "a path in the network": pdf(root=rb"/OpenAction << /S /GoToR /F (\\\\10.0.0.1\\share\\a.pdf) /D [0 /Fit] >>"),
    "a file inside a file": pdf(root=b"/OpenAction << /S /GoToE /T << /R /C /N (a.pdf) >> >>"),
    "a program": pdf(root=b"/OpenAction << /S /Launch /F (calc.exe) /Win << /F (calc.exe) >> >>"),
    "a bookmark": pdf(
        root=b"/Outlines 10 0 R",
        _10=b"<< /First 11 0 R /Last 11 0 R /Count 1 >>",
        _11=b"<< /Title (a) /Parent 10 0 R /A " + SCRIPT + b" >>",
    ),
    "attached files": pdf(root=b"/Names << /EmbeddedFiles << /Names [(a) 10 0 R] >> >>", _10=SPEC, _11=EMBEDDED),
    "associated files": pdf(root=b"/AF [10 0 R]", page=b"/AF [10 0 R]", _10=SPEC, _11=EMBEDDED),
    "a file pinned to the page": pdf(
        page=b"/Annots [<< /Subtype /FileAttachment /Rect [0 0 9 9] /FS 10 0 R >>]", _10=SPEC, _11=stream(b"MZ")
    ),
    "a film": pdf(page=b"/Annots [<< /Subtype /Movie /Rect [0 0 9 9] /Movie << /F (a.mov) >> /A true >>]"),
    "rich media": pdf(
        page=b"/Annots [<< /Subtype /RichMedia /Rect [0 0 9 9] "
        b"/RichMediaContent << /Assets << /Names [(a) 10 0 R] >> >> >>]",
        _10=SPEC,
        _11=EMBEDDED,
    ),
    "a rendition": pdf(
        page=b"/Annots [<< /Subtype /Screen /Rect [0 0 9 9] "
        b"/A << /S /Rendition /OP 0 /R << /S /MR /C << /D 10 0 R >> >> >> >>]",
        _10=SPEC,
        _11=EMBEDDED,
    ),
    "a form that counts": pdf(
        root=b"/AcroForm << /Fields [10 0 R] /CO [10 0 R] >>",
        page=b"/Annots [10 0 R]",
        _10=b"<< /Subtype /Widget /FT /Tx /T (a) /Rect [0 0 9 9] /AA << /C " + SCRIPT + b" >> /P 3 0 R >>",
    ),
    "a form in XML beside the old one": pdf(
        root=b"/AcroForm << /Fields [10 0 R] /XFA 11 0 R >>",
        page=b"/Annots [10 0 R]",
        _10=b"<< /Subtype /Widget /FT /Btn /T (a) /Rect [0 0 9 9] /P 3 0 R >>",
        _11=packed(b"<xdp/>"),
    ),
    "metadata": pdf(root=b"/Metadata 10 0 R", page=b"/Metadata 10 0 R", _10=XMP),
    "another file's page": pdf(
        resources=b"/XObject << /X 10 0 R >>",
        _10=stream(b"", b"/Subtype /Form /BBox [0 0 9 9] /Ref << /F (http://x.kz/a.pdf) /Page 0 >> /PieceInfo << >>"),
    ),
    "PostScript": pdf(resources=b"/XObject << /X 10 0 R >>", _10=stream(b"quit", b"/Type /XObject /Subtype /PS")),
    "a picture that lies elsewhere": pdf(
        resources=b"/XObject << /X 10 0 R >>",
        _10=stream(
            b"\0",
            b"/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
            b"/F << /FS /URL /F (http://x.kz) >> /FFilter /FlateDecode /Alternates [<< /Image 10 0 R >>] "
            b"/OPI << /2.0 << >> >>",
        ),
    ),
    "a page's text that lies elsewhere": write(
        objects() | {4: stream(PAGE_TEXT, b"/F << /FS /URL /F (http://x.kz) >> /FDecodeParms << >>")}
    ),
    "resources that are the page and the catalog": pdf(
        root=b"/OpenAction " + SCRIPT,
        page=b"/AA << /O " + SCRIPT + b" >>",
        resources=b"/Pattern 1 0 R /Shading 3 0 R /ColorSpace << /C [/Pattern 1 0 R] /D 3 0 R >>",
    ),
    "an object stream with a predictor": compact(
        objects(root=b"/OpenAction 10 0 R"), HIDDEN, pack=png_predicted, entries=PREDICTED
    ),
    "an object stream in hexadecimal without a type": compact(
        objects(root=b"/OpenAction 10 0 R"),
        HIDDEN,
        pack=lambda data: data.hex().encode() + b">",
        entries=b"/Filter /ASCIIHexDecode",
        name=b"/Nothing",
    ),
    "an object stream packed twice": compact(
        objects(root=b"/OpenAction 10 0 R"),
        HIDDEN,
        pack=lambda data: zlib.compress(zlib.compress(data)).hex().encode() + b">",
        entries=b"/Filter [/ASCIIHexDecode /FlateDecode /FlateDecode]",
    ),
    "an object stream whose length is another object": compact(
        objects(root=b"/OpenAction 10 0 R", _20=b"7"),
        HIDDEN,
        pack=zlib.compress,
        entries=b"/Filter /FlateDecode /Length 20 0 R",
    ),
    "an object stream after a single CR": compact(
        objects(root=b"/OpenAction 10 0 R"), HIDDEN, pack=zlib.compress, entries=b"/Filter /FlateDecode", line_end=b"\r"
    ),
    "an update that adds a script": appended(pdf(), 1, b"<< /Pages 2 0 R /OpenAction " + SCRIPT + b" >>"),
    "an update that hides a script": appended(
        pdf(root=b"/OpenAction " + SCRIPT), 1, b"<< /Type /Catalog /Pages 2 0 R >>"
    ),
    "a key twice": pdf(root=b"/OpenAction null /OpenAction " + SCRIPT),
    "a table of offsets that lies": pdf(root=b"/OpenAction " + SCRIPT).replace(b"\n0000000009", b"\n0000000001"),
    "no table of offsets": pdf(root=b"/OpenAction " + SCRIPT).replace(b"xref", b"yref"),
    "an object's number twice": pdf(root=b"/OpenAction 10 0 R", _10=b"null").replace(
        b"10 0 obj\nnull\nendobj", b"10 0 obj\nnull\nendobj\n10 0 obj\n" + SCRIPT + b"\nendobj"
    ).replace(b"xref", b"yref"),
    "something else in front": write(objects(root=b"/OpenAction " + SCRIPT), before=b"MZ\x90\0" * 200),
    "words behind the end": pdf(root=b"/OpenAction " + SCRIPT) + b"<script>alert(1)</script>",
    "comments between the signs": pdf(root=b"/OpenAction%\r<<%a\n/S%\n/JavaScript%\n/JS%\n(x)>>"),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVE_FILES)
def test_nothing_active_is_left_and_the_page_still_reads(name):
    content = ACTIVE_FILES[name]
    copy = copy_pdf(content)
    assert copy.file_type is FileType.PDF
    assert not active_names(copy.content)
    assert text_of(copy.content) == "Anyqtama"
    assert b"alert" not in copy.content
    assert b"x.kz" not in copy.content


def test_the_search_for_active_names_finds_them():
    """The control: without a copy the same reader finds something in every one of the files that it can read."""
    broken = {
        "an object stream in hexadecimal without a type",
        "an object's number twice",
        "no table of offsets",
    }
    silent = {name for name in ACTIVE_FILES if name not in broken and not active_names(ACTIVE_FILES[name])}
    assert silent == {"an update that hides a script"}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("a script that starts", Part.SCRIPTS),
        ("letters of names as numbers", Part.SCRIPTS),
        ("an object stream with a predictor", Part.SCRIPTS),
        ("a link", Part.ACTIONS),
        ("a path in the network", Part.ACTIONS),
        ("a form that is sent", Part.ACTIONS),
        ("attached files", Part.ATTACHMENTS),
        ("associated files", Part.ATTACHMENTS),
        ("a file pinned to the page", Part.ATTACHMENTS),
        ("rich media", Part.MEDIA),
        ("a rendition", Part.MEDIA),
        ("a form that counts", Part.FORM),
    ],
)
def test_what_was_left_out_is_named(name, part):
    assert part in copy_pdf(ACTIVE_FILES[name]).left_out


def test_what_is_only_called_an_action_stays_without_what_it_does():
    """The names of resources are the author's: a font may be called A."""
    content = pdf(
        resources=b"/ExtGState << /AA " + SCRIPT + b" /A 10 0 R >>",
        _10=b"<< /S /URI /URI (http://x.kz) /AA 10 0 R >>",
    )
    states = PdfReader(io.BytesIO(copy_pdf(content).content)).pages[0]["/Resources"]["/ExtGState"]
    assert {name: dict(states[name]) for name in states} == {
        "/AA": {"/S": "/JavaScript"},
        "/A": {"/S": "/URI"},
    }


def test_of_a_plain_page_nothing_is_left_out():
    assert copy_pdf(pdf()).left_out == frozenset()


class TestHarmless:
    def test_a_pdf_that_forbids_copying(self):
        opened = pikepdf.open(io.BytesIO(pdf()))
        locked = io.BytesIO()
        forbidden = pikepdf.Permissions(extract=False, modify_other=False, print_highres=False)
        opened.save(locked, encryption=pikepdf.Encryption(owner="secret", user="", allow=forbidden))
        copy = copy_pdf(locked.getvalue())
        assert text_of(copy.content) == "Anyqtama"
        assert not PdfReader(io.BytesIO(copy.content)).is_encrypted

    def test_a_pdf_with_a_description_in_xml(self):
        assert text_of(copy_pdf(pdf(root=b"/Metadata 10 0 R", _10=XMP)).content) == "Anyqtama"

    def test_an_invoice_with_its_xml(self):
        html = HTML(string="<h1>Анықтама</h1><p><a href='https://egov.kz'>egov.kz</a></p>")
        content = html.write_pdf(attachments=[Attachment(string="<xml/>", name="a.xml")], pdf_tags=True)
        copy = copy_pdf(content)
        assert "Анықтама" in text_of(copy.content)
        assert copy.left_out == {Part.ATTACHMENTS, Part.ACTIONS}
        assert not active_names(copy.content)

    def test_pictures_and_their_masks(self):
        html = HTML(string=f"<p>Сурет</p><img src='data:image/png;base64,{_png()}'>")
        copy = copy_pdf(html.write_pdf())
        (picture,) = PdfReader(io.BytesIO(copy.content)).pages[0].images
        assert picture.image is not None
        assert picture.image.convert("RGBA").getpixel((1, 1)) == (200, 30, 30, 128)

    def test_what_a_form_and_a_stamp_show_is_on_the_page(self):
        shown = stream(
            PAGE_TEXT,
            b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /Font << /F1 5 0 R >> >>",
        )
        content = pdf(
            text=b"0 0 1 1 re f",
            root=b"/AcroForm << /Fields [10 0 R] >>",
            page=b"/Annots [10 0 R << /Subtype /Stamp /Rect [0 0 600 800] /AP << /N 11 0 R >> >>]",
            _10=b"<< /Subtype /Widget /FT /Tx /V (Anyqtama) /T (a) /Rect [0 0 600 800] /AP << /N 11 0 R >> /P 3 0 R >>",
            _11=shown,
        )
        copy = copy_pdf(content)
        assert text_of(copy.content).split() == ["Anyqtama", "Anyqtama"]
        assert not active_names(copy.content)

    def test_boxes_that_are_ticked_stay_so(self):
        content = pdf(
            text=b"0 0 1 1 re f",
            root=b"/AcroForm << /Fields [10 0 R] /NeedAppearances true >>",
            page=b"/Annots [10 0 R]",
            _10=b"<< /Subtype /Widget /FT /Btn /V /Yes /AS /Yes /T (a) /Rect [0 0 600 800] "
            b"/AP << /N << /Yes 11 0 R >> >> >>",
            _11=stream(
                PAGE_TEXT, b"/Subtype /Form /BBox [0 0 600 800] /Resources << /Font << /F1 5 0 R >> >>"
            ),
        )
        assert text_of(copy_pdf(content).content) == "Anyqtama"

    @pytest.mark.parametrize("coding", [b"/JBIG2Decode", b"/JPXDecode", b"/CCITTFaxDecode", b"/DCTDecode"])
    def test_coded_pictures_pass_as_they_are(self, coding):
        """Nothing here decodes them, and some of it could not without programs that are not there."""
        picture = stream(b"coded", b"/Subtype /Image /Width 9 /Height 9 /Filter " + coding)
        copy = copy_pdf(pdf(resources=b"/XObject << /X 10 0 R >>", _10=picture))
        assert b"coded" in copy.content
        assert coding in copy.content

    def test_nothing_where_something_is_expected(self):
        """TeX writes destinations with null in them; null may stand everywhere."""
        content = pdf(
            root=b"/Names << /Dests << /Names [(a) [3 0 R /XYZ null 0 null]] >> >> /AcroForm null",
            page=b"/Annots [null << /Subtype /Widget /FT /Tx /V null >>] /Group null /Rotate null",
            resources=b"/ExtGState << /G << /SMask null /D [null 0] >> >> /XObject null /Properties [null]",
        )
        assert text_of(copy_pdf(content).content) == "Anyqtama"

    def test_many_pages(self):
        copy = copy_pdf(_pages(MOST_PAGES))
        assert len(PdfReader(io.BytesIO(copy.content)).pages) == MOST_PAGES

    def test_a_page_that_lies_on_its_side(self):
        copy = copy_pdf(pdf(page=b"/Rotate 90 /CropBox [0 0 300 300]"))
        page = PdfReader(io.BytesIO(copy.content)).pages[0]
        assert (page.rotation, page.cropbox.width) == (90, 300)

    def test_what_the_tree_of_pages_says_for_all_of_them(self):
        found = objects()
        found[3] = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>"
        found[2] = (
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 400 400] /Rotate 180 "
            b"/Resources << /Font << /F1 5 0 R >> >> /AA << /O " + SCRIPT + b" >> >>"
        )
        copy = copy_pdf(write(found))
        page = PdfReader(io.BytesIO(copy.content)).pages[0]
        assert (page.mediabox.width, page.rotation, page.extract_text()) == (400, 180, "Anyqtama")
        assert not active_names(copy.content)

    def test_a_copy_can_be_copied(self):
        again = copy_pdf(copy_pdf(ACTIVE_FILES["attached files"]).content)
        assert text_of(again.content) == "Anyqtama"
        assert not again.left_out


def _pages(count: int) -> bytes:
    found = objects()
    numbers = range(10, 10 + count)
    found |= dict.fromkeys(numbers, found[3])
    found[2] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (
        b" ".join(b"%d 0 R" % each for each in numbers),
        count,
    )
    return write(found)


def _png() -> str:
    import base64

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), (200, 30, 30, 128)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


class TestRefused:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"%PDF-1.4 garbage %%EOF", id="garbage"),
            pytest.param(b"%PDF-1.7\n1 0 obj << >>", id="begun"),
            pytest.param(pdf()[:-300], id="cut"),
            pytest.param(b"%PDF-1.7\n%%EOF", id="nothing"),
            pytest.param(pdf().replace(b"/Catalog /Pages 2 0 R", b"/Catalog /Pages 9 0 R"), id="no such pages"),
            pytest.param(write(objects() | {4: stream(b"x\x9c broken", b"/Filter /FlateDecode")}), id="a broken page"),
            pytest.param(write(objects() | {4: stream(b"x", b"/Filter /Invented")}), id="an invented filter"),
            pytest.param(write(objects() | {4: stream(b"x", b"/Filter [/DCTDecode /FlateDecode]")}), id="order"),
        ],
    )  # fmt: skip
    def test_damaged(self, content):
        assert refusal(content) is Cause.DAMAGED

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(write(objects() | {2: b"<< /Type /Pages /Kids [] /Count 0 >>"}), id="none"),
            pytest.param(
                write(objects() | {2: b"<< /Type /Pages /Kids [] /Count 7 >>"}), id="none that say seven"
            ),
            pytest.param(pdf(text=b""), id="empty"),
            pytest.param(pdf(text=b"q 1 0 0 1 0 0 cm Q"), id="nothing painted"),
        ],
    )
    def test_no_pages(self, content):
        assert refusal(content) is Cause.NO_PAGES

    def test_a_password(self):
        opened = pikepdf.open(io.BytesIO(pdf()))
        locked = io.BytesIO()
        opened.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
        assert refusal(locked.getvalue()) is Cause.PASSWORD

    def test_a_way_of_encryption_that_nobody_knows(self):
        content = write(
            objects(_9=b"<< /Filter /Acme.Lock /V 9 /R 9 >>"), trailer=b"/Encrypt 9 0 R /ID [(a) (a)]"
        )
        assert refusal(content) is Cause.PASSWORD

    def test_a_page_too_many(self):
        assert refusal(_pages(MOST_PAGES + 1)) is Cause.TOO_MANY_PAGES

    def test_a_folder_of_files(self):
        content = pdf(
            root=b"/Collection << >> /Names << /EmbeddedFiles << /Names [(a) 10 0 R] >> >>",
            _10=SPEC,
            _11=EMBEDDED,
        )
        assert refusal(content) is Cause.PORTFOLIO

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(
                pdf(root=b"/AcroForm << /Fields [] /XFA 10 0 R >>", _10=packed(b"<xdp/>")), id="XFA alone"
            ),
            pytest.param(
                pdf(
                    root=b"/NeedsRendering true /AcroForm << /Fields [5 0 R] /XFA 10 0 R >>",
                    _10=packed(b"<xdp/>"),
                ),
                id="XFA that draws itself",
            ),
            pytest.param(
                pdf(
                    root=b"/AcroForm << /Fields [10 0 R] >>",
                    page=b"/Annots [10 0 R]",
                    _10=b"<< /Subtype /Widget /FT /Tx /V (Aidana) /T (a) /Rect [0 0 9 9] >>",
                ),
                id="a field that is not drawn",
            ),
            pytest.param(
                pdf(
                    root=b"/AcroForm << /Fields [12 0 R] >>",
                    page=b"/Annots [10 0 R]",
                    _10=b"<< /Subtype /Widget /Parent 12 0 R /Rect [0 0 9 9] >>",
                    _12=b"<< /FT /Ch /V (Aidana) /T (a) /Kids [10 0 R] >>",
                ),
                id="a field whose value is its parent's",
            ),
            pytest.param(
                pdf(
                    root=b"/AcroForm << /Fields [10 0 R] /NeedAppearances true >>",
                    page=b"/Annots [10 0 R]",
                    _10=b"<< /Subtype /Widget /FT /Tx /V (Aidana) /T (a) /Rect [0 0 9 9] /AP << /N 11 0 R >> >>",
                    _11=FORM,
                ),
                id="a field drawn before it was filled in",
            ),
            pytest.param(
                pdf(page=b"/Annots [<< /Subtype /FreeText /Rect [0 0 9 9] /Contents (Aidana) >>]"),
                id="a note",
            ),
        ],
    )
    def test_what_is_read_but_not_drawn(self, content):
        assert refusal(content) is Cause.UNDRAWN


BOMB = 4 * 1024 * 1024


class TestCostly:
    """Each of them is refused with little work; what still takes too much is ended from outside (test_process.py)."""

    @pytest.fixture(autouse=True)
    def _small_bombs(self, monkeypatch):
        monkeypatch.setattr(module, "MOST_IN_STREAM", BOMB)
        monkeypatch.setattr(module, "MOST_IN_PICTURES", 4 * BOMB)
        monkeypatch.setattr(module, "MOST_DRAWING", 4 * BOMB)

    def test_nesting(self):
        assert refusal(pdf(page=b"/Deep " + b"[" * 5000 + b"]" * 5000)) is Cause.NO_PAGES

    def test_a_chain_of_forms_is_followed_without_a_stack(self):
        forms = {
            f"_{number}": stream(
                b"0 0 1 1 re f",
                b"/Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >>" % (number + 1),
            )
            for number in range(10, 3000)
        }
        content = pdf(resources=b"/XObject << /X 10 0 R >>", **forms, _3000=FORM)
        assert text_of(copy_pdf(content).content) == "Anyqtama"

    def test_a_form_that_holds_itself(self):
        form = stream(b"/X Do", b"/Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 10 0 R >> >>")
        content = pdf(resources=b"/XObject << /X 10 0 R >>", _10=form)
        assert b"Anyqtama" in zlib_texts(copy_pdf(content).content)

    @pytest.mark.parametrize("kids", [b"[2 0 R]", b"[3 0 R 2 0 R]", b"[10 0 R]"])
    def test_a_tree_of_pages_that_bites_its_tail(self, kids):
        found = objects(_10=b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 9 >>")
        found[2] = b"<< /Type /Pages /Kids " + kids + b" /Count 9 >>"
        assert refusal(write(found)) in {Cause.DAMAGED, Cause.NO_PAGES}

    def test_a_tree_that_doubles_at_every_step(self):
        found = objects()
        found |= {
            n: b"<< /Type /Pages /Kids [%d 0 R %d 0 R] /Count 2 >>" % (n + 1, n + 1) for n in range(10, 40)
        }
        found |= {
            40: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
        }
        assert refusal(write(found)) is Cause.DAMAGED

    def test_one_page_named_many_times(self):
        found = objects()
        found[2] = b"<< /Type /Pages /Kids [" + b"3 0 R " * 5000 + b"] /Count 5000 >>"
        assert refusal(write(found)) is Cause.TOO_MANY_PAGES

    def test_more_objects_than_any_document_has(self):
        hidden = dict.fromkeys(range(10, 60_020), b"<< >>")
        content = compact(objects(), hidden, pack=zlib.compress, entries=b"/Filter /FlateDecode")
        assert refusal(content) is Cause.TOO_COMPLEX

    def test_more_entries_than_any_document_has(self):
        content = write(objects() | {10: b"[" + b"0 " * 1_000_001 + b"]"})
        assert refusal(content) is Cause.TOO_COMPLEX

    @pytest.mark.parametrize("where", ["page", "form", "twice", "run lengths"])
    def test_what_unpacks_to_too_much(self, where):
        bomb = zlib.compress(b"\0" * (BOMB + 1), 9)
        content = {
            "page": lambda: write(objects() | {4: stream(bomb, b"/Filter /FlateDecode")}),
            "form": lambda: pdf(
                resources=b"/XObject << /X 10 0 R >>",
                _10=stream(bomb, b"/Filter /FlateDecode /Subtype /Form /BBox [0 0 9 9]"),
            ),
            "twice": lambda: write(
                objects() | {4: stream(zlib.compress(bomb), b"/Filter [/FlateDecode /FlateDecode]")}
            ),
            "run lengths": lambda: write(
                objects() | {4: stream(b"\x81\0" * (BOMB // 128 + 1), b"/Filter /RunLengthDecode")}
            ),
        }[where]()
        assert refusal(content) is Cause.TOO_COMPLEX

    def test_objects_that_unpack_to_too_much_are_not_there(self):
        content = compact(
            objects(root=b"/OpenAction 10 0 R"),
            HIDDEN,
            pack=lambda data: zlib.compress(data + b" " * (BOMB + 1)),
            entries=b"/Filter /FlateDecode",
        )
        copy = copy_pdf(content)
        assert text_of(copy.content) == "Anyqtama"
        assert not active_names(copy.content)

    def test_many_that_unpack_to_too_much_together(self):
        part = zlib.compress(b"\0" * BOMB, 9)
        forms = {
            f"_{n}": stream(part, b"/Filter /FlateDecode /Subtype /Form /BBox [0 0 9 9]")
            for n in range(10, 15)
        }
        names = b" ".join(b"/X%d %d 0 R" % (n, n) for n in range(10, 15))
        assert refusal(pdf(resources=b"/XObject << " + names + b" >>", **forms)) is Cause.TOO_COMPLEX

    def test_a_picture_of_a_whole_country(self):
        picture = stream(b"\xff\xd8", b"/Subtype /Image /Width 60000 /Height 60000 /Filter /DCTDecode")
        assert refusal(pdf(resources=b"/XObject << /X 10 0 R >>", _10=picture)) is Cause.TOO_COMPLEX

    def test_what_packs_a_picture_is_taken_off(self):
        entries = b"/Subtype /Image /Width 1 /Height 1 /Filter [/ASCIIHexDecode /FlateDecode /DCTDecode]"
        picture = stream(zlib.compress(b"\xff\xd8 jpeg").hex().encode() + b">", entries)
        copy = copy_pdf(pdf(resources=b"/XObject << /X 10 0 R >>", _10=picture))
        assert b"\xff\xd8 jpeg" in copy.content
        assert b"ASCIIHex" not in copy.content

    def test_a_picture_that_unpacks_to_too_much_before_it_is_one(self):
        bomb = zlib.compress(b"\0" * (BOMB + 1), 9)
        picture = stream(bomb, b"/Subtype /Image /Width 1 /Height 1 /Filter [/FlateDecode /DCTDecode]")
        assert refusal(pdf(resources=b"/XObject << /X 10 0 R >>", _10=picture)) is Cause.TOO_COMPLEX

    def test_a_size_that_lies(self):
        content = pdf().replace(b"/Size 6", b"/Size 2000000000")
        assert text_of(copy_pdf(content).content) == "Anyqtama"


def zlib_texts(content: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(content)) as opened:
        return b"".join(part.read_bytes() for part in opened.objects if isinstance(part, pikepdf.Stream))
