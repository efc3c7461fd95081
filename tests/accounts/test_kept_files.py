"""A file is kept whole or not at all, whatever the disk answers."""

import errno
import logging
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts import checks, kept_files
from accounts.kept_files import KeptFiles, NotKept, Room, try_keeping, try_keeping_in_time
from accounts.models import AuditEntry, Profile
from balabaqsha.wellformed import WithoutTrace
from tests.accounts.test_uploads import picture, upload


@pytest.fixture
def root(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


class Failing(ContentFile):
    """The disk takes the first half and then answers with `error`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(b"")
        self.error = error

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield b"half"
        raise self.error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_of_a_file_that_was_half_written_nothing_stays(root, number):
    with pytest.raises(NotKept):
        default_storage.save("benefits/a.pdf", Failing(OSError(number, "the disk")))
    assert files(root) == []


def test_nor_where_somebody_interrupts(root):
    with pytest.raises(KeyboardInterrupt):
        default_storage.save("benefits/a.pdf", Failing(KeyboardInterrupt()))
    assert files(root) == []


def test_two_that_save_under_one_name_keep_both(root, monkeypatch):
    """Both were told that the name is free."""
    names = iter(["referrals/x.pdf", "referrals/x.pdf", "referrals/x_2.pdf"])
    monkeypatch.setattr(KeptFiles, "get_available_name", lambda *args, **kwargs: next(names))
    kept = [default_storage.save("referrals/x.pdf", ContentFile(text)) for text in (b"one", b"two")]
    assert [Path(default_storage.path(name)).read_bytes() for name in kept] == [b"one", b"two"]
    assert files(root) == ["referrals/x.pdf", "referrals/x_2.pdf"]


def test_a_kept_file_is_read_by_nobody_else(root):
    name = default_storage.save("photos/a.jpg", ContentFile(b"x"))
    assert Path(default_storage.path(name)).stat().st_mode & 0o777 == 0o600


@pytest.fixture
def full(monkeypatch) -> None:
    """The disk is full once half of a file is written."""

    def half(file, chunk_size=None):
        yield b"half"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ContentFile, "chunks", half, raising=False)


@pytest.mark.usefixtures("full")
def test_a_family_reads_that_nothing_is_lost_and_when_to_try_again(root, parent, client_of):
    client = client_of(parent)
    client.raise_request_exception = False
    answer = client.post(reverse("accounts:photo"), {"photo": upload(picture())})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "503_files.html" in [template.name for template in answer.templates]
    assert files(root) == []
    assert Profile.objects.get(user=parent).photo.name == ""
    assert not AuditEntry.objects.filter(action="photo_changed").exists()


def test_the_log_has_one_line_of_it():
    try:
        raise NotKept("/srv/media/a.pdf: No space left on device")
    except NotKept as error:
        record = logging.LogRecord(
            "django.request", logging.ERROR, "x", 1, "%s", ("/photo/",), (NotKept, error, None)
        )
    assert WithoutTrace().filter(record)
    assert record.exc_info is None
    assert record.getMessage() == "/photo/: NotKept: /srv/media/a.pdf: No space left on device"


NOWHERE = ["/dev/null", "/dev/null/media", "/proc/x", "/proc/self/media"]


@pytest.mark.parametrize("folder", NOWHERE)
def test_where_no_file_can_be_kept_a_check_says_so(settings, folder):
    settings.MEDIA_ROOT = Path(folder)
    room, reason = try_keeping(Path(folder))
    assert (room, bool(reason)) == (Room.FAILING, True)
    [problem] = checks.files_can_be_kept(None)
    assert (problem.id, "MEDIA_ROOT" in problem.msg) == ("accounts.E006", True)
    with pytest.raises(NotKept):
        default_storage.save("a.jpg", ContentFile(b"x"))


@pytest.mark.parametrize("folder", NOWHERE)
def test_where_no_file_can_be_kept_a_set_up_does_not_begin(settings, folder):
    settings.MEDIA_ROOT = Path(folder)
    out = StringIO()
    with pytest.raises(CommandError, match="MEDIA_ROOT"):
        call_command("set_up", stdout=out)
    assert "Message catalogues" not in out.getvalue()


def test_trying_leaves_nothing_and_makes_no_folder(root):
    assert try_keeping(root) == (Room.OK, "")
    assert not root.exists()
    root.mkdir()
    assert try_keeping(root) == (Room.OK, "")
    assert files(root) == []


@pytest.mark.parametrize(("more", "room"), [(0, Room.OK), (-1, Room.FULL)])
def test_a_disk_with_hardly_any_room_is_full(root, monkeypatch, more, room):
    free = SimpleNamespace(free=kept_files.SPARE_BYTES + more)
    monkeypatch.setattr(kept_files.shutil, "disk_usage", lambda folder: free)
    assert try_keeping(root)[0] is room


def test_a_disk_that_hangs_is_not_waited_for(root, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(kept_files, "try_keeping", lambda folder: go_on.wait(60))
    room, reason = try_keeping_in_time(root, seconds=0.05)
    go_on.set()
    assert room is Room.FAILING
    assert "no answer" in reason


def test_a_folder_that_may_not_be_entered_is_named_and_not_an_error_of_ours(tmp_path, monkeypatch):
    def closed(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", closed)
    assert try_keeping(tmp_path / "media") == (Room.FAILING, f"{tmp_path / 'media'}: Permission denied")
