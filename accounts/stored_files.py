"""Files on the disk and the rows that name them: what no row names any more is deleted.

A file is deleted after the commit of the row that let it go, so a rollback keeps it. Whatever that misses (a file whose
row was rolled back, a row deleted by SQL, a process that died in between) is an orphan, and the sweep finds it.
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
from django.db import models, transaction
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile

# No transaction that is about to name a file lasts so long.
ORPHANED_AFTER: Final = timedelta(hours=1)


def delete_after_commit(file: FieldFile) -> None:
    """Delete the stored file that `file` names now, once this transaction is committed and no row names it.

    What fails then is written to the log and left to the sweep.
    """
    if file.name:
        transaction.on_commit(partial(delete_unnamed, [file.name]), robust=True)


def delete_unnamed(names: Collection[str | None]) -> int:
    """Delete those of the stored files that no row names; how many. Empty names are none."""
    given = set(filter(None, names))
    unnamed = given - _named_among(given)
    for name in unnamed:
        default_storage.delete(name)
    return len(unnamed)


def orphans() -> list[str]:
    """The names of the files that no row names and that have lain on the disk for an hour, by the disk's own clock."""
    limit = _disk_clock() - ORPHANED_AFTER
    # Files first, rows after: what a row names by then stays.
    old = [name for name in _files() if default_storage.get_modified_time(name) < limit]
    named = {name for rows, field in _rows() for name in rows.values_list(field, flat=True).iterator()}
    return [name for name in old if name not in named]


def sweep_orphans() -> int:
    """Delete the orphans; how many. Safe to run again, and twice at once."""
    return delete_unnamed(orphans())


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
        yield str(PurePosixPath(folder) / name)
    for name in folders:
        yield from _files(str(PurePosixPath(folder) / name))


def _disk_clock() -> Any:
    """What a file that is written now is dated: other machines may have dated the files."""
    mark = default_storage.save(f"{uuid.uuid4().hex}.clock", ContentFile(b""))
    try:
        return default_storage.get_modified_time(mark)
    finally:
        default_storage.delete(mark)
