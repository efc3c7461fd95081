"""Telephone numbers: any spelling in, one spelling out, and only numbers that can receive a code by SMS."""

import unicodedata
from enum import StrEnum
from typing import Final

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType

# Digits of a login number: too few for a telephone number.
LOGIN_LENGTH: Final = 9
# What people put between the digits.
SEPARATORS: Final = frozenset("()[].,/*")
MOBILE_TYPES: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


class PhoneFault(StrEnum):
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
    LANDLINE = "landline"


class PhoneError(ValueError):
    """Not a mobile number of Kazakhstan; `message` says in the active language what to do."""

    def __init__(self, reason: PhoneFault) -> None:
        super().__init__(reason.value)
        self.reason = reason

    @property
    def message(self) -> str:
        match self.reason:
            case PhoneFault.FOREIGN:
                return _(
                    "The portal sends SMS only to mobile numbers of Kazakhstan. Enter such a number or call the "
                    "contact centre"
                )
            case PhoneFault.LANDLINE:
                return _("A landline can't receive an SMS. Enter a mobile number")
            case _:
                return _("Enter the phone number as +7 7__ ___ __ __")


def parse_mobile(text: str) -> str:
    """The number in E.164 (`+77017779876`), however it is spelt: 8701…, +7 (701) …, 7017779876, full-width digits.

    Raises `PhoneError`: UNREADABLE when it is no number at all, FOREIGN for a number of another country, LANDLINE for a
    number of Kazakhstan that is not mobile.
    """
    try:
        number = phonenumbers.parse(_spell(text), None)
    except phonenumbers.NumberParseException:
        raise PhoneError(PhoneFault.UNREADABLE) from None
    if not phonenumbers.is_valid_number(number):
        raise PhoneError(PhoneFault.UNREADABLE)
    if phonenumbers.region_code_for_number(number) != "KZ":
        raise PhoneError(PhoneFault.FOREIGN)
    if phonenumbers.number_type(number) not in MOBILE_TYPES:
        raise PhoneError(PhoneFault.LANDLINE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def parse_any_phone(text: str) -> str:
    """Any telephone number of the world in E.164; one without a country's code is taken for one of Kazakhstan.

    Raises `PhoneError`: UNREADABLE.
    """
    try:
        number = phonenumbers.parse(_spell(text), None)
    except phonenumbers.NumberParseException:
        raise PhoneError(PhoneFault.UNREADABLE) from None
    if not phonenumbers.is_valid_number(number):
        raise PhoneError(PhoneFault.UNREADABLE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def paper_login(text: str) -> str:
    """The login number on the paper of an assisted registration, without spaces and dashes; empty if it is none."""
    kept = "".join(
        sign for sign in unicodedata.normalize("NFKC", text) if not sign.isspace() and not _is_separator(sign)
    )
    return kept if len(kept) == LOGIN_LENGTH and kept.isascii() and kept.isdecimal() else ""


def login_name(text: str) -> str:
    """The account name meant by somebody who signs in with `text`: a phone in E.164, otherwise the text as typed.

    The login number of a paper comes without spaces.

    Names are compared without surrounding spaces and in one Unicode normal form, as Django's forms do it. Only a phone
    begins with a plus.
    """
    try:
        return parse_mobile(text)
    except PhoneError:
        return paper_login(text) or unicodedata.normalize("NFKC", text).strip().lstrip("+")


def display_phone(phone: object) -> str:
    """A number of Kazakhstan for the reader: `+7 701 777 98 76`; any other text unchanged."""
    text = str(getattr(phone, "as_e164", phone) or "")
    if len(text) != 12 or not text.startswith("+7"):
        return text
    return f"{text[:2]} {text[2:5]} {text[5:8]} {text[8:10]} {text[10:]}"


def dialled(phone: phonenumbers.PhoneNumber) -> str:
    """A number as it is dialled inside Kazakhstan, written like the contact centre's: `8 (727) 339-72-22`."""
    national = phonenumbers.format_number(phone, phonenumbers.PhoneNumberFormat.NATIONAL)
    code, _closing, rest = national.partition(") ")
    digits = rest.replace(" ", "")
    return f"{code}) {digits[:-4]}-{digits[-4:-2]}-{digits[-2:]}" if digits.isdecimal() else national


def _spell(text: str) -> str:
    """`text` as `+` and digits only, with the country code that people in Kazakhstan leave out."""
    kept = []
    for character in text.strip():
        value = unicodedata.decimal(character, None)
        if value is not None:
            kept.append(str(value))
        elif unicodedata.normalize("NFKC", character) == "+" and not kept:
            kept.append("+")
        elif not _is_separator(character):
            raise PhoneError(PhoneFault.UNREADABLE)
    digits = "".join(kept)
    if digits.startswith("00"):
        return "+" + digits[2:]
    if digits.startswith(("8", "7")) and len(digits) == 11:
        return "+7" + digits[1:]
    if digits.startswith("+8") and len(digits) == 12:
        return "+7" + digits[2:]
    if len(digits) == 10:
        return "+7" + digits
    return digits if digits.startswith("+") else "+" + digits


def _is_separator(character: str) -> bool:
    return (
        character.isspace()
        or unicodedata.category(character) in {"Pd", "Cf"}
        or unicodedata.normalize("NFKC", character) in SEPARATORS
    )
