"""Files on the disk and the rows that name them: a file that no row names is deleted.

A file is deleted after the commit of the row that let it go, so a rollback keeps it. Whatever that misses (a file whose
row was rolled back, a row deleted by SQL, a process that died in between) is an orphan, and the sweep finds it.

For an empty database, or another one, every file is an orphan. So the folder holds a mark that names its database, and
a sweep that would delete more than a few of its files deletes none.
"""

import uuid
from collections.abc import Collection, Iterator
from datetime import timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile

# No transaction that is about to name a file lasts this long.
ORPHANED_AFTER: Final = timedelta(hours=1)
# A working portal has hardly any orphans: this many, or this share of all files, may be.
MOST_ORPHANS: Final = 10
MOST_PERCENT: Final = 2
# A file of this name in MEDIA_ROOT names the database whose rows name the others.
MARK: Final = ".database"


class SweepRefused(Exception):
    """Nothing was deleted, since the files may be those of another database; the message says what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason} No file was deleted. If the database or the files are still being restored, finish that. If "
            "both are right, run: manage.py sweep_files --accept"
        )


def delete_after_commit(file: FieldFile) -> None:
    """Delete the stored file that `file` names now, once this transaction is committed and no row names it.

    A failure at that point is logged and left to the sweep.
    """
    if file.name:
        transaction.on_commit(partial(delete_unnamed, [file.name]), robust=True)


def delete_unnamed(names: Collection[str | None]) -> int:
    """Delete those of the stored files that no row names; returns how many. Empty names are ignored."""
    given = set(filter(None, names))
    unnamed = given - _named_among(given)
    for name in unnamed:
        default_storage.delete(name)
    return len(unnamed)


def orphans() -> list[str]:
    """The names of the files that no row names and that have lain on the disk for an hour, by the disk's own clock."""
    return _among(list(_files()))


def sweep_orphans(*, accepted: bool = False) -> int:
    """Delete the orphans; returns how many. Safe to run again, and twice at once.

    Raises `SweepRefused` if the folder is marked as another database's, or if more than a few of the files would be
    deleted; not if a person has `accepted` that the files belong to this database. Then the folder is marked so.
    """
    files = list(_files())
    found = _among(files)
    if not accepted:
        _refuse_another_database()
        if len(found) > max(MOST_ORPHANS, len(files) * MOST_PERCENT // 100):
            raise SweepRefused(
                f"No row names {len(found)} of {len(files)} files, more than a sweep may delete."
            )
    if files:
        _mark()
    return delete_unnamed(found)


def _among(files: list[str]) -> list[str]:
    limit = _disk_clock() - ORPHANED_AFTER
    # List the files first, then the rows: a file that has got a row meanwhile stays.
    old = [name for name in files if default_storage.get_modified_time(name) < limit]
    named = {name for rows, field in _rows() for name in rows.values_list(field, flat=True).iterator()}
    return [name for name in old if name not in named]


def _refuse_another_database() -> None:
    if default_storage.exists(MARK):
        with default_storage.open(MARK) as file:
            if file.read().decode(errors="replace") != _database():
                raise SweepRefused(
                    f"{default_storage.path(MARK)} says that the files are another database's."
                )


def _mark() -> None:
    with default_storage.open(MARK, "wb") as file:
        file.write(_database().encode())


def _database() -> str:
    """Identifies this database, even among its own copies."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier, oid FROM pg_control_system(), pg_database WHERE datname = current_database()"
        )
        cluster, number = cursor.fetchone()
    return f"{cluster} {number}"


def _named_among(names: Collection[str]) -> set[str]:
    found = (rows.filter(**{f"{field}__in": names}).values_list(field, flat=True) for rows, field in _rows())
    return {name for names_of_rows in found for name in names_of_rows}


def _rows() -> Iterator[tuple[QuerySet[Any], str]]:
    """Every table with a file, and the column that names it."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.FileField) and field.storage is default_storage:
                yield model._base_manager.all(), field.name


def _files(folder: str = "") -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        if folder or name != MARK:
            yield str(PurePosixPath(folder) / name)
    for name in folders:
        yield from _files(str(PurePosixPath(folder) / name))


def _disk_clock() -> Any:
    """The date that a file written now gets: the files may have been dated by other machines."""
    mark = default_storage.save(f"{uuid.uuid4().hex}.clock", ContentFile(b""))
    try:
        return default_storage.get_modified_time(mark)
    finally:
        default_storage.delete(mark)
