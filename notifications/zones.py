"""Where recipients live: by whose clocks it is day for them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

# Given by an app above: the zones in which these users, given by their ids, live; not all need be known.
_zones: list[Callable[[Collection[Any]], Mapping[Any, ZoneInfo]]] = []


def register(zones: Callable[[Collection[Any]], Mapping[Any, ZoneInfo]]) -> None:
    """Let `zones` say where users, given by their ids, live; there is one such rule."""
    _zones[:] = [zones]


def zones_of(user_pks: Collection[Any]) -> dict[Any, ZoneInfo]:
    """The zone in which each of these users lives; the portal's where nobody knows, and for None. One query for all."""
    users = [pk for pk in user_pks if pk is not None]
    known = _zones[0](users) if _zones and users else {}
    portal = ZoneInfo(settings.TIME_ZONE)
    return {pk: known.get(pk, portal) for pk in user_pks}


def zone_of(user_pk: Any) -> ZoneInfo:
    """The same for one user; for None, whoever has no account."""
    return zones_of([user_pk])[user_pk]
