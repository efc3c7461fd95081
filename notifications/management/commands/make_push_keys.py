"""manage.py make_push_keys: make the key by which browsers know the portal."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.push_encryption import new_private_key, public_key


class Command(BaseCommand):
    help = "Prints a new private key for notices on screens, as a setting. Nothing is stored or changed."

    def handle(self, *args: Any, **options: Any) -> None:
        key = new_private_key()
        self.stdout.write(f"PUSH_PRIVATE_KEY={key}")
        self.stderr.write(
            f"Browsers are told its other half: {public_key(key)}\n"
            "Keep it secret, as a file named by PUSH_PRIVATE_KEY_FILE like the others. With another key every device "
            "has to be turned on anew."
        )
