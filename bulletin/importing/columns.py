"""What a column of a file is called and what it takes, as data: the check, the templates and the documents follow it.

Pure.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Final

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts.iin import IinError, IinFault, parse_iin
from accounts.masks import mask_iin
from accounts.phones import PhoneError, parse_any_phone, parse_mobile
from bulletin.importing.problems import Fault, Problem, Wrong
from bulletin.sorting import fold

LANGUAGES: Final = ("kk", "ru", "en")
# As Excel writes them in English and in Russian.
EXCEL_ERRORS: Final = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
    | {"#ССЫЛКА!", "#Н/Д", "#ЗНАЧ!", "#ИМЯ?", "#ДЕЛ/0!", "#ЧИСЛО!", "#ПУСТО!", "#ПЕРЕНОС!", "#ВЫЧИСЛ!"}
)
# A formula of a workbook whose result was never stored; no text of a cell can be this.
UNCOMPUTED: Final = "\ufdd0uncomputed"
# Excel counts days from here; 1900 was a leap year for it, so every day since March of that year fits.
_EXCEL_EPOCH: Final = date(1899, 12, 30)
_SERIAL: Final = re.compile(r"\d{5}(\.\d+)?")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SLUG: Final = re.compile(r"[-a-zA-Z0-9_]+")
_EMAIL: Final = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
# 6,01123E+11: what Excel makes of a long number in a narrow column.
_CUT: Final = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
_NUMBER: Final = re.compile("[0-9]+")
_DEGREES: Final = re.compile("[0-9]{1,3}([.][0-9]{1,15})?")
# A tenth of a metre.
_MICRO: Final = Decimal("0.000001")


def _by_shape(*forms: str) -> dict[str, str]:
    """The forms of dates by what a text of each looks like, with 0 for any number: no text has to be tried by all."""
    return {re.sub("%.", "0", form): form for form in forms}


_DAYS: Final = _by_shape(
    "%d.%m.%Y",
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%Y-%m-%dT%H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
)
_MOMENTS: Final = _by_shape(
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
)


class Takes(ABC):
    """What the cells of a column may hold; `words` says it to people."""

    words: ClassVar[str | Promise]
    # Whether its values may not be shown whole.
    is_secret: ClassVar[bool] = False

    @abstractmethod
    def read(self, text: str) -> Any:
        """The value that a text without surrounding spaces means. Raises `Wrong`."""


@dataclass(frozen=True)
class Text(Takes):
    """Words. A question mark stands in none of them: it is what is left of a letter that was lost."""

    longest: int
    words = _("text")

    def read(self, text: str) -> str:
        if "?" in text or "\ufffd" in text:
            raise Wrong(Problem.LOST_LETTERS)
        if len(text) > self.longest:
            raise Wrong(Problem.TOO_LONG, most=self.longest)
        return text


@dataclass(frozen=True)
class Slug(Takes):
    """An address on the site."""

    longest: int
    words = _("Latin letters, digits, hyphens and underscores")

    def read(self, text: str) -> str:
        if not _SLUG.fullmatch(text):
            raise Wrong(Problem.NOT_SLUG)
        if len(text) > self.longest:
            raise Wrong(Problem.TOO_LONG, most=self.longest)
        return text


@dataclass(frozen=True)
class Choice(Takes):
    """One of a few values, by its plain name or by its word in any language."""

    choices: type[TextChoices]
    words = _("one of the allowed values")

    def read(self, text: str) -> str:
        try:
            return _plain_names(self.choices)[fold(text)]
        except KeyError:
            raise Wrong(
                Problem.NOT_ALLOWED, allowed=", ".join(f"{word} ({name})" for name, word in self.allowed())
            ) from None

    def allowed(self) -> list[tuple[str, str | Promise]]:
        """The plain names, each with its word in the language of the reader."""
        return [(choice.value, choice.label) for choice in self.choices]


@dataclass(frozen=True)
class Several(Takes):
    """Several values in one cell, with commas or semicolons between them; each once, in their order."""

    of: Takes
    words = _("one or several values, with commas between them")

    def read(self, text: str) -> list[Any]:
        parts = [part.strip() for part in re.split("[,;\n]", text)]
        if not any(parts):
            raise Wrong(Problem.EMPTY)
        return list(dict.fromkeys(self.of.read(part) for part in parts if part))


@dataclass(frozen=True)
class Whole(Takes):
    """A whole number within bounds."""

    least: int
    most: int
    words = _("a whole number")

    def read(self, text: str) -> int:
        digits = text.replace("\u00a0", "").replace(" ", "")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 9):
            raise Wrong(Problem.NOT_WHOLE, least=self.least, most=self.most)
        if not self.least <= int(digits) <= self.most:
            raise Wrong(Problem.NOT_WHOLE, least=self.least, most=self.most)
        return int(digits)


@dataclass(frozen=True)
class Degrees(Takes):
    """A latitude or a longitude within bounds, in degrees with decimals; a comma is a point."""

    least: Decimal
    most: Decimal
    words = _("degrees with decimals: 43.2973")

    def read(self, text: str) -> Decimal:
        plain = text.replace(",", ".")
        degrees = Decimal(plain) if _DEGREES.fullmatch(plain) else None
        if degrees is None or not self.least <= degrees <= self.most:
            raise Wrong(Problem.NOT_DEGREES, least=str(self.least), most=str(self.most))
        return degrees.quantize(_MICRO)


@dataclass(frozen=True)
class Day(Takes):
    """A date, as people or Excel write it, within bounds."""

    first: date = date(1990, 1, 1)
    last: date = date(2099, 12, 31)
    words = _("a date: 26.06.2019 or 2019-06-26")

    def read(self, text: str) -> date:
        found = _serial_day(text) or _moment(text, _DAYS)
        if found is None or not self.first <= found.date() <= self.last:
            raise Wrong(Problem.NOT_DAY)
        return found.date()


@dataclass(frozen=True)
class Moment(Takes):
    """A date with a time, as it is in the place: without a zone."""

    words = _("a date with a time: 26.06.2019 10:00")

    def read(self, text: str) -> datetime:
        found = _serial_day(text) or _moment(text, _MOMENTS)
        if found is None or not 1990 <= found.year <= 2099:
            raise Wrong(Problem.NOT_MOMENT)
        return found


@dataclass(frozen=True)
class Phone(Takes):
    """A phone number, in E.164; `mobile`: one that can get an SMS."""

    mobile: bool = False
    words = _("a phone number: +7 701 777 98 76")

    def read(self, text: str) -> str:
        if _CUT.fullmatch(text):
            raise Wrong(Problem.CUT_NUMBER)
        try:
            return parse_mobile(text) if self.mobile else parse_any_phone(text)
        except PhoneError:
            raise Wrong(Problem.NOT_PHONE) from None


@dataclass(frozen=True)
class Email(Takes):
    """An e-mail address."""

    words = _("an e-mail address")

    def read(self, text: str) -> str:
        if not _EMAIL.fullmatch(text) or len(text) > 254:
            raise Wrong(Problem.NOT_EMAIL)
        return text


@dataclass(frozen=True)
class Iin(Takes):
    """An IIN. One that lost its zeros is said and not guessed."""

    words = _("an IIN, 12 digits, in a text column")
    is_secret = True

    def read(self, text: str) -> str:
        if _CUT.fullmatch(text):
            raise Wrong(Problem.CUT_NUMBER)
        try:
            return parse_iin(text)
        except IinError as error:
            if error.reason is IinFault.LENGTH and text.isdecimal() and 7 <= len(text) < 12:
                raise Wrong(Problem.SHORT_IIN, digits=len(text)) from None
            raise Wrong(Problem.NOT_IIN, why=error.message.rstrip(".")) from None


@dataclass(frozen=True)
class Column:
    """One column of a kind of file.

    `heading` is what people call it, in each language of the portal; a file may use that or `name`. `example` is what
    the template shows. An optional column may be absent, which leaves what it would say as it is, or have empty cells,
    which mean `empty`.
    """

    name: str
    heading: str | Promise
    takes: Takes
    example: str
    required: bool = True
    empty: Any = ""
    about: str | Promise = ""
    # What the portal knows of such things now, each with its word, where that are few.
    known: Callable[[], Iterable[tuple[str, str]]] | None = None

    @property
    def is_secret(self) -> bool:
        """Whether its values may not be shown whole."""
        return self.takes.is_secret

    def heading_in(self, language: str) -> str:
        with override(language):
            return str(self.heading)

    def names(self) -> set[str]:
        """What a heading may be, folded."""
        return {fold(self.name), *(fold(self.heading_in(language)) for language in LANGUAGES)}

    def read(self, text: str) -> Any:
        """The value of a cell. Raises `Wrong`."""
        if text == UNCOMPUTED:
            raise Wrong(Problem.UNCOMPUTED)
        if not text:
            if self.required:
                raise Wrong(Problem.EMPTY)
            return self.empty
        if text.upper() in EXCEL_ERRORS:
            raise Wrong(Problem.EXCEL_ERROR)
        if not text.isprintable() and any(
            unicodedata.category(sign) in {"Cc", "Cs", "Cn", "Co"} for sign in text
        ):
            raise Wrong(Problem.CONTROL)
        return self.takes.read(text)

    def shown(self, text: str) -> str:
        """What a report may show of a cell."""
        if text == UNCOMPUTED:
            return ""
        cut = printable(text if len(text) <= 60 else f"{text[:59]}…")
        return mask_iin(cut) if self.is_secret else cut


@dataclass(slots=True)
class Row:
    """One row of a file: what stands in its known columns, what that means, and what is wrong with it.

    `values` lacks what is absent or wrong.
    """

    line: int
    cells: Mapping[str, str]
    values: dict[str, Any]
    faults: list[Fault]
    columns: Mapping[str, Column]

    def fault(self, column: str, problem: Problem, **values: Any) -> Fault:
        """A fault of one of its cells; of the whole row for an empty `column`."""
        shown = self.columns[column].shown(self.cells.get(column, "")) if column else ""
        return Fault(problem, self.line, column, shown, values)


def tidy(text: str) -> str:
    """A cell without what nobody sees: spaces around it, line breaks, marks of direction; letters in one form.

    Half of a surrogate pair, which no database takes, becomes the sign of a lost letter.
    """
    plain = _SURROGATE.sub("\ufffd", text.strip("\ufeff\u200b\u200e\u200f"))
    return " ".join(unicodedata.normalize("NFC", plain).split())


def printable(text: str) -> str:
    """The text with the sign of a lost letter for what a terminal would obey and a database refuses."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def read_row(line: int, cells: Mapping[str, str], columns: Mapping[str, Column]) -> Row:
    """The row that `cells`, already tidy, make; every fault of it is named, not only the first."""
    row = Row(line, cells, {}, [], columns)
    for name, text in cells.items():
        try:
            row.values[name] = columns[name].read(text)
        except Wrong as wrong:
            row.faults.append(row.fault(name, wrong.problem, **wrong.values))
    return row


def by_name(columns: Iterable[Column]) -> dict[str, Column]:
    """The columns by their plain names."""
    return {column.name: column for column in columns}


@cache
def _plain_names(choices: type[TextChoices]) -> dict[str, str]:
    """What each value may be called, folded: its plain name, and its word in each language."""
    known: dict[str, str] = {}
    for language in LANGUAGES:
        with override(language):
            known |= {fold(str(choice.label)): str(choice.value) for choice in choices}
    return known | {fold(str(choice.value)): str(choice.value) for choice in choices}


def _moment(text: str, forms: Mapping[str, str]) -> datetime | None:
    form = forms.get(_NUMBER.sub("0", text))
    try:
        return datetime.strptime(text, form) if form else None  # noqa: DTZ007 - a wall clock's time; the place is known to others
    except ValueError:
        return None


def _serial_day(text: str) -> datetime | None:
    """The day, and the minute, that a number of Excel means; None for what is none."""
    if not _SERIAL.fullmatch(text):
        return None
    whole, _point, part = text.partition(".")
    minutes = round(float(f"0.{part or 0}") * 24 * 60)
    start = datetime.combine(_EXCEL_EPOCH, datetime.min.time())
    return start + timedelta(days=int(whole), minutes=minutes)
