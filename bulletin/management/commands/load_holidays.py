"""manage.py load_holidays: fill the working-day calendar with the official days off and the decreed transfers."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bulletin.calendar_loading import LoadedDays, load_official_days
from bulletin.official_days import FIRST_YEAR, YEARS_AHEAD
from notifications.clock import read_clock

LATEST_YEAR = 2100


def year(text: str) -> int:
    """A year for which the days off are known or can be told from the law."""
    if not text.isdecimal() or not FIRST_YEAR <= int(text) <= LATEST_YEAR:
        raise argparse.ArgumentTypeError(f"must be a year from {FIRST_YEAR} to {LATEST_YEAR}")
    return int(text)


class Command(BaseCommand):
    help = (
        "Adds the official days off of Kazakhstan and the working days that the Government decreed for them. "
        "Dates that are already in the calendar are left as they are, so edits are safe and it may run every day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--first-year", type=year, default=FIRST_YEAR, help=f"default: {FIRST_YEAR}")
        parser.add_argument("--last-year", type=year, help=f"default: {YEARS_AHEAD} years ahead")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be added")

    def handle(self, *args: Any, **options: Any) -> None:
        last_year = options["last_year"] or timezone.localdate(read_clock()).year + YEARS_AHEAD
        if options["first_year"] > last_year:
            raise CommandError(
                f"The first year ({options['first_year']}) is later than the last ({last_year}).",
                returncode=2,
            )
        loaded = load_official_days(
            first_year=options["first_year"], last_year=last_year, dry_run=options["dry_run"]
        )
        self._report(loaded, dry_run=options["dry_run"])

    def _report(self, loaded: LoadedDays, *, dry_run: bool) -> None:
        for day in loaded.differing:
            kind = "a working day" if day.is_working else "a day off"
            self.stdout.write(f"{day.date:%d.%m.%Y} differs: the list says {kind}; kept as it is")
        for extra in loaded.extra:
            self.stdout.write(f"{extra.date:%d.%m.%Y} is not in the list; kept as it is")
        for day in loaded.added:
            if day.is_estimate:
                self.stdout.write(f"{day.date:%d.%m.%Y} is an estimate; correct it once announced")
        self.stdout.write(
            f"{'Would add' if dry_run else 'Added'}: {len(loaded.added)}. Already there: {len(loaded.kept)}. "
            f"Different, kept: {len(loaded.differing)}. Not in the list, kept: {len(loaded.extra)}."
        )
