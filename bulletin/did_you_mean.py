"""What a list offers where a search by name found nothing."""

from typing import NamedTuple

from django.db.models import QuerySet
from django.http import QueryDict

from bulletin.models import Kindergarten
from bulletin.selectors import similar


class Suggestion(NamedTuple):
    """A name that is like what was typed, and the query of the same list with it."""

    name: str
    query: str


def did_you_mean(search: str, among: QuerySet[Kindergarten], *, given: QueryDict) -> list[Suggestion]:
    """The names of `among` that come closest to `search`; `given` is the address, whose other filters stay."""
    suggestions = []
    for one in similar(search, among):
        address = given.copy()
        for name in ("page", "bounds", "zoom"):
            address.pop(name, None)
        address["search"] = one.name
        suggestions.append(Suggestion(one.name, address.urlencode()))
    return suggestions
