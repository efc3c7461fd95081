"""The rules for passwords: 8 to 40 characters (the manual), and nothing that others would try first."""

import re
import unicodedata
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SHORTEST, LONGEST = 8, 40
PORTAL: Final = "balabaqsha"
# A shorter name occurs in too many words.
_SHORTEST_LOGIN: Final = 3
# This many characters around a repeated piece do not make it stronger.
_SIGNS_BESIDES: Final = 3

# Letters of the other alphabet, or another spelling, that stand for the letters of the portal's name.
_ALIKE: Final = str.maketrans(
    {"а": "a", "б": "b", "л": "l", "к": "k", "қ": "k", "q": "k", "с": "s", "һ": "h", "ш": "sh", "ş": "sh"}
)


def normalise_password(text: str) -> str:
    """`text` in the one spelling (NFC) in which passwords are counted and hashed.

    The letter й or ё comes as one character from one keyboard and as two from another; both must be the same password.
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
    """Refuses a password made of the owner's phone number, their login or the portal's name, in any spelling.

    Each may be part of a password if the rest is long enough by itself.
    """

    def validate(self, password: str, user: object = None) -> None:
        folded = _fold(password)
        rest = folded.replace(_fold(PORTAL), "")
        digits = re.sub(r"\D", "", str(getattr(user, "phone", None) or ""))[-10:]
        if digits:
            rest = re.sub(f"(00)?[78]?{digits}", "", rest)
        login = _fold(str(getattr(user, "username", None) or ""))
        if len(login) >= _SHORTEST_LOGIN:
            rest = rest.replace(login, "")
        if rest != folded and len(rest) < SHORTEST:
            raise ValidationError(self.get_help_text(), code="password_personal")

    def get_help_text(self) -> str:
        return _(
            "The password must not be made of your phone number, your login or the portal's name: they are the first "
            "that others try"
        )


class RepetitionValidator:
    """Refuses a repeated piece, even with a few extra characters: guessing the piece guesses the password."""

    def validate(self, password: str, user: object = None) -> None:
        plain, folded = normalise_password(password).casefold(), _fold(password)
        if _is_repetition(plain) or (len(folded) >= SHORTEST and _is_repetition(folded)):
            raise ValidationError(self.get_help_text(), code="password_repetition")

    def get_help_text(self) -> str:
        return _(
            "The password must not be one letter or a short word over and over: it is guessed as easily as the word "
            "alone"
        )


def _is_repetition(text: str) -> bool:
    """Whether `text` is a piece repeated, plus a few characters, and the piece and those are too short a password."""
    for start in range(_SIGNS_BESIDES + 1):
        for size in range(1, SHORTEST):
            end = start + size
            while end < len(text) and text[end] == text[end - size]:
                end += 1
            besides = start + len(text) - end
            if end - start >= 2 * size and besides <= _SIGNS_BESIDES and size + besides < SHORTEST:
                return True
    return False


def _fold(text: str) -> str:
    """Letters and digits only, so that the portal's name and a number have one spelling each."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)
    return "".join(
        str(unicodedata.decimal(character, character)) for character in plain if character.isalnum()
    )
