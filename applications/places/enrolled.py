"""In which group an enrolled child is: that of its vacancy, or the one that it has moved to since."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from bulletin.models import Group
from bulletin.workdays import end_of_day


def in_groups(groups: Iterable[Group] | Iterable[int] | QuerySet[Any, Any]) -> Q:
    """The contracts of children who are in one of the groups (of those that have ended: were in the end)."""
    return Q(moved_to__in=groups) | Q(moved_to=None, referral__bid__vacancy__group__in=groups)


@dataclass(frozen=True)
class Stay:
    """A child was, or is (`until` is None), in a group by its contract: from an instant on, up to another."""

    group_id: int
    since: datetime
    until: datetime | None

    def includes(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


def gone_at(*, left_on: date, ended_at: datetime, zone: ZoneInfo) -> datetime:
    """From when on a count of children does not hold a child who left. Pure.

    From the moment at which that was entered; where it was entered on a later day, from the end of the day on which the
    child left.
    """
    return min(ended_at, end_of_day(left_on, zone))


def stays(
    first: int, *, signed_at: datetime, moves: Iterable[tuple[datetime, int]], ended_at: datetime | None
) -> list[Stay]:
    """Where a child has been, by when and to which group it moved, in the order of time. Pure."""
    found, group_id, since = [], first, signed_at
    for at, target in moves:
        found.append(Stay(group_id, since, at))
        group_id, since = target, at
    return [*found, Stay(group_id, since, ended_at)]
