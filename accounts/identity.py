"""Who a parent says they are: by IIN or, without one, by a document number."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _

from accounts.crypto import keyed_hash, keyed_hashes
from accounts.iin import parse_iin

# Passports and identity cards: letters and digits, at least one digit.
DOCUMENT: Final = re.compile(r"(?=.*\d)[0-9A-ZА-ЯЁӘҒҚҢӨҰҮҺІ]{5,20}")
# An identity card of Kazakhstan has nine digits and no letters; any other bare digits are taken as an IIN.
CARD_LENGTH: Final = 9
# How much of a document's number proves ownership where there is no IIN.
PROOF_LENGTH: Final = 4
# Letters that look alike in both alphabets: nobody sees which keyboard they were typed on.
_CYRILLIC: Final = "АВЕКМНОРСТУХІҮҺЅЈ"
_LATIN: Final = "ABEKMHOPCTYXIYHSJ"
_TO_LATIN: Final = str.maketrans(_CYRILLIC, _LATIN)
# Of several look-alikes the first one: Н before Һ, У before Ү.
_TO_CYRILLIC: Final = str.maketrans(_LATIN[::-1], _CYRILLIC[::-1])

# Begins what stands in for the hash of an IIN.
STAND_IN: Final = "paper-"


class Paper(StrEnum):
    """What a number stands on, as the person says; without a word it is told by its form."""

    IIN = "iin"
    CARD = "card"
    OTHER = "other"


class DocumentError(ValueError):
    """The text is neither an IIN nor a document number."""

    @property
    def message(self) -> str:
        return _("Enter the IIN (12 digits) or the document number: letters and digits without other signs")


class CardError(DocumentError):
    """The text is not the number of an identity card."""

    @property
    def message(self) -> str:
        return _("The number of an identity card of Kazakhstan has 9 digits")


class OtherDocumentError(DocumentError):
    """The text is not the number of a passport or of another document."""

    @property
    def message(self) -> str:
        return _("The number of a document has 5 to 20 letters and digits. Copy it from the document")


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

    @property
    def hashes(self) -> list[str]:
        """Every hash under which it may be stored, that under the present key first."""
        return iin_hashes(self.iin) or document_hashes(self.document_number)


def parse_identity(text: str, *, paper: Paper | None = None) -> Identity:
    """What one field for "IIN or document number" holds, in any spelling; `paper` is what the person says it is.

    Signs and spaces are dropped, letters are capitals of one alphabet (`in_one_alphabet`). Without `paper`, or with
    the IIN, a number that can only be a document's is one: it holds a letter, or nine digits. Raises
    `accounts.iin.IinError` for other digits that are no IIN, `DocumentError` for anything else.
    """
    compact = _compact(text)
    if paper in (Paper.CARD, Paper.OTHER):
        return Identity(document_number=_document(compact, paper))
    if not compact.isdecimal() and not DOCUMENT.fullmatch(compact):
        raise DocumentError
    if not compact.isdecimal() or len(compact) == CARD_LENGTH:
        return Identity(document_number=in_one_alphabet(compact))
    return Identity(iin=parse_iin(compact))


def in_one_alphabet(number: str) -> str:
    """`number` with its letters in Latin, or in Cyrillic where one of them exists in Cyrillic only. Pure."""
    latin = number.translate(_TO_LATIN)
    is_cyrillic = any("CYRILLIC" in unicodedata.name(letter, "") for letter in latin)
    return latin.translate(_TO_CYRILLIC) if is_cyrillic else latin


def parse_proof(text: str) -> str:
    """The IIN in `text`, or the last four letters and digits of a document as `proof_of_document` writes them.

    Raises `accounts.iin.IinError` for more than four digits that are no IIN, `ProofError` for anything else.
    """
    compact = _compact(text)
    if len(compact) == PROOF_LENGTH:
        return proof_of_document(compact)
    if not compact.isdecimal() or len(compact) < PROOF_LENGTH:
        raise ProofError
    return parse_iin(compact)


def proof_of_document(number: str) -> str:
    """The last four letters and digits of a document's number, the same for every keyboard. Pure."""
    return number[-PROOF_LENGTH:].upper().translate(_TO_LATIN)


def iin_hash(iin: str) -> str | None:
    """The hash by which an IIN can be found but not read; None for an empty one."""
    return keyed_hash("iin", iin) if iin else None


def document_hash(number: str) -> str | None:
    """The same for a document number, whatever keyboard it was typed on, and in small letters too."""
    return keyed_hash("document", _spelt(number)) if number else None


def iin_hashes(iin: str) -> list[str]:
    """Every hash under which `iin` may be stored; none for an empty one."""
    return keyed_hashes("iin", iin) if iin else []


def document_hashes(number: str) -> list[str]:
    """Every hash under which a document's `number` may be stored; none for an empty one."""
    return keyed_hashes("document", _spelt(number)) if number else []


def paper_hash(number: str) -> str | None:
    """The hash by which a certificate can be found but not read; None for an empty number."""
    return keyed_hash("paper", number) if number else None


def paper_hashes(number: str) -> list[str]:
    """Every hash under which a certificate may be stored; none for an empty number."""
    return keyed_hashes("paper", number) if number else []


def phone_hash(phone: str) -> str | None:
    """The hash by which a phone number (E.164) can be found but not read; None for an empty one."""
    return keyed_hash("phone", phone) if phone else None


def phone_hashes(phone: str) -> list[str]:
    """Every hash under which a phone number may be stored; none for an empty one."""
    return keyed_hashes("phone", phone) if phone else []


def stand_in(paper_number: str) -> str:
    """What stands where the hash of an IIN would, for a child that has only a certificate."""
    return _stand_in(keyed_hash("paper", paper_number))


def hashes_of_child(*, iin: str, paper_number: str) -> list[str]:
    """Every hash under which a child may be stored by its IIN or, without one, by its certificate."""
    return iin_hashes(iin) or [_stand_in(hashed) for hashed in paper_hashes(paper_number)]


def _stand_in(hashed: str) -> str:
    return f"{STAND_IN}{hashed}"[:64]


def _spelt(number: str) -> str:
    return number.upper().translate(_TO_LATIN)


def _document(compact: str, paper: Paper) -> str:
    if paper is Paper.CARD and not (compact.isdecimal() and len(compact) == CARD_LENGTH):
        raise CardError
    if not DOCUMENT.fullmatch(compact):
        raise OtherDocumentError
    return in_one_alphabet(compact)


def _compact(text: str) -> str:
    """Letters in capitals, and digits of any script. "№" goes first: normalising would make letters of it."""
    return "".join(
        str(unicodedata.decimal(character, character))
        for character in unicodedata.normalize("NFKC", text.replace("№", "")).upper()
        if unicodedata.category(character)[0] not in "CPSZ"
    )
