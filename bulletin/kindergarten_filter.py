"""The filter of lists of the workplace by kindergarten: a part of the name is typed, since a city has a thousand."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import FieldListFilter
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import localtime

from bulletin.employment import places_of
from notifications.clock import estimate_clock


class KindergartenNameFilter(FieldListFilter):
    """Rows of kindergartens whose name, in either language, has what was typed; for employees who see several."""

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
        self._parameter = f"{field_path}_name"
        super().__init__(field, request, params, model, model_admin, field_path)
        self._typed = self._last_typed()
        today = localtime(estimate_clock()).date()
        self._is_among_several = places_of(request.user, today=today).are_several  # type: ignore[arg-type]

    def _last_typed(self) -> str:
        values = self.used_parameters.get(self._parameter)
        return str(values[-1]).strip() if isinstance(values, list) and values else ""

    def expected_parameters(self) -> list[str | None]:
        return [self._parameter]

    def has_output(self) -> bool:
        return self._is_among_several

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self._typed:
            return queryset
        in_kazakh, in_russian = (f"{self.field_path}__name_{code}__icontains" for code in ("kk", "ru"))
        return queryset.filter(Q(**{in_kazakh: self._typed}) | Q(**{in_russian: self._typed}))

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """One: the field, what was typed, and what else the address says, which stays as it is."""
        others = {**changelist.params}
        for name in (self._parameter, PAGE_VAR):
            others.pop(name, None)
        yield {"parameter": self._parameter, "typed": self._typed, "others": others}
