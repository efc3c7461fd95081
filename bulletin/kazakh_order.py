"""Sorting in a query: by the Kazakh alphabet where a list is short, and kindergartens as they are called."""

from typing import Any, Final

from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Collate
from django.utils.translation import get_language

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


class ByName(F):
    """Kindergartens by their names in the reader's language; `path` leads to the kindergarten."""

    def __init__(self, path: str = "") -> None:
        self.column = f"{path}sort_key"
        super().__init__(self.column)

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        column = f"{self.column}_ru" if get_language() == "ru" else self.column
        return F(column).resolve_expression(*args, **kwargs)
