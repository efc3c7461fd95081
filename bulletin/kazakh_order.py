"""Sorting by the Kazakh alphabet in a query, where a list is short enough to be sorted when it is read."""

from typing import Any, Final

from django.db.models import Func, TextField, Value
from django.db.models.functions import Collate

from bulletin.sorting import ALPHABET

# Signs that stand in the order of the alphabet in every collation of bytes; what is no letter of it stays.
_FIRST: Final = 0x4E00
_IN_ORDER: Final = "".join(chr(_FIRST + place) for place in range(len(ALPHABET)))


class InKazakhOrder(Func):
    """A column to sort by: the database need not know that Қ stands between К and Л."""

    function = "translate"
    output_field = TextField()

    def __init__(self, column: Any, **extra: Any) -> None:
        letters = ALPHABET.upper() + ALPHABET
        super().__init__(Collate(column, "C"), Value(letters), Value(_IN_ORDER * 2), **extra)
