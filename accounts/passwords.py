"""The rule for passwords: 8 to 40 characters (the manual)."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SHORTEST, LONGEST = 8, 40


def normalise_password(text: str) -> str:
    """`text` in the one spelling (NFC) in which passwords are counted and hashed.

    The same letter й or ё comes as one character from one keyboard and as two from another; it must open the same door.
    """
    return unicodedata.normalize("NFC", text)


class LengthValidator:
    """Refuses passwords shorter than 8 or longer than 40 characters; spaces count like any other."""

    def validate(self, password: str, user: object = None) -> None:
        if not SHORTEST <= len(normalise_password(password)) <= LONGEST:
            raise ValidationError(self.get_help_text(), code="password_length")

    def get_help_text(self) -> str:
        return _("The password must have 8 to 40 characters")
