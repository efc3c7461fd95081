"""Where families live: whose clocks say whether it is day for a guardian."""

from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F

from applications.models import Application
from applications.states import ApplicationState


def zones_of_families(user_pks: Collection[Any]) -> dict[Any, ZoneInfo]:
    """The zone of the place of each guardian's application, by their ids; without those who have none.

    Of several it is the newest one that has not ended. One query.
    """
    of_theirs = Application.objects.filter(
        child__guardianships__user__in=user_pks, child__guardianships__ended_at=None
    )
    found = of_theirs.annotate(guardian=F("child__guardianships__user")).values_list(
        "guardian", "state", "filed_at", "locality__timezone"
    )
    # What is written last, the newest of the live ones, stands.
    in_order = sorted(found, key=lambda row: (row[1] != ApplicationState.ARCHIVED, row[2]))
    return {guardian: ZoneInfo(zone) for guardian, _state, _filed_at, zone in in_order}
