"""People found by their names, through an index of the database on the folded name (`accounts.folding`)."""

from typing import Any, Final

from django.contrib.postgres.indexes import OpClass
from django.db.models import F, Func, Index, Q, TextField

from accounts.folding import FOLDED, FOLDED_TO

# Shorter last names are whole: there are some of two letters.
_BEGINNING: Final = 3


class FoldedName(Func):
    """Last, first and middle name of a row, folded by the database as `folding.fold_name` folds what is looked for.

    The tables stand in the index: whoever changes them adds a migration that makes the indices anew, which
    `makemigrations --check` asks for.
    """

    arg_joiner = " || ' ' || "

    def __init__(self, *names: Any, letters: str = FOLDED, into: str = FOLDED_TO) -> None:
        quoted = [text.replace("'", "''") for text in (letters, into)]
        super().__init__(
            *(names or map(F, ("last_name", "first_name", "middle_name"))),
            output_field=TextField(),
            template=f"translate(%(expressions)s, '{quoted[0]}', '{quoted[1]}')",
        )


def name_index(name: str) -> Index:
    """The index that `named` is answered from, on a model with the three columns of a name."""
    folded = FoldedName("last_name", "first_name", "middle_name", letters=FOLDED, into=FOLDED_TO)
    return Index(OpClass(folded, name="text_pattern_ops"), name=name)


def named(words: list[str], *, path: str = "folded") -> Q:
    """The people with this folded name: the last name first, or the first name. No words find nobody.

    `path` leads to an annotation `FoldedName()`. Each word is the beginning of a name; as a last name, one of fewer
    than three letters is a whole one.
    """
    found = Q(pk__in=[])
    for last_name in words[:2]:
        others = list(words)
        others.remove(last_name)
        whole = "" if len(last_name) >= _BEGINNING else " "
        one = Q(**{f"{path}__startswith": f"{last_name}{whole}"})
        for other in others:
            one &= Q(**{f"{path}__contains": f" {other}"})
        found |= one
    return found
