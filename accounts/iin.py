"""The individual identification number (IIN): twelve digits, of which the last one checks the others.

Nothing else is read from the digits. Since Government Decree 853 of 26.08.2013 they need not agree with the birth date
and sex, so those come from the person registry.
"""

import unicodedata
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _

LENGTH: Final = 12
FIRST_WEIGHTS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
# Used when the first pass leaves 10, which is no digit.
SECOND_WEIGHTS: Final = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)


class IinFault(StrEnum):
    LENGTH = "length"
    ZEROS = "zeros"
    CHECKSUM = "checksum"


class IinError(ValueError):
    """The text is not an IIN; `reason` says why, `message` tells the reader in the active language."""

    def __init__(self, reason: IinFault) -> None:
        super().__init__(reason.value)
        self.reason = reason

    @property
    def message(self) -> str:
        if self.reason is IinFault.LENGTH:
            return _("The IIN must have 12 digits")
        if self.reason is IinFault.ZEROS:
            return _("No IIN has only zeros. Copy it from the document")
        return _("The IIN is mistyped: its check digit does not match")


def parse_iin(text: str) -> str:
    """The twelve digits of `text`; spaces and hyphens between them are allowed, and digits of any script.

    Raises `IinError`: LENGTH when there are not exactly twelve digits, ZEROS when they are all 0 (whose check digit
    fits), CHECKSUM when the last one does not fit.
    """
    digits = "".join(_digit(character) for character in text if not _is_separator(character))
    if len(digits) != LENGTH or not digits.isdecimal():
        raise IinError(IinFault.LENGTH)
    if not int(digits):
        raise IinError(IinFault.ZEROS)
    if check_digit(digits[:-1]) != int(digits[-1]):
        raise IinError(IinFault.CHECKSUM)
    return digits


def check_digit(stem: str) -> int | None:
    """The twelfth digit for eleven given ones, or None where no IIN with this stem can exist."""
    for weights in (FIRST_WEIGHTS, SECOND_WEIGHTS):
        remainder = sum(weight * int(digit) for weight, digit in zip(weights, stem, strict=True)) % 11
        if remainder < 10:
            return remainder
    return None


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _is_separator(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Pd", "Cf"}
