"""`manage.py ready`: what is missing before the city can open, in words or for a program."""

import json
from argparse import ArgumentTypeError
from dataclasses import asdict
from datetime import date
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils.timezone import localdate

from balabaqsha.ready.questions import Colour, Finding, findings, verdict
from balabaqsha.ready.reading import read_known
from notifications.clock import read_clock

_MARKS: Final = {Colour.GREEN: "ok     ", Colour.RED: "MISSING", Colour.UNKNOWN: "unknown"}


class Command(BaseCommand):
    help = (
        "Says what is missing before the city can open, each with its remedy. 1: something is missing. 3: nothing is, "
        "but something is unknown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--restored-backup-of",
            type=_day,
            metavar="DAY",
            help="the day of the newest backup, as 2027-02-28, once you have restored it; the portal can't know it",
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        now = read_clock()
        day: date | None = options["restored_backup_of"]
        if day is not None and day > localdate(now):
            raise CommandError("No backup is of a day to come.", returncode=2)
        found = findings(read_known(now=now, backup_of=day))
        colour = verdict(found)
        if options["format"] == "json":
            told = {
                "ready": colour is Colour.GREEN,
                "colour": colour,
                "findings": [asdict(one) for one in found],
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            for one in found:
                self.stdout.write(f"{_MARKS[one.colour]}  {one.question} {one.answer}")
                if one.remedy:
                    self.stdout.write(f"         -> {one.remedy}{f' ({one.see})' if one.see else ''}")
        if colour is Colour.RED:
            raise CommandError(f"The city is not ready to open: {_names(found, Colour.RED)}.")
        if colour is Colour.UNKNOWN:
            raise CommandError(
                f"Nothing is missing, but nobody knows of: {_names(found, Colour.UNKNOWN)}.", returncode=3
            )


def _names(found: list[Finding], colour: Colour) -> str:
    return ", ".join(one.name for one in found if one.colour is colour)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("a day is written as 2027-02-28") from None
