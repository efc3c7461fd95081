"""manage.py invite_imported --limit N: the next wave of invitations to families of the former queue."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from applications.city.inviting import invite
from notifications.clock import read_clock

MOST = 100_000


class Command(BaseCommand):
    help = (
        "Writes an SMS to the phones of the next N applications of the former queue that nobody has claimed: each "
        "phone once. Run it again for the next wave, when the portal has coped with the last one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, required=True, metavar="N", help=f"from 1 to {MOST}")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["limit"] <= MOST:
            raise CommandError(f"--limit is a number from 1 to {MOST}.", returncode=2)
        self.stdout.write(f"Phones written to: {invite(limit=options['limit'], now=read_clock())}")
