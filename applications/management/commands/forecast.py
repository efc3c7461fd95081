"""`manage.py forecast --backtest`: how often the forecasts of waits would have held."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from applications.forecast.outlook import accuracy, all_of
from notifications.clock import read_clock


class Command(BaseCommand):
    help = "Print for each month how many forecasts of waits can be judged by now, and how many of them held."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--backtest", action="store_true", help="try the forecasts of the months gone by")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        if not options["backtest"]:
            raise CommandError("Say what to do: forecast --backtest. Families read forecasts at /forecast/.")
        months = accuracy(now=read_clock())
        if not months:
            self.stdout.write("No forecast can be judged yet: the queues have moved for too short a time.")
            return
        for one in (*reversed(months), all_of(months)):
            name = f"{one.month:%m.%Y}" if one.month else "in all"
            self.stdout.write(f"{name:>8}  made {one.made:6}  held {one.held:6}  {one.percent:3} %")
