"""No file stays that no row names, and none goes that a row names."""

import os
from contextlib import closing
from datetime import timedelta
from io import StringIO
from pathlib import Path

import psycopg2
import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction

from accounts import services, stored_files
from accounts.models import Profile
from accounts.stored_files import (
    MARK,
    MOST_ORPHANS,
    ORPHANED_AFTER,
    SweepRefused,
    delete_after_commit,
    delete_unnamed,
    orphans,
    sweep_orphans,
)
from accounts.tasks import sweep_files
from applications.models import ExtensionDocument
from tests.factories import BenefitFactory


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def store(name: str = "photos/a.jpg", *, age: timedelta = timedelta(0)) -> str:
    kept = default_storage.save(name, ContentFile(b"content"))
    path = Path(default_storage.path(kept))
    dated = path.stat().st_mtime - age.total_seconds()
    os.utime(path, (dated, dated))
    return kept


def on_disk() -> list[str]:
    return sorted(stored_files._files())


class TestSweep:
    pytestmark = pytest.mark.django_db

    @pytest.mark.parametrize("name", ["a.jpg", "photos/a.jpg", "extensions/deep/er/a.pdf"])
    def test_what_no_row_names_goes_after_an_hour(self, name):
        store(name, age=ORPHANED_AFTER + timedelta(minutes=1))
        assert sweep_orphans() == 1
        assert on_disk() == []
        assert sweep_orphans() == 0

    def test_what_is_younger_may_be_about_to_be_named(self):
        kept = store(age=ORPHANED_AFTER - timedelta(minutes=1))
        assert sweep_orphans() == 0
        assert on_disk() == [kept]

    def test_what_a_row_names_stays_however_old_it_is(self, parent):
        benefit = BenefitFactory()
        names = {benefit.document.name, store("photos/p.jpg")}
        Profile.objects.filter(user=parent).update(photo="photos/p.jpg")
        for name in names:
            os.utime(default_storage.path(name), (0, 0))
        store("benefits/orphan.jpg", age=timedelta(days=2))
        assert sweep_orphans() == 1
        assert set(on_disk()) == names

    def test_every_column_that_names_a_file_is_asked(self):
        asked = {(rows.model, field) for rows, field in stored_files._rows()}
        found = {
            (model, field.name)
            for model in apps.get_models()
            for field in model._meta.concrete_fields
            if isinstance(field, models.FileField)
        }
        assert asked == found
        assert (ExtensionDocument, "file") in asked
        assert len(asked) == 10

    def test_without_a_folder_there_is_nothing(self):
        assert orphans() == []

    def test_a_machine_whose_clock_is_wrong_sweeps_nothing_young(self, clock):
        """The clock of this process stands in 2019; an hour fast it would be just as wrong."""
        kept = store()
        clock.shift(timedelta(days=9000))
        assert sweep_orphans() == 0
        assert on_disk() == [kept]

    def test_what_was_deleted_meanwhile_is_no_error(self, monkeypatch):
        name = store(age=timedelta(days=1))
        monkeypatch.setattr(stored_files, "_among", lambda files: [name, "photos/gone.jpg"])
        assert sweep_orphans() == 2
        assert on_disk() == []

    def test_the_command_counts_and_only_then_deletes(self):
        def printed(*arguments: str) -> str:
            out = StringIO()
            call_command("sweep_files", *arguments, stdout=out)
            return out.getvalue()

        name = store(age=timedelta(days=1))
        assert printed("--dry-run") == "Files that no row names: 1\n"
        assert on_disk() == [name]
        assert printed() == "Files deleted that no row named: 1\n"
        assert on_disk() == []


