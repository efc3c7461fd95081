"""manage.py recheck_guardianship: ask the registry whether every guardian still is one."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.registry import RegistryUnavailable
from children.models import Guardianship
from children.services import recheck_guardianship
from notifications.clock import read_clock


def at_least_one(text: str) -> int:
    """A number of guardianships, one or more."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1_000_000_000):
        raise ArgumentTypeError("must be a whole number above 0")
    return int(text)


class Command(BaseCommand):
    help = (
        "Asks the person registry about every live guardianship that it once confirmed, the longest unchecked first, "
        "and ends those that it no longer confirms. Stops at the first time the registry does not answer; run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count; end nothing.")
        parser.add_argument("--limit", type=at_least_one, default=None, help="Check at most so many.")

    def handle(self, *args: Any, **options: Any) -> None:
        guardianships = Guardianship.objects.filter(
            ended_at=None, source=Guardianship.Source.REGISTRY, user__profile__isnull=False
        ).select_related("child", "user__profile")
        held = ended = 0
        for guardianship in guardianships.order_by("verified_at", "pk")[: options["limit"]]:
            try:
                holds = recheck_guardianship(guardianship, now=read_clock(), dry_run=options["dry_run"])
            except RegistryUnavailable:
                raise CommandError(
                    f"The registry does not answer. Confirmed: {held}, ended: {ended}."
                ) from None
            held, ended = held + holds, ended + (not holds)
        word = "would be ended" if options["dry_run"] else "ended"
        self.stdout.write(f"confirmed: {held}, {word}: {ended}")
