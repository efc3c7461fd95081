"""Names as they are looked for: the same for every keyboard, in capitals or not, with Kazakh letters or without. Pure.

What is looked for is folded here, and what is stored by the database with the same two tables (`folded_name.sql`):
a name is written by the registry alone, so nothing beside it has to be kept in step.
"""

import re
import unicodedata
from typing import Final

# Without a Kazakh keyboard one types the letter below it. Of й and и, ё and е, which people mix, the plain one stays.
_KAZAKH: Final = ("әғқңөұүһіёй", "агкноуухиеи")
# Letters that look alike, as capitals: nobody sees which keyboard they were typed on.
_LATIN: Final = ("abcehikmoptxy", "авсеникмортху")
# What joins two names is a space; what stands inside of one is nothing: apostrophes, stress, the two dots of a letter
# that was typed as two.
_SPACES: Final = "-‐‑–—_.,\u00a0"
_NOTHING: Final = "'’ʼ`ʹ´\"\u0301\u0306\u0308"
_PLAIN: Final = "абвгдежзиклмнопрстуфхцчшщъыьэюяdfgjlnqrsuvwz"

# The letters of the Latin and the Russian keyboard, key by key.
_LATIN_KEYS: Final = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
_CYRILLIC_KEYS: Final = "йцукенгшщзхъфывапролджэячсмитьбю"
TO_CYRILLIC_KEYS: Final = str.maketrans(_LATIN_KEYS, _CYRILLIC_KEYS)
TO_LATIN_KEYS: Final = str.maketrans(_CYRILLIC_KEYS, _LATIN_KEYS)

# For each letter that may stand in a name, in both cases, the one that is looked for; what `FOLDED_TO` is too short for
# goes. As PostgreSQL's `translate` reads them: it knows no case of Cyrillic letters where the locale is C.
FOLDED: Final = (
    _KAZAKH[0].upper() + _KAZAKH[0] + _LATIN[0].upper() + _LATIN[0] + _PLAIN.upper() + _SPACES + _NOTHING
)
FOLDED_TO: Final = _KAZAKH[1] * 2 + _LATIN[1] * 2 + _PLAIN + " " * len(_SPACES)
_TABLE: Final = str.maketrans(FOLDED[: len(FOLDED_TO)], FOLDED_TO, FOLDED[len(FOLDED_TO) :])
# The other way round: every letter that is looked for by this one.
_WRITTEN_AS: Final = {
    letter: "".join(one for one, found_by in zip(FOLDED, FOLDED_TO, strict=False) if found_by == letter)
    for letter in set(FOLDED_TO) - {" "}
}


def fold_name(name: str) -> str:
    """The name as it is looked for: МАХМҰТОВА, махмутова and Maxмұтoва are the same.

    Of its spaces none is dropped, since the database drops none either.
    """
    return unicodedata.normalize("NFC", name).translate(_TABLE)


def words_of(text: str) -> list[str]:
    """What somebody typed, as folded words."""
    return re.sub(r"[^\w]", " ", fold_name(text)).split()


def pattern_of(word: str) -> str:
    """A regular expression of PostgreSQL that finds a word of `words_of` in a text which is not folded itself."""
    return "".join(f"[{letter}{_WRITTEN_AS[letter]}]" if letter in _WRITTEN_AS else letter for letter in word)
