"""Inline rows on the pages of the workplace."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest

# More than any kindergarten has groups. A form claims how many rows it has, and each one costs four milliseconds.
MOST_ROWS: Final = 100


class BoundedInline(admin.TabularInline):  # type: ignore[type-arg]
    """Reads at most `MOST_ROWS` rows of what was sent, whatever the form claims. All inlines use it."""

    max_num = MOST_ROWS

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **{"absolute_max": MOST_ROWS} | kwargs)
