"""The pages of a list of the workplace: as many rows as anybody reads, at a cost that the table's size doesn't change.

Django counts every row of a list for each of its pages, and for a late page joins all rows before it only to pass over
them. With a hundred thousand families that takes most of a second. Nobody turns ten pages: a list ends there and
says so, and what is further down is found by the search and the filters.
"""

from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

# Ten pages. Of one locality of four so many are found in the newest thousand, in the order of an index; of four times
# as many the database reads the whole table and sorts.
MOST_ROWS: Final = 250


class FirstRows(Paginator):  # type: ignore[type-arg]
    """Pages of the first `MOST_ROWS` rows of a queryset that has an order."""

    object_list: "QuerySet[Any]"

    @cached_property
    def _keys(self) -> list[Any]:
        """Of the rows in their order, at most one more than is shown: read once for the length and for any page."""
        return list(self.object_list.values_list("pk", flat=True)[: MOST_ROWS + 1])

    @property
    def is_cut(self) -> bool:
        """Whether the list goes on after its last page."""
        return len(self._keys) > MOST_ROWS

    @cached_property
    def count(self) -> int:
        return min(len(self._keys), MOST_ROWS)

    def page(self, number: Any) -> Page:  # type: ignore[type-arg]
        """One page; what its rows are joined to is read for these alone."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        return Page(self.object_list.filter(pk__in=self._keys[first:last]), number, self)
