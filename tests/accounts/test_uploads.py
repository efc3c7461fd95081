"""What a sender reads about files: one sentence for each cause, with a way out, and a limit for each account."""

import io
from contextlib import closing

import psycopg2
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import connection
from django.utils.translation import override
from PIL import Image

from accounts import uploads as module
from accounts.limits import UPLOADS_PER_ACCOUNT
from accounts.safe_copy import Cause, Copy, FileType, Part, Refused, process
from accounts.uploads import check_documents, check_photo, random_name, type_of
from tests.accounts.safe_copy.pdfs import pdf
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def picture(file_type="JPEG", *, size=(60, 40)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, file_type)
    return buffer.getvalue()


def upload(content: bytes, name: str = "file.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def refusal(*contents: bytes, sender) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        check_documents([upload(content) for content in contents], sender=sender)
    return caught.value


@pytest.fixture
def instead_of_a_copy(monkeypatch):
    """Let the process that decodes answer this."""

    def answer(outcome: Copy | Cause) -> None:
        def safe_copy(content, **options):
            if isinstance(outcome, Cause):
                raise Refused(outcome)
            return outcome

        monkeypatch.setattr(module, "safe_copy", safe_copy)

    return answer


def test_a_document_is_kept_under_a_random_name_and_shown_under_its_own(parent):
    (kept,) = check_documents([upload(picture("PNG"), name="../../мен.exe")], sender=parent)
    assert kept.name == "мен.png"
    stored = kept.file.name
    assert stored is not None
    assert len(stored) == 32 + len(".png")
    assert kept.file.name != stored
    assert kept.file.read() == kept.copy.content
    assert Image.open(kept.file).format == "PNG"


def test_a_picture_called_pdf_is_called_what_it_is(parent):
    (kept,) = check_documents([upload(picture(), name="анықтама.pdf")], sender=parent)
    assert (kept.name, kept.copy.file_type) == ("анықтама.jpg", FileType.JPEG)


def test_a_file_that_was_spooled_to_the_disk(parent):
    spooled = TemporaryUploadedFile("a.pdf", "application/pdf", 0, None)
    spooled.write(pdf())
    spooled.size = len(pdf())
    assert check_documents([spooled], sender=parent)[0].copy.file_type is FileType.PDF


def test_a_photo(parent):
    kept = check_photo(upload(picture("WEBP", size=(1600, 900))), sender=parent)
    assert Image.open(kept.file).size == (800, 450)


def test_a_pdf_is_no_photo(parent):
    with pytest.raises(ValidationError) as caught:
        check_photo(upload(pdf()), sender=parent)
    assert caught.value.code == Cause.UNKNOWN_TYPE


def test_an_empty_file(parent):
    assert refusal(b"", sender=parent).error_list[0].code == "empty"


def test_a_byte_too_many(parent, settings):
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    assert refusal(b"x" * (1024 * 1024 + 1), sender=parent).error_list[0].code == "too_large"
    assert refusal(b"x" * 1024 * 1024, sender=parent).error_list[0].code == Cause.UNKNOWN_TYPE


def test_a_pixel_too_many(parent, settings):
    settings.UPLOAD_MAX_PIXELS = 2400
    assert check_documents([upload(picture("PNG"))], sender=parent)
    assert refusal(picture("PNG", size=(60, 41)), sender=parent).error_list[0].code == Cause.TOO_MANY_PIXELS


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_each_cause_has_a_sentence_of_its_own(parent, instead_of_a_copy, language):
    sentences = []
    with override(language):
        for cause in Cause:
            instead_of_a_copy(cause)
            (sentence,) = refusal(b"x", sender=UserFactory.create()).messages
            sentences.append(sentence)
    assert len(set(sentences)) == len(Cause)
    assert not [sentence for sentence in sentences if "%" in sentence]


def test_of_several_files_each_fault_is_told_with_the_name(parent):
    files = [
        upload(picture(), "бір.jpg"),
        upload(b"MZ", "екі.exe"),
        upload(b"%PDF-1.4 garbage %%EOF", "үш.pdf"),
    ]
    with pytest.raises(ValidationError) as caught:
        check_documents(files, sender=parent)
    first, second = caught.value.messages
    assert first.startswith("екі.exe: ")
    assert second.startswith("үш.pdf: ")
    assert [fault.code for fault in caught.value.error_list] == [Cause.UNKNOWN_TYPE, Cause.DAMAGED]


def test_all_files_of_one_press_have_one_turn(parent, monkeypatch):
    seen = []

    def safe_copy(content, *, turn, **options):
        seen.append(turn)
        return Copy(content=b"\xff\xd8\xff", file_type=FileType.JPEG)

    monkeypatch.setattr(module, "safe_copy", safe_copy)
    check_documents([upload(b"x")] * 3, sender=parent)
    assert len(seen) == 3
    assert len(set(map(id, seen))) == 1


def test_where_nobody_has_a_turn_it_is_waited_for_once(parent, monkeypatch):
    waits = []

    class Turns:
        def acquire(self, *, timeout):
            waits.append(timeout)
            return False

    monkeypatch.setattr(process, "_turns", Turns())
    fault = refusal(*[picture()] * 5, sender=parent)
    assert [error.code for error in fault.error_list] == [Cause.BUSY]
    assert waits == [process.TURN_SECONDS]


def test_where_there_is_no_room_for_one_the_others_are_not_tried(parent, monkeypatch):
    tried = []

    def safe_copy(content, **options):
        tried.append(content)
        raise Refused(Cause.BUSY)

    monkeypatch.setattr(module, "safe_copy", safe_copy)
    assert [error.code for error in refusal(b"a", b"b", b"c", sender=parent).error_list] == [Cause.BUSY]
    assert tried == [b"a"]


def test_of_one_account_one_press_is_under_way(parent, monkeypatch):
    """Whatever process the other one came to: here it is another connection."""
    seen = []
    monkeypatch.setattr(module, "_check", lambda file, **options: seen.append(file))
    with closing(psycopg2.connect(**connection.get_connection_params())) as other:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"upload {parent.pk}"])
        assert refusal(picture(), sender=parent).error_list[0].code == "under_way"
        check_documents([upload(picture())], sender=UserFactory.create())
        assert len(seen) == 1
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        check_documents([upload(picture())], sender=parent)
        assert len(seen) == 2


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        (set(), []),
        ({Part.SCRIPTS, Part.ACTIONS, Part.FORM}, []),
        ({Part.ATTACHMENTS}, ["attached files"]),
        ({Part.MEDIA, Part.ATTACHMENTS, Part.SCRIPTS}, ["attached files", "sound and films"]),
    ],
)
def test_what_may_have_mattered_is_told(parent, instead_of_a_copy, left_out, told):
    instead_of_a_copy(Copy(content=b"%PDF-", file_type=FileType.PDF, left_out=frozenset(left_out)))
    (kept,) = check_documents([upload(b"x", "келісім.pdf")], sender=parent)
    with override("en"):
        assert [words for words in ("attached files", "sound and films") if words in kept.loss] == told
        assert ("келісім.pdf" in kept.loss) == bool(told)


