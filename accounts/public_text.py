"""Free text by employees that families or everybody can read: words, without personal identifiers."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumber, PhoneNumberMatcher

from accounts.iin import LENGTH, IinError, parse_iin
from accounts.masks import DOT

# Groups of digits, separated as people separate the digits of an IIN; a date has dots or slashes and stays a date.
_GROUPS: Final = re.compile(r"[0-9]+(?:[ -]{1,3}[0-9]+)*")
_WORD: Final = re.compile(r"[^\W\d_]+")
_HOME: Final = "KZ"
_PASSWORD: Final = re.compile(r"(құпия|купия)\s*(сөз|соз)|парол|password")
# The word beside six digits, as an SMS brings them: «SMS коды 529910», "529 910 is my code".
_CODE: Final = re.compile(
    r"\b(?:код|code)[^\W\d]{0,6}\b\D{0,20}\b\d{3}[ -]?\d{3}\b|\b\d{3}[ -]?\d{3}\b\D{0,20}\b(?:код|code)"
)
# The last letters of a name that Russian replaces by others.
_ENDINGS: Final = "аяйь"
_LONGEST_ENDING: Final = 4


# Fewer say nothing: a dot, a dash, "no".
FEWEST_LETTERS: Final = 10


def demand_words(text: str) -> None:
    """Raise `ValidationError`, in the active language, for a reason with fewer than `FEWEST_LETTERS` letters."""
    if sum(character.isalpha() for character in text) < FEWEST_LETTERS:
        raise ValidationError(
            _("Write it in words that others understand. Letters, at least: %(count)s"),
            params={"count": FEWEST_LETTERS},
            code="too_few_letters",
        )


def names_in(text: str, names: Iterable[str]) -> bool:
    """Whether `text` holds one of `names`, in any case, with an ending of up to four letters or with its last replaced.

    Kazakh and Russian inflect names: Каменовтың, Каменовой. Names of one or two letters are not looked for.
    """
    stems = _stems(names)
    return any(_is_one_of(word, stems) for word in _WORD.findall(text))


def without_names_in(text: str, names: Iterable[str]) -> str:
    """The text with dots in place of every form of `names`, as `names_in` finds them. Pure."""
    stems = _stems(names)
    return _WORD.sub(lambda found: DOT * 5 if _is_one_of(found[0], stems) else found[0], text)


def _stems(names: Iterable[str]) -> list[str]:
    return [name.casefold() for name in names if len(name) > 2]


def _is_one_of(word: str, stems: Iterable[str]) -> bool:
    return any(_is_form_of(word.casefold(), stem) for stem in stems)


def _is_form_of(word: str, name: str) -> bool:
    root = name[:-1] if name[-1] in _ENDINGS and len(name) > 3 else name
    return word.startswith(root) and len(word) - len(name) <= _LONGEST_ENDING


def refuse_personal_numbers(text: str, *, published: Collection[PhoneNumber] = ()) -> None:
    """Raise `ValidationError`, in the active language, where `text` holds an IIN or a telephone number.

    Twelve or more digits in a row are always refused; with spaces or hyphens between them, only if the check digit of
    an IIN fits. A telephone number is one that is valid in Kazakhstan, or has a plus and is valid anywhere. Digits of
    any script count, and invisible characters hide nothing. The contact centre's numbers, and those among `published`,
    may stand there: everybody can read them elsewhere. All that is wrong is said at once.
    """
    plain = _as_plain(text)
    faults = []
    if any(_holds_iin(groups.group()) for groups in _GROUPS.finditer(plain)):
        faults.append(
            ValidationError(
                _(
                    "Remove the IIN, or any other number of 12 digits or more: no such number is written here."
                ),
                code="iin_in_text",
            )
        )
    if _holds_foreign_phone(plain, published):
        faults.append(
            ValidationError(
                _("Remove the phone number: no person's is written here. The contact centre's may be."),
                code="phone_in_text",
            )
        )
    if faults:
        raise ValidationError(faults)


def private_in(text: str, *, published: Collection[PhoneNumber] = ()) -> list[str]:
    """What a text holds that its reader need not know, in the active language: an IIN, a password, a code, a phone.

    An IIN is one whose check digit fits, a password the word itself, a code the word beside six digits. Telephone
    numbers as `refuse_personal_numbers`.
    """
    plain = _as_plain(text)
    parts = [re.split(r"[ -]+", groups.group()) for groups in _GROUPS.finditer(plain)]
    found = {
        _("an IIN"): any(_holds_iin_in(one, fewest=1) for one in parts),
        _("a password"): bool(_PASSWORD.search(plain.casefold())),
        _("a code"): bool(_CODE.search(plain.casefold())),
        _("a phone number"): _holds_foreign_phone(plain, published),
    }
    return [what for what, is_there in found.items() if is_there]


def _as_plain(text: str) -> str:
    return "".join(_plain(character) for character in text)


def _holds_foreign_phone(plain: str, published: Collection[PhoneNumber]) -> bool:
    public = [*published, *_contact_centre()]
    return any(not _is_among(found.number, public) for found in PhoneNumberMatcher(plain, _HOME))


def _contact_centre() -> list[PhoneNumber]:
    listed = "; ".join(settings.CONTACT_PHONES)
    return [found.number for found in PhoneNumberMatcher(listed, _HOME)]


def _is_among(number: PhoneNumber, published: Collection[PhoneNumber]) -> bool:
    key = (number.country_code, number.national_number)
    return any((one.country_code, one.national_number) == key for one in published)


def _plain(character: str) -> str:
    """A digit of any script as `0` to `9`, any space or dash as a plain one, nothing for an invisible character."""
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    if character.isspace():
        return " "
    return "-" if category == "Pd" else character


def _holds_iin(groups: str) -> bool:
    """Whether a group has twelve digits or more, or neighbouring groups make an IIN together."""
    parts = re.split(r"[ -]+", groups)
    return any(len(part) >= LENGTH for part in parts) or _holds_iin_in(parts, fewest=2)


def _holds_iin_in(parts: list[str], *, fewest: int) -> bool:
    """Whether so many neighbouring groups or more make an IIN whose check digit fits."""
    return any(
        _is_iin("".join(parts[first : last + 1]))
        for first in range(len(parts))
        for last in range(first + fewest - 1, min(first + LENGTH, len(parts)))
    )


def _is_iin(digits: str) -> bool:
    try:
        parse_iin(digits)
    except IinError:
        return False
    return True
