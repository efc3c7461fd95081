"""`manage.py explain APPLICATION`: why a number moved, for operators."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from applications.models import Application
from applications.queue.history import explain
from notifications.clock import read_clock


class Command(BaseCommand):
    help = "Print every move of an application's number with its reason, from its filing to now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("application", help="the application's number, e.g. 26-000417")
        parser.add_argument("--since", type=datetime.fromisoformat, help="an instant with zone, ISO 8601")
        parser.add_argument("--until", type=datetime.fromisoformat, help="an instant with zone, ISO 8601")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        application = (
            Application.objects.select_related("locality").filter(number=options["application"]).first()
        )
        if application is None:
            raise CommandError(f"There is no application {options['application']}.")
        since, until = (options["since"] or application.filed_at), (options["until"] or read_clock())
        if since.tzinfo is None or until.tzinfo is None:
            raise CommandError("Give the instants with their zone, e.g. 2026-06-26T16:20:00+05:00.")
        explanation = explain(application, since=since, until=until)
        for row in explanation.rows:
            numbers = f"{row.before or '-'} -> {row.after or '-'}"
            self.stdout.write(
                f"{row.day:%d.%m.%Y}  {numbers:>16}  {-row.forward:+d}  {row.cause} x{row.times}"
            )
        self.stdout.write(f"{explanation.old or '-'} -> {explanation.new or '-'}: {-explanation.forward:+d}")
