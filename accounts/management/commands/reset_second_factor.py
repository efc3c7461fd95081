"""Reset the second factor of an employee who lost the phone; print the one code with which to set up a new app."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from accounts.models import User
from accounts.second_factor import RESET_CODE_LASTS, reset_second_factor
from notifications.clock import read_clock


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_staff=True).first()
        if user is None:
            raise CommandError(f"There is no employee {options['username']}.")
        code = reset_second_factor(user, actor=None, now=read_clock())
        self.stdout.write(f"Employee: {user.username}")
        self.stdout.write(f"Emergency code: {code}")
        self.stdout.write(
            f"It counts once, for {RESET_CODE_LASTS.days} days, with the password: then a new app is set up."
        )
