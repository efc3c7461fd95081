"""The groups that have room and nothing in the bulletin, for the start page and the list that it leads to."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from bulletin.models import Group

# One statement, so that a start page can count it together with all the rest.
_SQL: Final = (Path(__file__).parent / "with_room.sql").read_text()


def groups_with_room(kindergartens: Collection[int] | None, *, now: datetime) -> QuerySet[Group]:
    """Groups of these kindergartens (None: of all) with room in the school year of `now`, and without a vacancy.

    A vacancy is a draft, or one that still gives places. Room is what `occupancy.room` says. Asks nothing yet.
    """
    keys = None if kindergartens is None else list(kindergartens)
    return Group.objects.filter(pk__in=RawSQL(_SQL, (now, keys)))  # noqa: S611 - a file of ours
