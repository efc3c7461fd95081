"""What the machine knows: its disks, the certificate, the last backup; one step on either side of each limit."""

import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from balabaqsha.health.surroundings import (
    BACKUP_AGE,
    CERTIFICATE_LASTS,
    SPARE_BYTES,
    Backup,
    certificate_ends,
    free_bytes,
    judge_backup,
    judge_certificate,
    judge_disks,
    last_backup,
)
from tests.patience import PATIENCE

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def certificate(folder, *, ends):
    """A file with a certificate of its own and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    path = folder / "portal.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def backup_state(folder, *, made, verified=None):
    path = folder / "backup.json"
    path.write_text(
        json.dumps(
            {"made": f"{made:%Y-%m-%dT%H:%M:%SZ}", "verified": f"{verified or made:%Y-%m-%dT%H:%M:%SZ}"}
        )
    )
    return path


class TestDisks:
    @pytest.mark.parametrize(("free", "word"), [(SPARE_BYTES, "ok"), (SPARE_BYTES - 1, "low")])
    def test_one_that_is_nearly_full_is_named(self, free, word):
        told = judge_disks({"media": SPARE_BYTES, "database": free})
        assert told == {"disks": word, "disks_low": {"database": 1023} if word == "low" else {}}

    def test_one_that_does_not_answer_is_failing(self):
        assert judge_disks(None) == {"disks": "failing"}

    def test_each_place_is_looked_at_even_before_its_folder_is_made(self, settings, tmp_path):
        settings.MEDIA_ROOT, settings.DATABASE_FOLDER = tmp_path / "not" / "yet", str(tmp_path)
        assert {name: free > 0 for name, free in free_bytes().items()} == dict.fromkeys(
            ("media", "var", "temporary", "database"), True
        )


class TestCertificate:
    @pytest.mark.parametrize(
        ("left", "word"),
        [
            (CERTIFICATE_LASTS, "ok"),
            (CERTIFICATE_LASTS - MICROSECOND, "ending"),
            (MICROSECOND, "ending"),
            (timedelta(0), "ended"),
        ],
    )
    def test_it_is_told_two_weeks_before(self, left, word):
        assert judge_certificate(NOW + left, now=NOW)["certificate"] == word

    def test_it_is_read_from_a_file(self, settings, tmp_path):
        settings.CERTIFICATE = str(certificate(tmp_path, ends=NOW))
        assert certificate_ends() == NOW

    def test_it_is_read_from_whoever_shows_it(self, settings, tmp_path):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path, ends=NOW))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE)

            def show():
                connection, _address = listener.accept()
                with context.wrap_socket(connection, server_side=True) as shown:
                    shown.recv(1)

            showing = Thread(target=show)
            showing.start()
            settings.CERTIFICATE = f"127.0.0.1:{listener.getsockname()[1]}"
            assert certificate_ends() == NOW
            showing.join()

    @pytest.mark.parametrize(
        "content", [None, b"", b"-----BEGIN CERTIFICATE-----"], ids=["none", "empty", "half"]
    )
    def test_one_that_can_t_be_read_is_failing(self, settings, tmp_path, content):
        settings.CERTIFICATE = str(tmp_path / "portal.pem")
        if content is not None:
            (tmp_path / "portal.pem").write_bytes(content)
        with pytest.raises(OSError):
            certificate_ends()
        assert judge_certificate(None, now=NOW) == {"certificate": "failing"}


class TestBackup:
    @pytest.mark.parametrize(("age", "word"), [(BACKUP_AGE, "ok"), (BACKUP_AGE + MICROSECOND, "late")])
    def test_one_a_day_was_made_and_found_whole(self, age, word):
        assert judge_backup(Backup(NOW - age, NOW), now=NOW)["backup"] == word
        assert judge_backup(Backup(NOW, NOW - age), now=NOW)["backup"] == word

    def test_it_is_what_the_program_that_makes_it_wrote_down(self, settings, tmp_path):
        made, verified = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
        settings.BACKUP_STATE = str(backup_state(tmp_path, made=made, verified=verified))
        assert last_backup() == Backup(made, verified)

    def test_before_the_first_there_is_none(self, settings, tmp_path):
        settings.BACKUP_STATE = str(tmp_path / "backup.json")
        assert last_backup() is None
        assert judge_backup(None, now=NOW) == {"backup": "missing"}

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"made": 1, "verified": 2}', '{"made": "x", "verified": "y"}']
    )
    def test_what_can_t_be_read_is_no_backup(self, settings, tmp_path, text):
        (tmp_path / "backup.json").write_text(text)
        settings.BACKUP_STATE = str(tmp_path / "backup.json")
        with pytest.raises(OSError):
            last_backup()
