"""What is written about people is read by the portal's own account alone."""

import json
import os
import stat

import pytest
from django.core.mail import EmailMessage, get_connection

from notifications.private_files import open_privately
from notifications.sms.base import get_backend


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _careless_umask():
    former = os.umask(0o000)
    yield
    os.umask(former)


def test_the_demos_mails_beside_its_sms(tmp_path, settings):
    settings.SMS_FILE = tmp_path / "sms"
    backend = "notifications.mail_backends.file.EmailBackend"
    with get_connection(backend) as connection:
        mail = EmailMessage("Тақырып", "Мәтін", to=["parent@mail.kz"], connection=connection)
        assert mail.send() == 1
    assert mode(settings.SMS_FILE) == 0o600
    (line,) = settings.SMS_FILE.read_text().splitlines()
    written = json.loads(line)
    assert (written["phone"], written["text"]) == ("parent@mail.kz", "Тақырып\nМәтін")
    # A folder stands where the file would.
    settings.SMS_FILE = tmp_path
    with get_connection(backend) as connection, pytest.raises(OSError):
        EmailMessage("a", "b", to=["parent@mail.kz"], connection=connection).send()


def test_a_new_file_and_its_folder(tmp_path):
    path = tmp_path / "deep" / "log"
    with open_privately(path, "ab") as file:
        # Also before anything is written.
        assert mode(path) == 0o600
        file.write(b"a")
    assert mode(path.parent) == 0o700


@pytest.mark.parametrize(("how", "content"), [("ab", b"oldnew"), ("wb", b"new")])
def test_a_file_from_a_more_careless_time(tmp_path, how, content):
    path = tmp_path / "log"
    path.write_bytes(b"old")
    path.chmod(0o666)
    with open_privately(path, how) as file:
        file.write(b"new")
    assert mode(path) == 0o600
    assert path.read_bytes() == content


def test_the_file_of_the_sms(settings, tmp_path):
    settings.SMS_FILE = tmp_path / "sms.jsonl"
    settings.SMS_FILE.touch(0o644)
    backend = get_backend("notifications.sms.file.FileBackend")
    backend.send("+77017779876", "Қайырлы таң", idempotency_key="k")
    assert mode(settings.SMS_FILE) == 0o600
    assert "Қайырлы таң" in settings.SMS_FILE.read_text(encoding="utf-8")
