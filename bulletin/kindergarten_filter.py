"""The filter of lists of the workplace by kindergarten: a part of the name is typed, since a city has a thousand.

Another page leads to the rows of one kindergarten by its key; the field then holds its name.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.contrib.admin import FieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import localdate

from bulletin.employment import kindergartens_of, places_of
from bulletin.models import Kindergarten
from bulletin.selectors import named
from notifications.clock import estimate_clock

# What a link holds: `?kindergarten=<key>`.
LINKED: Final = "kindergarten"
# What is typed. No path of lookups: the admin answers 400 to those of which a list does not know every step.
TYPED: Final = "kindergarten_name"


class KindergartenFilter(FieldListFilter):
    """Rows of one kindergarten, or of those whose name has what was typed; offered to employees who see several."""

    template = "admin/filter_by_name.html"

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: dict[str, Any],
        model: Any,
        model_admin: Any,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self._user: Any = request.user
        self._today = localdate(estimate_clock())
        self._typed = self._last(TYPED)
        self._linked = self._found(self._last(LINKED)) if LINKED in self.used_parameters else None

    def _last(self, parameter: str) -> str:
        values = self.used_parameters.get(parameter)
        return str(values[-1]).strip() if isinstance(values, list) and values else ""

    def _found(self, key: str) -> Kindergarten:
        try:
            return kindergartens_of(self._user, today=self._today).get(pk=key)
        except (ValueError, Kindergarten.DoesNotExist):
            raise IncorrectLookupParameters from None

    def expected_parameters(self) -> list[str | None]:
        return [TYPED, LINKED]

    def has_output(self) -> bool:
        return self._linked is not None or places_of(self._user, today=self._today).are_several

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self._linked is not None:
            return queryset.filter(**{self.field_path: self._linked})
        if not self._typed:
            return queryset
        return queryset.filter(named(self._typed, prefix=f"{self.field_path}__"))

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """One: the field, what was typed, and what else the address says, which stays as it is."""
        others = {**changelist.params}
        for name in (TYPED, LINKED, PAGE_VAR):
            others.pop(name, None)
        typed = self._linked.name if self._linked is not None else self._typed
        yield {"parameter": TYPED, "typed": typed, "others": others}
