"""People found by their names, through an index of the database on the folded name (`notifications.folding`)."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

from django.contrib.postgres.indexes import OpClass
from django.db.models import Func, Index, Q, QuerySet, TextField

NAME: Final = ("last_name", "first_name", "middle_name")
# Shorter last names are whole: there are some of two letters.
_BEGINNING: Final = 3


class FoldedName(Func):
    """Last, first and middle name of a row, folded by the database (`folded_name.sql`) as `folding.fold_name` does."""

    function = "folded_name"
    arity = 3
    output_field = TextField()


def name_index(name: str) -> Index:
    """The index that `named` is answered from, on a model with the three columns of a name."""
    return Index(OpClass(FoldedName(*NAME), name="text_pattern_ops"), name=name)


def named(words: Sequence[str]) -> list[Q]:
    """What finds people by folded `words` in an annotation `folded` (a `FoldedName`): try each in turn, until one does.

    The last name or the first comes first. A whole last name with the beginning of the first one is looked for first:
    that is a narrow range of the index. Otherwise each word may be the beginning of a name; a last name of fewer than
    three letters is a whole one. No words find nobody.

    A row that many have a name like is folded once: it is one pattern, whose beginning is looked up in the index.
    """
    pairs = [(last, [*words[:place], *words[place + 1 :]]) for place, last in enumerate(words[:2])]
    whole = [Q(folded__regex=_pattern(f"{last} {others[0]}", others[1:])) for last, others in pairs if others]
    begun = [
        Q(folded__regex=_pattern(last if len(last) >= _BEGINNING else f"{last} ", others))
        for last, others in pairs
    ]
    return [*([reduce(or_, whole)] if whole else []), *begun]


def first_called(
    rows: QuerySet[Any, Any], words: Sequence[str], *columns: str, folded: FoldedName, most: int
) -> list[Any]:
    """`columns` of at most so many of the rows with such a name, in no order; `folded` may be one of them.

    What is returned meets one of the conditions of `named`, the first that any row meets.
    """
    for condition in named(words):
        called = rows.annotate(folded=folded).filter(condition).order_by()
        if found := list(called.values_list(*columns)[:most]):
            return found
    return []


def _pattern(beginning: str, words: Sequence[str]) -> str:
    """A name that begins so and holds words that begin so, in this order; of letters and digits alone."""
    return "^" + ".* ".join([beginning, *words])
