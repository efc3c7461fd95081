"""manage.py send_test_sms PHONE: try a gateway and its credentials."""

import uuid
from typing import Any

import phonenumbers
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.sms.base import Outcome, get_backend

TEXT = "BALABAQSHA: тексеру хабарламасы / проверка связи"


class Command(BaseCommand):
    help = "Sends one test SMS at once, past the outbox, and prints what the gateway answered."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("phone", help="such as +77017779876 or 8 701 777 98 76")
        parser.add_argument("--backend", default="", help="dotted path; the configured gateway by default")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            number = phonenumbers.parse(options["phone"], settings.PHONENUMBER_DEFAULT_REGION)
        except phonenumbers.NumberParseException as error:
            raise CommandError(f"Not a phone number: {error}", returncode=2) from None
        if not phonenumbers.is_valid_number(number):
            raise CommandError("Not a phone number that exists.", returncode=2)
        phone = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        try:
            backend = get_backend(options["backend"])
        except ImportError as error:
            raise CommandError(f"No such gateway: {error}", returncode=2) from None
        result = backend.send(phone, TEXT, idempotency_key=str(uuid.uuid4()))
        if result.outcome is not Outcome.ACCEPTED:
            raise CommandError(f"{result.outcome.name.lower()}: {result.error}")
        self.stdout.write(f"accepted: {result.provider_id}")
