"""`setup_demo`: build the demo city, or print who lives in it."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import override

from balabaqsha.demo import city, desk, staff
from notifications.clock import read_clock

PRINTED_PEOPLE = 8
# Those of every role; the heads of the other kindergartens follow.
PRINTED_EMPLOYEES = 12


class Command(BaseCommand):
    help = (
        "Builds the demo city: localities, kindergartens, vacancies, a queue of thousands, last year's history. "
        "Only in demo mode. What is already there is left as it is, so it is safe to run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--print", action="store_true", help="only print the demo people and employees")
        parser.add_argument(
            "--scale", type=float, default=1.0, help="size of the queue and the history, 1 is the whole city"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo city is built in demo mode only (BALABAQSHA_DEMO=1).")
        if options["print"]:
            self.print_people()
            return
        if not 0 < options["scale"] <= 1:
            raise CommandError("--scale is a number above 0 and up to 1.")
        self.build(scale=options["scale"])

    def build(self, *, scale: float) -> None:
        """Run the steps that are missing, each named with the time that it took."""
        started = time.monotonic()

        def report(step: city.Step, done: bool) -> None:
            passed = time.monotonic() - started
            self.stdout.write(f"    {passed:5.1f} s  {step.name}{': already there' if done else ' ...'}")
            self.stdout.flush()

        city.build(now=read_clock(), scale=scale, report=report)
        self.stdout.write(f"    {time.monotonic() - started:5.1f} s  the demo city is ready")

    def print_people(self) -> None:
        """Some people who have not registered yet, and some employees with a login."""
        now = read_clock()
        self.stdout.write("\nPeople of the simulated registry (all of them: /demo/)")
        for person in desk.people(today=timezone.localdate(now))[:PRINTED_PEOPLE]:
            identity = person.iin or person.document_number
            self.stdout.write(f"  {identity:<13} {person.birth_date:%d.%m.%Y}  {person.name}")
            for child in person.children:
                self.stdout.write(f"    {child.iin:<13} {child.birth_date:%d.%m.%Y}  {child.name}")
        self.stdout.write(
            "\nEmployees, at /admin/ (all of them, and the one-time codes, which change: /demo/)"
        )
        with override("kk"):
            for login in staff.logins(now=now)[:PRINTED_EMPLOYEES]:
                who = login.employee
                self.stdout.write(
                    f"  {who.username:<14} {who.password:<21} {login.otp}  {login.kindergarten}"
                )