class TestAfterCommit:
    pytestmark = pytest.mark.django_db(transaction=True)

    def let_go(self, profile: Profile) -> None:
        delete_after_commit(profile.photo)
        Profile.objects.filter(pk=profile.pk).update(photo="")

    @pytest.fixture
    def profile(self, parent) -> Profile:
        Profile.objects.filter(pk=parent.profile.pk).update(photo=store())
        return Profile.objects.get(pk=parent.profile.pk)

    def test_the_file_goes_with_the_commit_and_not_before(self, profile):
        with transaction.atomic():
            self.let_go(profile)
            assert on_disk() == ["photos/a.jpg"]
        assert on_disk() == []

    def test_a_rollback_keeps_it(self, profile):
        with transaction.atomic():
            self.let_go(profile)
            transaction.set_rollback(True)
        assert on_disk() == ["photos/a.jpg"]

    def test_what_another_row_names_stays(self, profile):
        """The demo city gives many families one and the same paper."""
        benefit = BenefitFactory(document=profile.photo.name)
        self.let_go(profile)
        assert on_disk() == [benefit.document.name]
        benefit.delete()
        assert delete_unnamed([benefit.document.name]) == 1

    def test_without_a_file_there_is_nothing_to_do(self, parent):
        delete_after_commit(parent.profile.photo)
        assert delete_unnamed(["", None]) == 0

    def test_a_disk_that_fails_fails_nobodys_request(self, profile, monkeypatch):
        def fail(name):
            raise PermissionError(name)

        with monkeypatch.context() as patched:
            patched.setattr(default_storage, "delete", fail)
            self.let_go(profile)
        assert on_disk() == ["photos/a.jpg"]

    def test_a_photo_whose_row_is_rolled_back_is_found_by_the_sweep(self, parent, monkeypatch):
        from tests.accounts.test_uploads import picture, upload

        def fail(*args, **options):
            raise ZeroDivisionError

        monkeypatch.setattr(services.audit, "record", fail)
        with pytest.raises(ZeroDivisionError):
            services.change_photo(parent, file=upload(picture()), address=None, now=parent.date_joined)
        (name,) = on_disk()
        os.utime(default_storage.path(name), (0, 0))
        assert sweep_orphans() == 1


class TestAnotherDatabase:
    """To an empty or another database every file is one that no row names: a sweep leaves them all."""

    pytestmark = pytest.mark.django_db

    def rehearse(self) -> None:
        """What belongs to a portal that works: some files, a mark."""
        BenefitFactory()
        sweep_orphans()

    def test_a_database_that_names_no_file_deletes_none(self):
        names = [store(f"photos/{number}.jpg", age=timedelta(days=1)) for number in range(MOST_ORPHANS + 1)]
        with pytest.raises(SweepRefused, match=f"{len(names)} of {len(names)} files.*--accept"):
            sweep_orphans()
        assert on_disk() == sorted(names)

    def test_a_share_of_many_is_few(self, monkeypatch):
        for _each in range(4):
            BenefitFactory()
        monkeypatch.setattr(stored_files, "MOST_ORPHANS", 0)
        monkeypatch.setattr(stored_files, "MOST_PERCENT", 20)
        store("photos/a.jpg", age=timedelta(days=1))
        store("photos/b.jpg", age=timedelta(days=1))
        with pytest.raises(SweepRefused, match="2 of 6 files"):
            sweep_orphans()
        default_storage.delete("photos/b.jpg")
        assert sweep_orphans() == 1

    def test_the_files_of_another_database_are_left(self, monkeypatch):
        self.rehearse()
        orphan = store(age=timedelta(days=1))
        with monkeypatch.context() as patched:
            patched.setattr(stored_files, "_database", lambda: "another one")
            with pytest.raises(SweepRefused, match=MARK):
                sweep_orphans()
        assert orphan in on_disk()
        assert sweep_orphans() == 1

    def test_two_databases_of_one_server_are_told_apart(self):
        with (
            closing(psycopg2.connect(**connection.get_connection_params() | {"dbname": "postgres"})) as other,
            other.cursor() as cursor,
        ):
            cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
            number = cursor.fetchone()[0]
        assert stored_files._database().split()[1] != str(number)

    def test_a_mark_that_was_broken_is_another_one(self):
        self.rehearse()
        Path(default_storage.path(MARK)).write_bytes(b"\xff")
        with pytest.raises(SweepRefused):
            sweep_orphans()

    def test_whoever_accepts_goes_on(self, monkeypatch):
        monkeypatch.setattr(stored_files, "MOST_ORPHANS", 0)
        self.rehearse()
        Path(default_storage.path(MARK)).write_text("another one")
        store(age=timedelta(days=1))
        with pytest.raises(CommandError, match="--accept"):
            call_command("sweep_files", stdout=StringIO())
        call_command("sweep_files", "--accept", stdout=StringIO())
        assert "photos/a.jpg" not in on_disk()
        store(age=timedelta(minutes=1))
        assert sweep_orphans() == 0

    def test_the_task_fails_and_the_log_says_what_to_do(self, monkeypatch, caplog):
        """A task that fails notes no end: `sweeps: late` in the report of health."""
        monkeypatch.setattr(stored_files, "MOST_ORPHANS", 0)
        store(age=timedelta(days=1))
        with pytest.raises(SweepRefused):
            sweep_files.apply(throw=True)
        [record] = [one for one in caplog.records if one.name == "accounts.tasks"]
        assert record.levelname == "ERROR"
        assert "--accept" in record.getMessage()
