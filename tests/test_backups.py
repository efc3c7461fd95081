"""What deploy/backup keeps of the database's log comes back as it was; `make backup-drill` tries the rest."""

import os
import shutil
import subprocess

import pytest
from django.conf import settings

BACKUP, RESTORE = (settings.BASE_DIR / "deploy" / name for name in ("backup", "restore"))
PIECE = "000000010000000000000004"


@pytest.fixture(params=["plain", "sealed"])
def kept(request, tmp_path):
    """The variables of the scripts, with a key where what is kept is sealed; the folders that they name."""
    given = {"BACKUP_SETTINGS": "/nonexistent", "BACKUP_DIR": str(tmp_path / "kept")}
    (tmp_path / "kept" / "wal").mkdir(parents=True)
    if request.param == "sealed":
        if not shutil.which("age"):
            pytest.skip("age is not installed")
        key, public = tmp_path / "key", tmp_path / "public"
        subprocess.run(["age-keygen", "--output", key], check=True, capture_output=True)
        public.write_bytes(subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True).stdout)
        given |= {"BACKUP_RECIPIENTS": str(public), "BACKUP_IDENTITY": str(key)}
    return os.environ | given


def run(*command, environment, folder):
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_piece_comes_back_as_it_was_by_paths_of_the_data_folder(kept, tmp_path):
    """PostgreSQL names pieces by paths that begin in its own folder."""
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal" / PIECE).write_bytes(b"piece \0 of the log")
    assert run(BACKUP, "wal", f"pg_wal/{PIECE}", PIECE, environment=kept, folder=tmp_path).returncode == 0
    assert run(BACKUP, "fetch", PIECE, "pg_wal/back", environment=kept, folder=tmp_path).returncode == 0
    assert (tmp_path / "pg_wal" / "back").read_bytes() == b"piece \0 of the log"
    stored = b"".join(path.read_bytes() for path in (tmp_path / "kept" / "wal").iterdir())
    assert (b"of the log" in stored) == ("BACKUP_RECIPIENTS" not in kept)


def test_the_same_piece_may_come_again_and_another_one_of_its_name_never_takes_its_place(kept, tmp_path):
    piece = tmp_path / PIECE
    for content, code in [("first", 0), ("first", 0), ("other", 1)]:
        piece.write_text(content)
        assert run(BACKUP, "wal", PIECE, PIECE, environment=kept, folder=tmp_path).returncode == code
    run(BACKUP, "fetch", PIECE, "back", environment=kept, folder=tmp_path)
    assert (tmp_path / "back").read_text() == "first"


def test_a_piece_that_can_not_be_read_is_not_kept(kept, tmp_path):
    """PostgreSQL keeps what was not taken, and gives it again."""
    assert run(BACKUP, "wal", "absent", PIECE, environment=kept, folder=tmp_path).returncode != 0
    assert run(BACKUP, "fetch", PIECE, "back", environment=kept, folder=tmp_path).returncode != 0


def test_nothing_is_restored_into_a_folder_that_holds_something(kept, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("18")
    refused = run(RESTORE, tmp_path / "data", environment=kept, folder=tmp_path)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr


def test_an_instant_from_before_the_first_base_is_refused(kept, tmp_path):
    refused = run(RESTORE, tmp_path / "data", "2026-11-01 10:00:00+05", environment=kept, folder=tmp_path)
    assert refused.returncode == 1
    assert "There is no base backup from before 2026-11-01" in refused.stderr
