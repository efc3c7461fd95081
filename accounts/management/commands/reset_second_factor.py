"""Take password and second factor from an employee who lost them; print the link with which to set up the account."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, no_translations

from accounts import staff_links
from accounts.models import User
from notifications.clock import read_clock


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--reason", default="by an operator", help="what was lost; the employee reads it")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_staff=True).first()
        if user is None:
            raise CommandError(f"There is no employee {options['username']}.")
        secret = staff_links.reset(user, reason=options["reason"], actor=None, now=read_clock())
        path = staff_links.address_of(secret, language=user.language)
        self.stdout.write(f"Employee: {user.username}")
        self.stdout.write(f"Link: {settings.SITE_URL}{path}")
        self.stdout.write(f"It counts once, for {staff_links.LASTS.days} days.")
