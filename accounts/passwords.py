"""The rules for passwords: 8 to 40 characters (the manual), and nothing that others would try first."""

import re
import unicodedata
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SHORTEST, LONGEST = 8, 40
PORTAL: Final = "balabaqsha"

# What stands in the other alphabet, or another spelling, for the letters of the portal's name.
_ALIKE: Final = str.maketrans(
    {"а": "a", "б": "b", "л": "l", "к": "k", "қ": "k", "q": "k", "с": "s", "һ": "h", "ш": "sh", "ş": "sh"}
)


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


class PersonalValidator:
    """Refuses a password that is the owner's phone number or the portal's name, in any spelling, with a few signs more.

    Both may be part of a password whose rest would be long enough by itself.
    """

    def validate(self, password: str, user: object = None) -> None:
        folded = _fold(password)
        rest = folded.replace(_fold(PORTAL), "")
        digits = re.sub(r"\D", "", str(getattr(user, "phone", None) or ""))[-10:]
        if digits:
            rest = re.sub(f"(00)?[78]?{digits}", "", rest)
        if rest != folded and len(rest) < SHORTEST:
            raise ValidationError(self.get_help_text(), code="password_personal")

    def get_help_text(self) -> str:
        return _(
            "The password must not be made of your phone number or the portal's name: they are the first that "
            "others try"
        )


def _fold(text: str) -> str:
    """Letters and digits alone, in which the portal's name and a number have one spelling each."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)
    return "".join(
        str(unicodedata.decimal(character, character)) for character in plain if character.isalnum()
    )
