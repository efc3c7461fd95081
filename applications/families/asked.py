"""What somebody typed into the one field of the search: a number of some kind, or a name. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.identity import DocumentError, Identity, parse_identity
from accounts.iin import IinError
from accounts.masks import mask_identity, mask_phone, mask_words
from accounts.phones import PhoneError, paper_login, parse_any_phone
from notifications.folding import words_of

# No longer text finds anything.
LONGEST: Final = 100
_APPLICATION: Final = re.compile(r"(\d\d)(\d{6,8})")
_SHORT: Final = re.compile(r"(\d\d)-(\d{1,5})")
_REFERRAL: Final = re.compile(r"(\d\d)(\d{4})(\d{4})")


class Kind(StrEnum):
    APPLICATION = "application"
    REFERRAL = "referral"
    PHONE = "phone"
    LOGIN = "login"
    IDENTITY = "identity"
    NAME = "name"


LABELS: Final = {
    Kind.APPLICATION: _("application number"),
    Kind.REFERRAL: _("referral number"),
    Kind.PHONE: _("phone"),
    Kind.LOGIN: _("login"),
    Kind.IDENTITY: _("IIN or document number"),
    Kind.NAME: _("name of a person"),
}
# Before the kinds in what the audit keeps of a search.
_ENTERED: Final = "family"


@dataclass(frozen=True)
class Asked:
    """Everything that the text may be: digits can be a telephone number and a referral's at once.

    Empty values are not asked for. `masked` may be kept.
    """

    application: str = ""
    referral: str = ""
    phone: str = ""
    login: str = ""
    identity: Identity | None = None
    words: tuple[str, ...] = ()
    masked: str = ""

    @property
    def kinds(self) -> list[Kind]:
        asked = {
            Kind.APPLICATION: self.application,
            Kind.REFERRAL: self.referral,
            Kind.PHONE: self.phone,
            Kind.LOGIN: self.login,
            Kind.IDENTITY: self.identity,
            Kind.NAME: self.words,
        }
        return [kind for kind, value in asked.items() if value]

    @property
    def entered_as(self) -> str:
        """What the audit keeps of the search; `in_words` reads it."""
        return f"{_ENTERED} {'/'.join(self.kinds)} {self.masked}"

    @property
    def is_of_a_person(self) -> bool:
        """Whether it is somebody's own number: trying many of them finds people, not papers."""
        return bool(self.phone or self.login or self.identity)


def read(text: str) -> Asked:
    """What `text` may be, in any spelling; nothing in it that can be asked for finds nothing."""
    plain = _plain(text)
    if not any(sign.isalpha() for sign in plain):
        return _number(plain)
    if any(sign.isdecimal() for sign in plain):
        identity = _identity(plain)
        return Asked(identity=identity, masked=_mask(identity))
    return Asked(words=tuple(words_of(plain)), masked=mask_words(plain))


def in_words(entered: str) -> str:
    """What an employee looked for (`Asked.entered_as`) in the language of the page; empty for another text."""
    mark, _space, rest = entered.partition(" ")
    kinds, _space, masked = rest.partition(" ")
    if mark != _ENTERED or not all(kind in list(Kind) for kind in kinds.split("/")):
        return ""
    return f"{', '.join(str(LABELS[Kind(kind)]) for kind in kinds.split('/'))}: {masked}"


def _number(plain: str) -> Asked:
    digits = "".join(sign for sign in plain if sign.isdecimal())
    application = _APPLICATION.fullmatch(digits)
    short = _SHORT.fullmatch(plain.replace(" ", ""))
    referral = _REFERRAL.fullmatch(digits)
    phone, identity = _phone(plain), _identity(plain)
    number = "-".join(application.groups()) if application else ""
    if short and not application:
        number = f"{short[1]}-{short[2]:>06}"
    of_referral = "-".join(referral.groups()) if referral else ""
    return Asked(
        application=number,
        referral=of_referral,
        phone=phone,
        login=paper_login(plain),
        identity=identity,
        masked=_mask(identity) or (mask_phone(phone) if phone else "") or number or of_referral,
    )


def _plain(text: str) -> str:
    """In one Unicode form, with ASCII digits and dashes and single spaces, without the sign of a number."""
    normal = unicodedata.normalize("NFKC", text.replace("№", " ").replace("\0", " "))
    signs = (
        str(unicodedata.decimal(sign))
        if sign.isdecimal()
        else "-"
        if unicodedata.category(sign) == "Pd"
        else sign
        for sign in normal
        if unicodedata.category(sign) != "Cf"
    )
    return " ".join("".join(signs).split())[:LONGEST]


def _phone(plain: str) -> str:
    try:
        return parse_any_phone(plain)
    except PhoneError:
        return ""


def _identity(plain: str) -> Identity | None:
    try:
        return parse_identity(plain)
    except (IinError, DocumentError):
        return None


def _mask(identity: Identity | None) -> str:
    return mask_identity(iin=identity.iin, number=identity.document_number) if identity else ""
