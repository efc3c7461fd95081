"""manage.py recheck_guardianship: ask the registry whether every guardian still is one."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from children.rechecking import Found, provable, recheck


def at_least_one(text: str) -> int:
    """A number of guardianships, one or more."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1_000_000_000):
        raise ArgumentTypeError("must be a whole number above 0")
    return int(text)


class Command(BaseCommand):
    help = (
        "Asks the person registry about every live guardianship that it once confirmed, the longest unchecked first, "
        "and ends those that it no longer confirms; guardians' names and documents are brought up to date, too. Who "
        "gets no usable answer is skipped and named. Stops when the registry does not answer at all; run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count; end nothing.")
        parser.add_argument(
            "--limit", type=at_least_one, default=None, help="Stop after so many usable answers."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found, limit = Found(), options["limit"]
        recheck(
            provable().order_by("verified_at", "pk"),
            found,
            is_enough=lambda: limit is not None and found.usable >= limit,
            dry_run=options["dry_run"],
        )
        told = found.told("would be ended" if options["dry_run"] else "ended")
        if found.is_down:
            raise CommandError(f"The registry does not answer; run it again. Until then {told}")
        if found.unanswered:
            raise CommandError(f"Not all were checked: {told}")
        self.stdout.write(told)
