"""Taking a batch back: what it made is deleted, what it changed gets back its values, while nothing has built on it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.models import User
from bulletin.importing.kinds import Kind
from bulletin.importing.problems import Fault
from bulletin.importing.running import alone
from bulletin.journal_actions import Action
from bulletin.models import ImportBatch, ImportedRow

# So long it is kept what the rows of a file made and changed.
UNDOABLE_FOR: Final = timedelta(days=90)


class UndoneAlready(Exception):
    """The batch was undone before."""


class TooLate(Exception):
    """The batch is older than `UNDOABLE_FOR`: nothing says any more what it made and changed."""


def undo_batch(
    batch: ImportBatch, kind: Kind, *, by: User | None, reason: str = "", now: datetime
) -> Sequence[Fault]:
    """Take a batch back, all of it or nothing; what stands in the way, or nothing where it is undone.

    `by` None is an operator. Writes an entry into the audit. Raises `UndoneAlready`, `TooLate`, `running.AnotherAtWork`
    and `running.Disturbed`.
    """
    with alone():
        batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if batch.undone_at is not None:
            raise UndoneAlready
        if now >= batch.loaded_at + UNDOABLE_FOR:
            raise TooLate
        if faults := kind.taking_back(batch, by=by, reason=reason, now=now).run():
            transaction.set_rollback(True)
            return faults
        batch.undone_at, batch.undone_by = now, by
        batch.save(update_fields=["undone_at", "undone_by"])
        audit.record(
            Action.FILE_UNDONE,
            actor=by,
            target=f"{batch.file_name} · {batch.kind}",
            reason=reason,
            about=batch,
            now=now,
        )
    return ()


def old_rows(*, now: datetime) -> QuerySet[ImportedRow]:
    """What is kept of batches that can't be undone any more: of employees it has names, phones and e-mails."""
    return ImportedRow.objects.filter(batch__loaded_at__lte=now - UNDOABLE_FOR)


def purge_rows(*, now: datetime) -> int:
    """Delete what is kept of such batches; returns how many rows. The batches themselves stay, with their counts."""
    return old_rows(now=now).delete()[0]
