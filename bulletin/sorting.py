"""Kazakh letters in order, and in search, without help from the database. Pure.

The database may use the C locale, where Ә comes after Я and `lower()` knows only Latin letters; so the order and
the folded text are computed here and stored beside the name.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from notifications.folding import fold_name

ALPHABET = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"
LATIN = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
# Spaces first, then numbers, then Kazakh, then Latin: the order of a printed list.
_ORDER = {character: place for place, character in enumerate(" " + DIGITS + ALPHABET + LATIN, start=1)}
_NUMBER = re.compile(r"\d+")
_PROPER_NAME = re.compile(r"[\"«“„](?P<name>[^\"«»“”„]+)[\"»”“]")
# What people without a Kazakh keyboard type, or those who write Ё as Е.
_KEYBOARD = str.maketrans("әғқңөұүһіё", "агкноуухие")


def sort_key(text: str) -> str:
    """A key of Latin letters and digits: in any collation, keys sort as the texts do in the Kazakh alphabet.

    Case and punctuation are ignored, and a number counts as a number: №2 stands before №10. The key is up
    to two and a half times as long as the text.
    """
    words = re.sub(r"[^\w\s]|_", " ", unicodedata.normalize("NFC", text).casefold())
    spaced = " ".join(words.split())
    # A number is preceded by the count of its digits, so that a longer one sorts later.
    counted = _NUMBER.sub(lambda match: _counted(match.group()), spaced)
    return "".join(f"{_ORDER[character]:02d}" for character in counted if character in _ORDER)


def _counted(number: str) -> str:
    ascii_number = "".join(str(unicodedata.digit(digit, 0)) for digit in number).lstrip("0") or "0"
    return f"{min(len(ascii_number), 9)}{ascii_number}"


def name_sort_key(name: str) -> str:
    """The sort key of an organisation's name: by what stands in quotation marks, then by the rest.

    `ЖМ "Амина балабақшасы"` is found under А, where a parent looks for it, and not under its legal form.
    """
    match = _PROPER_NAME.search(name)
    if match is None:
        return sort_key(name)
    rest = f"{name[: match.start()]} {name[match.end() :]}"
    return sort_key(f"{match['name']} {rest}")


def fold(text: str) -> str:
    """The text in its form for searching: no case, no punctuation, Kazakh letters as the similar Russian ones.

    So `Әлия`, `әлия`, `ӘЛИЯ` and `алия` are the same.
    """
    letters = unicodedata.normalize("NFC", text).casefold().translate(_KEYBOARD)
    return " ".join(re.sub(r"[^\w]|_", " ", letters).split())


# Latin letters as names are transliterated, the longest first; also those of the coming Kazakh alphabet.
_TRANSLITERATED: Final = {
    "shch": "ш", "kh": "х", "gh": "г", "zh": "ж", "ch": "ч", "sh": "ш", "ts": "ц", "ya": "иа", "yu": "иу", "yo": "е",
    "ye": "е", "a": "а", "ä": "а", "á": "а", "b": "б", "c": "к", "ç": "ч", "d": "д", "e": "е", "f": "ф", "g": "г",
    "ğ": "г", "ǵ": "г", "h": "х", "i": "и", "ı": "и", "j": "ж", "k": "к", "l": "л", "m": "м", "n": "н", "ñ": "н",
    "ń": "н", "o": "о", "ö": "о", "ó": "о", "p": "п", "q": "к", "r": "р", "s": "с", "ş": "ш", "t": "т", "u": "у",
    "ü": "у", "ú": "у", "ū": "у", "v": "в", "w": "у", "x": "кс", "y": "и", "ý": "у", "z": "з",
}  # fmt: skip
_LATIN_SOUND: Final = re.compile("|".join(sorted(_TRANSLITERATED, key=len, reverse=True)))
_LATIN_WORD: Final = re.compile(f"[{''.join(sound for sound in _TRANSLITERATED if len(sound) == 1)}]+")
# What one hears as the same, or writes one way in Kazakh and another in Russian; signs that nobody hears.
_HEARD: Final = str.maketrans({"ы": "и", "э": "е", "щ": "ш", "я": "иа", "ю": "иу", "ь": "", "ъ": ""})
_DOUBLED: Final = re.compile(r"([^\W\d_])\1")


def sounds(text: str) -> str:
    """The words of a name as they are looked for: the same for `Әлия`, `АЛИЯ`, `"Алия"`, `Aliya` and `Äliya`.

    Kazakh letters are the similar Russian ones, a word of Latin letters alone is taken for a transliteration, one with
    some Latin letters among others for what they look like, and what sounds alike is one. Numbers stay.
    """
    words = re.sub(
        r"[^\w]|_", " ", unicodedata.normalize("NFC", text.replace("'", "").replace("’", ""))
    ).split()
    heard = (_DOUBLED.sub(r"\1", _in_cyrillic(word).translate(_HEARD)) for word in words)
    return " ".join(" ".join(heard).split())


def _in_cyrillic(word: str) -> str:
    plain = word.casefold()
    if _LATIN_WORD.fullmatch(plain):
        return _LATIN_SOUND.sub(lambda sound: _TRANSLITERATED[sound.group()], plain)
    return fold_name(word)


# What stands before a name rather than in it, and what kind of organisation it is: in one language or the other, or not
# at all. Nobody finds a kindergarten by it.
_ANY_KINDERGARTEN: Final = frozenset(
    sounds(
        "балабақша балабақшасы бөбекжай бөбекжайы детский сад садик садика детсад ясли мектепке дейінгі ұйым ұйымы"
        " дошкольная организация мемлекеттік жекеменшік государственный частный жм чдс мкқк гккп жшс тоо жк ип"
        " kindergarten balabaqsha bobekjay detsad"
    ).split()
)
# Of fewer consonants many names are made.
_FEWEST_CONSONANTS: Final = 4
# The vowels that are left in what `sounds` makes, and the blank: «нурлыжол».
UNSURE: Final = "аеиоу "


@dataclass(frozen=True)
class Looked:
    """A word that is looked for: one of `spellings` occurs in what `sounds` makes of a name.

    Or else `consonants` do, in the same without `UNSURE` letters; they are empty where they would say too little.
    """

    spellings: tuple[str, ...]
    consonants: str


def looked_for(text: str) -> list[Looked]:
    """The words by which a kindergarten is looked for; those that all kindergartens have count only by themselves."""
    words = sounds(text).split()
    telling = [word for word in words if word not in _ANY_KINDERGARTEN] or words
    return [_looked(word) for word in telling]


def _looked(word: str) -> Looked:
    # Хазірет, Әзірет: one hears the first letter, and another does not.
    spellings = (word, word[1:]) if word.startswith("х") and len(word) > 4 else (word,)
    consonants = "".join(letter for letter in word if letter not in UNSURE)
    is_telling = len(consonants) >= _FEWEST_CONSONANTS and consonants.isalpha()
    return Looked(spellings, consonants if is_telling else "")


def parts_of(text: str) -> list[str]:
    """The pieces of three letters of what is looked for, with the blanks around each word; each once."""
    words = (f" {looked.spellings[0]} " for looked in looked_for(text))
    return list(dict.fromkeys(word[start : start + 3] for word in words for start in range(len(word) - 2)))
