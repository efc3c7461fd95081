"""manage.py import_queue FILE: the queue that the city kept before the portal."""

from django.core.management.base import CommandParser

from applications.city.queue_file import Queue
from bulletin.importing.command import KEEP, TAKE_BACK, ImportCommand


class Command(ImportCommand):
    help = "Brings in the former queue: each child waits at its old date until its family claims the application."
    kind = Queue()

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--absent",
            choices=[KEEP, TAKE_BACK],
            default=KEEP,
            help="what becomes of those whom earlier files brought into its localities and it does not have: "
            "take-back archives whom nobody has claimed",
        )
