"""The rules for passwords: 8 to 40 characters (the manual), and nothing that others would try first."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.common_passwords import is_common

SHORTEST, LONGEST = 8, 40
PORTAL: Final = "balabaqsha"
# A shorter word occurs in too many others.
_SHORTEST_WORD: Final = 3
# This many characters around a repeated piece do not make it stronger.
_SIGNS_BESIDES: Final = 3

# Letters of the other alphabet, or another spelling, that stand for the same sound: names and the portal's own are
# found however they are written.
_ALIKE: Final = str.maketrans(
    dict(zip("абвгғдезийыікқлмнңоөпрстуұүфхһцэ", "abvggdeziiiikklmnnooprstuuufhhce", strict=True))
    | {"ә": "a", "ё": "e", "ж": "zh", "ч": "ch", "ш": "sh", "щ": "sh", "ю": "iu", "я": "ia", "ь": "", "ъ": ""}
    | {"q": "k", "ş": "sh", "y": "i", "w": "v"}
)

# Words that tell who somebody is; apps register where theirs come from.
Words = Callable[[Any], Iterable[str]]
_words: list[Words] = []


def register_words(words: Words) -> None:
    """`words` tells of a user what others would try: names, dates, numbers."""
    if words not in _words:
        _words.append(words)


def date_words(day: date) -> list[str]:
    """A date as people write it into a password."""
    return [f"{day:{form}}" for form in ("%d%m%Y", "%Y%m%d", "%d%m%y", "%y%m%d", "%d%m", "%Y")]


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
    """Refuses a password made of what is known of its owner or of the portal's name, in any spelling.

    Of the owner: the phone number, the login, and what the apps have registered (IIN, names, birth dates, those of the
    children). Each may be part of a password if the rest is long enough by itself.
    """

    def validate(self, password: str, user: object = None) -> None:
        folded = _fold(password)
        rest = folded.replace(_fold(PORTAL), "")
        digits = re.sub(r"\D", "", str(getattr(user, "phone", None) or ""))[-10:]
        if digits:
            rest = re.sub(f"(00)?[78]?{digits}", "", rest)
        for word in _personal(user):
            rest = rest.replace(word, "")
        if rest != folded and len(rest) < SHORTEST:
            raise ValidationError(self.get_help_text(), code="password_personal")

    def get_help_text(self) -> str:
        return _(
            "The password must not be made of your phone number, your login, IIN, name or birth date, those of your "
            "children, or the portal's name: they are the first that others try. Take three or four words that don't "
            "belong together"
        )


class CommonValidator:
    """Refuses what is on lists of leaked passwords, or easily made from it (`accounts.common_passwords`)."""

    def validate(self, password: str, user: object = None) -> None:
        if is_common(normalise_password(password)):
            raise ValidationError(self.get_help_text(), code="password_too_common")

    def get_help_text(self) -> str:
        return _(
            "This password is on lists of leaked ones, or made from one of them: a digit or a sign more does not help. "
            "Take three or four words that don't belong together"
        )


def _personal(user: object) -> list[str]:
    """What is known of `user`, folded, the longest first: a date goes before its year."""
    known = [str(getattr(user, "username", None) or "")]
    # Not of somebody who is only registering.
    if getattr(getattr(user, "_state", None), "adding", True) is False:
        known += [word for words in _words for word in words(user)]
    return sorted({word for word in map(_fold, known) if len(word) >= _SHORTEST_WORD}, key=len, reverse=True)


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
