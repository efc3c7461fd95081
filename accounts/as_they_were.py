"""What employees were called when they acted: an administrator who renames one rewrites nothing in the audit."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts.models import EmployeeVersion

# A person and the instant of an act.
Act = tuple[UUID, datetime]


def called_at(acts: Collection[Act]) -> dict[Act, str]:
    """Name and position of each employee as they were at the instant beside them; one query.

    Of an act before the first version, the first one; nothing for an account without a name.
    """
    versions: dict[UUID, list[EmployeeVersion]] = defaultdict(list)
    people = {user for user, _at in acts}
    if people:
        for one in EmployeeVersion.objects.filter(user__in=people).order_by("since", "pk"):
            versions[one.user_id].append(one)
    return {(user, at): _at(versions[user], at) for user, at in acts if user in versions}


def _at(versions: list[EmployeeVersion], at: datetime) -> str:
    place = bisect_right([one.since for one in versions], at)
    return str(versions[max(place - 1, 0)])
