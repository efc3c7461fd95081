"""Create an employee with a second factor; print the password (if it was not given) and the TOTP address once."""

import secrets
import sys
from argparse import ArgumentParser
from base64 import b32encode
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import staff_names
from accounts.iin import IinError, parse_iin
from accounts.models import User
from accounts.roles import Role
from accounts.services import BadStaffName, StaffIinTaken, create_staff
from bulletin.models import Employment, Locality
from notifications.clock import read_clock


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--superuser", action="store_true", help="may do everything: the first administrator"
        )
        parser.add_argument(
            "--role", choices=Role.values, action="append", default=[], help="may be repeated"
        )
        parser.add_argument(
            "--locality",
            action="append",
            default=[],
            metavar="SLUG",
            help="the address on the site of a locality in which an official works; may be repeated",
        )
        parser.add_argument("--language", choices=["kk", "ru"], default="kk", help="language of messages")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of standard input",
        )
        parser.add_argument(
            "--iin-stdin",
            action="store_true",
            help="read the employee's IIN from the next line of standard input: nobody decides for their own child",
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["role"] or options["superuser"]):
            roles = " or ".join(f"--role {role}" for role in Role.values)
            raise CommandError(
                f"Say what the employee is: {roles}, or --superuser. Without it nothing is shown to them.",
                returncode=2,
            )
        if options["role"] and options["superuser"]:
            raise CommandError(
                "A superuser may do everything and needs no role: give --superuser or --role, not both.",
                returncode=2,
            )
        places = localities(options["locality"])
        if problem := staff_names.why_not(options["username"]):
            raise CommandError(f"The name {problem}.", returncode=2)
        given = read_password() if options["password_stdin"] else ""
        password = given or secrets.token_urlsafe(15)
        iin = read_iin() if options["iin_stdin"] else ""
        try:
            validate_password(password, User(username=options["username"]))
            now = read_clock()
            with transaction.atomic():
                user, device = create_staff(
                    username=options["username"],
                    password=password,
                    superuser=options["superuser"],
                    groups=options["role"],
                    language=options["language"],
                    iin=iin,
                    now=now,
                )
                today = timezone.localdate(now)
                for place in places:
                    Employment.objects.create(user=user, locality=place, since=today)
        except ValidationError as error:
            raise CommandError(" ".join(f"{message.rstrip('.')}." for message in error.messages)) from None
        except BadStaffName as error:
            raise CommandError(str(error)) from None
        except StaffIinTaken:
            raise CommandError("Another employee has this IIN.") from None
        except IntegrityError:
            raise CommandError(f"There is a user {options['username']} already.") from None
        self.stdout.write(f"Employee: {user.username}")
        if not given:
            self.stdout.write(f"Password: {password}")
        self.stdout.write(f"Secret for the authenticator app: {b32encode(device.bin_key).decode()}")
        self.stdout.write(f"The same as an address, for a QR code: {device.config_url}")
        self.stdout.write("Write them down: they are shown only now.")


def localities(slugs: list[str]) -> list[Locality]:
    """Those with these addresses on the site. Raises CommandError, with the addresses that there are."""
    found = {place.slug: place for place in Locality.objects.all()}
    if missing := [slug for slug in slugs if slug not in found]:
        raise CommandError(
            f"There is no locality {', '.join(missing)}. There are: {', '.join(found) or 'none yet'}.",
            returncode=2,
        )
    return [found[slug] for slug in dict.fromkeys(slugs)]


def read_password() -> str:
    """The password on the next line of standard input. Raises CommandError if there is none."""
    password = read_line("password")
    if not password.isprintable():
        raise CommandError("The password holds signs that can't be typed.")
    return password


def read_iin() -> str:
    """The IIN on the next line of standard input. Raises CommandError if it is none."""
    try:
        return parse_iin(read_line("IIN"))
    except IinError as error:
        raise CommandError(f"{error.message}.") from None


def read_line(name: str) -> str:
    """The next line of standard input. Raises CommandError if it is empty."""
    try:
        line = sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CommandError(f"The {name} is not UTF-8.") from None
    if not line.strip():
        raise CommandError(f"A line of standard input is missing: it must be the {name}.")
    return line