class TestLimit:
    @pytest.fixture(autouse=True)
    def _quick(self, instead_of_a_copy):
        instead_of_a_copy(Copy(content=b"\xff\xd8\xff", file_type=FileType.JPEG))

    def test_twenty_presses_an_hour(self, parent, clock):
        assert (UPLOADS_PER_ACCOUNT.times, UPLOADS_PER_ACCOUNT.window.total_seconds()) == (20, 3600)
        for _each in range(20):
            check_documents([upload(b"x")] * 5, sender=parent)
        fault = refusal(b"x", sender=parent)
        assert fault.code == "too_many_uploads"
        # 16:20 in Turkistan, an hour later.
        assert "17:20" in fault.messages[0]
        with pytest.raises(ValidationError):
            check_photo(upload(b"x"), sender=parent)
        assert check_documents([upload(b"x")], sender=UserFactory.create())
        clock.shift(3600)
        assert check_documents([upload(b"x")], sender=parent)

    def test_what_is_refused_counts_too(self, parent, clock, instead_of_a_copy):
        instead_of_a_copy(Cause.DAMAGED)
        for _each in range(20):
            assert refusal(b"x", sender=parent).error_list[0].code == Cause.DAMAGED
        assert refusal(b"x", sender=parent).code == "too_many_uploads"


def test_a_name_on_the_disk_tells_the_type_and_nothing_else():
    names = {random_name(file_type) for file_type in [*FileType] * 2}
    assert len(names) == 2 * len(FileType)
    assert {type_of(name) for name in names} == set(FileType)


def test_the_web_process_loads_no_decoder():
    """What decodes is loaded where it may fail: not here."""
    code = "import django; django.setup(); import accounts.uploads, sys; print('pikepdf' in sys.modules)"
    assert (
        process.subprocess.check_output([process.sys.executable, "-c", code], cwd=process.FOLDER)
        == b"False\n"
    )
