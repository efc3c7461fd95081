"""Instants of the demo city: believable hours of a day, computed from one `now` and the given chance."""

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENING = time(18, 0)
MORNING = time(9, 0)


def at(day: date, clock: time, *, zone: ZoneInfo) -> datetime:
    """`clock` on local `day`, as an aware instant."""
    return datetime.combine(day, clock, tzinfo=zone)


def in_daytime(moment: datetime, *, chance: random.Random, zone: ZoneInfo) -> datetime:
    """Some instant of `moment`'s local day between 8 in the morning and 11 in the evening."""
    clock = time(chance.randint(8, 22), chance.randrange(60), chance.randrange(60), chance.randrange(10**6))
    return at(moment.astimezone(zone).date(), clock, zone=zone)


def between(first: datetime, last: datetime, *, chance: random.Random, early: float = 1.0) -> datetime:
    """Some instant from `first` to `last`; the larger `early` is, the nearer to `first`. `first` if they cross."""
    return first + max(last - first, timedelta(0)) * chance.betavariate(1.0, early)


def later_today(now: datetime, *, zone: ZoneInfo) -> datetime:
    """The usual opening hour today, or a later one if that is near or over. Near midnight: soon after it."""
    local = now.astimezone(zone)
    usual = at(local.date(), OPENING, zone=zone)
    if local < usual - timedelta(minutes=30):
        return usual
    soon = local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    last = at(local.date(), time(23, 50), zone=zone)
    return min(soon, last) if local < last - timedelta(minutes=5) else soon
