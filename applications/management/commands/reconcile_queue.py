"""manage.py reconcile_queue FILE: the former queue beside the portal's, line by line."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import override

from applications.city.queue_file import Queue
from applications.city.reconciling import Compared, Outcome, Reason, Reconciled, reconcile
from bulletin.models import ImportBatch
from notifications.clock import read_clock

# How many absent applications are printed; `--format json` has all.
_NAMED: Final = 20


class Command(BaseCommand):
    help = (
        "Compares a file that `import_queue` has loaded with the queue as it is now: every line keeps its place, was "
        "moved and by whom, stands in its queue no more, or was left out and why. Ends with 1 where lines were left "
        "out, and with 2 where the file was not loaded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the very file that was loaded")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="of what is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        batch = _batch_of(options["file"])
        with override("en"):
            found = reconcile(batch, now=read_clock())
            if options["format"] == "json":
                self.stdout.write(json.dumps(_told(batch, found), indent=2))
            else:
                self._print(found)
        if left_out := found.outcomes[Outcome.LEFT_OUT]:
            raise CommandError(
                f"Lines that were left out: {left_out}. An official decides about each in the workplace, under "
                "«Reconciliation»; or correct them and load them as a file of their own.",
                returncode=1,
            )

    def _print(self, found: Reconciled) -> None:
        self.stdout.write(f"{len(found.lines):>8,}  lines in the file")
        for outcome in Outcome:
            self.stdout.write(f"{found.outcomes[outcome]:>8,}  {outcome.label}")
        if found.changed:
            self.stdout.write(f"{found.changed:>8,}  of them changed by the newer file, which is this one")
        if found.absent:
            more = " …" if len(found.absent) > _NAMED else ""
            self.stdout.write(
                f"{len(found.absent):>8,}  not in this file, though an earlier one had brought them in: "
                f"{', '.join(found.absent[:_NAMED])}{more}"
            )
        self.stdout.write("\nLines concerned by each reason:")
        for reason in Reason:
            if found.reasons[reason]:
                self.stdout.write(f"{found.reasons[reason]:>8,}  {reason.label}")


def _batch_of(path: Path) -> ImportBatch:
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CommandError(f"The file can't be read: {why}.", returncode=2) from error
    loaded = ImportBatch.objects.filter(kind=Queue.name, sha256=sha256, undone_at=None)
    batch = loaded.order_by("-loaded_at").first()
    if batch is None:
        raise CommandError("This file was not loaded: import_queue it first.", returncode=2)
    return batch


def _told(batch: ImportBatch, found: Reconciled) -> dict[str, Any]:
    return {
        "batch": batch.pk,
        "sha256": batch.sha256,
        "outcomes": {outcome.value: found.outcomes[outcome] for outcome in Outcome},
        "reasons": {reason.value: by for reason, by in found.reasons.items()},
        "lines": [_line(one) for one in found.lines],
        "absent": found.absent,
    }


def _line(one: Compared) -> dict[str, Any]:
    return {
        "line": one.line,
        "outcome": one.outcome.value,
        "old": one.old,
        "new": one.new,
        "changed": one.is_changed,
        "kept": one.is_kept,
        "reasons": {reason.value: by for reason, by in one.reasons.items()},
    }
