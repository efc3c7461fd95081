"""`manage.py ready`: what is missing before the city can open, in words or for a program."""

import json
from dataclasses import asdict
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from balabaqsha.ready.questions import Colour, findings, is_ready
from balabaqsha.ready.reading import read_known
from notifications.clock import read_clock

_MARKS: Final = {Colour.GREEN: "ok     ", Colour.RED: "MISSING", Colour.UNKNOWN: "unknown"}


class Command(BaseCommand):
    help = "Says what is missing before the city can open, each with its remedy. 1: something is missing or unknown."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        found = findings(read_known(now=read_clock()))
        if options["format"] == "json":
            told = {"ready": is_ready(found), "findings": [asdict(one) for one in found]}
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            for one in found:
                self.stdout.write(f"{_MARKS[one.colour]}  {one.question} {one.answer}")
                if one.remedy:
                    self.stdout.write(f"         -> {one.remedy}{f' ({one.see})' if one.see else ''}")
        if not is_ready(found):
            names = ", ".join(one.name for one in found if one.colour is not Colour.GREEN)
            raise CommandError(f"The city is not ready to open: {names}.")
