"""Children by what an employee typed of their names: the lists of the workplace look for their rows by these."""

from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.name_search import NAME, FoldedName, first_called
from children.models import Child

# A page of a list is found by so many keys at the same cost as by one.
MOST: Final = 2_000


def children_named(words: tuple[str, ...], *, among: "QuerySet[Any, Any]") -> tuple[list[UUID], bool]:
    """The keys of children with such a name (`folding.words_of`), and whether there are more than are returned.

    `among` are the keys of the children of whom there are rows to find: nobody else's name changes what is found. Keys
    rather than a query: with it the database walked through all rows of the list in their order.
    """
    rows = Child.objects.filter(pk__in=among)
    found = first_called(rows, words, "pk", folded=FoldedName(*NAME), most=MOST + 1)
    return [pk for (pk,) in found[:MOST]], len(found) > MOST
