"""Rows that wait for an employee, one after another: after a decision the next one opens."""

from functools import reduce
from typing import Any, NamedTuple, cast

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import User


class Next(NamedTuple):
    """The row that comes next, and how many wait besides the present one."""

    row: Any
    left: int


def next_after(obj: Any, waiting: QuerySet[Any], order: tuple[str, ...]) -> Next | None:
    """The first of `waiting` after `obj` by the columns of `order`, else the very first; None if nothing else waits.

    So whoever passes over one comes back to it in the end. `order` ends with a column that tells every two rows apart,
    and none of its columns is empty in a row that waits.
    """
    others = waiting.exclude(pk=obj.pk).order_by(*order)
    values = {name: reduce(getattr, name.split("__"), obj) for name in order}
    later = others.filter(_after(values)) if None not in values.values() else others
    found = later.first() or others.first()
    return Next(found, others.count()) if found is not None else None


def _after(values: dict[str, Any]) -> Q:
    """Rows that come later: by the first column, or, where it is equal, by the others."""
    return reduce(
        lambda rest, one: Q(**{f"{one[0]}__gt": one[1]}) | Q(**{one[0]: one[1]}) & rest,
        reversed(values.items()),
        Q(pk__in=[]),
    )


class InTurn:
    """A page of work whose rows wait in an order of their own."""

    # Ends with the key.
    most_urgent: tuple[str, ...] = ()
    # The permission of those for whom its rows wait.
    permission_to_decide = ""

    def waiting_for(self, employee: User) -> QuerySet[Any]:
        """What waits for whoever may decide it, wherever it is: as the start page counts it."""
        raise NotImplementedError

    def waiting(self, request: HttpRequest) -> QuerySet[Any]:
        """What waits for this employee, of their own places; nothing for who may not decide it."""
        employee = cast(User, request.user)
        rows: QuerySet[Any] = self.get_queryset(request)  # type: ignore[attr-defined]
        if not employee.has_perm(self.permission_to_decide):
            return rows.none()
        return rows.filter(pk__in=self.waiting_for(employee).order_by().values("pk"))

    def to_come(self, request: HttpRequest, obj: Any) -> Next | None:
        """What comes after `obj`; None if nothing else waits."""
        return next_after(obj, self.waiting(request), self.most_urgent)

    def is_in_turn(self, request: HttpRequest, obj: Any) -> bool:
        """Whether `obj` itself waits, so that after the decision the next one may follow."""
        return self.waiting(request).filter(pk=obj.pk).exists()
