"""What the SMS of a month took, by gateway."""

import re
from datetime import date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import get_default_timezone

from notifications.clock import read_clock
from notifications.overview import Cost, costs, in_all


class Command(BaseCommand):
    help = "Prints how many SMS each gateway took in a month, their segments and their cost in tenge."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", metavar="YYYY-MM", default="", help="the present month by default")

    def handle(self, *args: Any, **options: Any) -> None:
        first = _first_day(options["month"]) if options["month"] else _today().replace(day=1)
        rows = costs(since=_midnight(first), until=_midnight(next_month(first)))
        self.stdout.write(f"{first:%Y-%m}")
        if not rows:
            self.stdout.write("No SMS.")
            return
        self.stdout.write(_line("gateway", "SMS", "segments", "cost, KZT", "without a price"))
        for one in [*rows, in_all(rows)]:
            self.stdout.write(_row(one))


def _row(one: Cost) -> str:
    return _line(one.gateway or "in all", one.messages, one.segments, f"{one.cost:.2f}", one.unpriced)


def _line(name: str, *values: object) -> str:
    return f"{name:<12}" + "".join(f"{value!s:>17}" for value in values)


def _first_day(month: str) -> date:
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", month, re.ASCII)
    if not found or not (1 <= int(found[2]) <= 12 and 1 < int(found[1]) < 9999):
        raise CommandError("Write the month like 2026-11.", returncode=2)
    return date(int(found[1]), int(found[2]), 1)


def next_month(first: date) -> date:
    """The first day of the month after that of `first`, itself a first day."""
    return (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=get_default_timezone())


def _today() -> date:
    return read_clock().astimezone(get_default_timezone()).date()
