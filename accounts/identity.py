"""Who a parent says they are: by IIN or, without one, by a document number."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from accounts.crypto import keyed_hash
from accounts.iin import parse_iin

# Passports and identity cards: letters and digits, at least one digit.
DOCUMENT: Final = re.compile(r"(?=.*\d)[0-9A-ZА-ЯЁӘҒҚҢӨҰҮҺІ]{5,20}")
# An identity card of Kazakhstan has nine digits and no letters; any other bare digits are taken as an IIN.
CARD_LENGTH: Final = 9
# How much of a document's number proves ownership where there is no IIN.
PROOF_LENGTH: Final = 4


class DocumentError(ValueError):
    """The text is neither an IIN nor a document number."""

    @property
    def message(self) -> str:
        return _("Enter the IIN (12 digits) or the document number: letters and digits without other signs")


class ProofError(ValueError):
    """The text is neither an IIN nor the end of a document's number."""

    @property
    def message(self) -> str:
        return _("Enter the 12 digits of your IIN, or the last four characters of your document's number")


@dataclass(frozen=True)
class Identity:
    """Exactly one of the two is set."""

    iin: str = ""
    document_number: str = ""


def parse_identity(text: str) -> Identity:
    """What one field for "IIN or document number" holds; spaces, hyphens and small letters are allowed.

    Raises `accounts.iin.IinError` for bare digits that are no IIN, `DocumentError` for anything else that is neither.
    """
    compact = _compact(text)
    if not compact.isdecimal():
        if not DOCUMENT.fullmatch(compact):
            raise DocumentError
        return Identity(document_number=compact)
    if len(compact) == CARD_LENGTH:
        return Identity(document_number=compact)
    return Identity(iin=parse_iin(compact))


def parse_proof(text: str) -> str:
    """The IIN in `text`, or the last four letters and digits of a document; in capitals, without separators.

    Raises `accounts.iin.IinError` for more than four digits that are no IIN, `ProofError` for anything else.
    """
    compact = _compact(text)
    if len(compact) == PROOF_LENGTH and compact.isalnum():
        return compact
    if not compact.isdecimal() or len(compact) < PROOF_LENGTH:
        raise ProofError
    return parse_iin(compact)


def iin_hash(iin: str) -> str | None:
    """The hash by which an IIN can be found but not read; None for an empty one."""
    return keyed_hash("iin", iin) if iin else None


def document_hash(number: str) -> str | None:
    """The same for a document number."""
    return keyed_hash("document", number) if number else None


def _compact(text: str) -> str:
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text).upper()
        if not character.isspace() and unicodedata.category(character) not in {"Pd", "Cf"}
    )
