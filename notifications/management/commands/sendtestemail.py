"""manage.py sendtestemail ADDRESS: Django's, which takes any word for an address and says nothing."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.core.management.commands import sendtestemail
from django.core.validators import validate_email


class Command(sendtestemail.Command):
    help = "Sends one test e-mail at once, past the outbox, and says where it went."

    def handle(self, *args: Any, **options: Any) -> None:
        for address in options["email"]:
            try:
                validate_email(address)
            except ValidationError:
                raise CommandError("Not an e-mail address.", returncode=2) from None
        try:
            super().handle(*args, **options)
        except OSError as error:
            # What mail servers and connections raise.
            raise CommandError(f"Not sent: {type(error).__name__}: {error}") from None
        smtp = settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend")
        where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if smtp else settings.EMAIL_BACKEND
        self.stdout.write(f"handed over to {where}")
