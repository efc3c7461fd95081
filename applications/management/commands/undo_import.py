"""manage.py undo_import BATCH: take back what a file made and changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import override

from applications.city.kinds import KINDS
from bulletin.importing.command import disturbed, sentence
from bulletin.importing.running import AnotherAtWork, Disturbed
from bulletin.importing.undoing import UNDOABLE_FOR, TooLate, UndoneAlready, undo_batch
from bulletin.models import ImportBatch
from notifications.clock import read_clock


class Command(BaseCommand):
    help = (
        "Deletes what a loaded file made, and gives back what it changed, all of it or nothing: not where it was "
        "changed since, or something has built on it. Ends with 1 then; what stands in the way is named."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("batch", type=int, help="its number, which the import printed")

        parser.add_argument(
            "--reason", default="", help="why; needed for a former queue whose protocol two officials signed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        batch = ImportBatch.objects.filter(pk=options["batch"]).first() if options["batch"] < 2**63 else None
        if batch is None or batch.kind not in KINDS:
            raise CommandError(f"There is no batch {options['batch']}.", returncode=2)
        with override("en"):
            try:
                faults = undo_batch(
                    batch, KINDS[batch.kind], by=None, reason=options["reason"].strip(), now=read_clock()
                )
            except UndoneAlready:
                raise CommandError("It was undone before.", returncode=1) from None
            except TooLate:
                words = (
                    f"A file can be undone for {UNDOABLE_FOR.days} days. Correct the rest by another file."
                )
                raise CommandError(words, returncode=1) from None
            except (AnotherAtWork, Disturbed) as error:
                raise disturbed(error) from error
            for fault in faults:
                self.stderr.write(sentence(fault))
        if faults:
            raise CommandError("Nothing was undone: see above.", returncode=1)
        self.stdout.write(f"Undone: batch {batch.pk}, {batch.file_name}.")
