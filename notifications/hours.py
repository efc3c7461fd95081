"""At which hours a message may ring somebody's phone. Pure: the zone and the clock are given.

What its reader asked for this minute goes at any hour, as do codes and warnings about an account
(`Kind.is_due_at_once`).
Everything else goes by day: whoever is woken at three by a kindergarten's decision can do nothing about it until
morning.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

_ONE_DAY: Final = timedelta(days=1)
# Own hours may close what the day had left, and the next morning's too; nobody can close more (`due_at`).
_DAYS: Final = 2


class Hours(NamedTuple):
    """A stretch of the local day: from `start` up to, but not including, `end`; over midnight if `end` is earlier."""

    start: time
    end: time

    def hold(self, clock: time) -> bool:
        """Whether it is such an hour when local clocks show `clock`. A stretch without length holds nothing."""
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


DAYTIME: Final = Hours(time(9), time(20))


def minutes_left(quiet: Hours) -> int:
    """How many minutes of the day (`DAYTIME`) own hours of rest leave, in which a message may still go."""
    of_day = range(DAYTIME.start.hour * 60, DAYTIME.end.hour * 60)
    return sum(not quiet.hold(time(*divmod(minute, 60))) for minute in of_day)


def due_at(
    now: datetime, zone: ZoneInfo, *, quiet: Hours | None = None, known_by: datetime | None = None
) -> datetime:
    """When a message written at `now` may go: the first instant from then on that is by day and not `quiet`.

    `quiet` are the recipient's own hours of rest. Where they leave nothing of two whole days they are not kept, or
    nothing would ever arrive. What must be `known_by` an instant keeps no hours that would make it too late: first
    the own ones give way, then the night; once it is too late, hours hold again. The result is `now` itself, or in UTC
    the instant at which hours begin.
    """
    if known_by is not None and known_by <= now:
        known_by = None
    today = now.astimezone(zone).date()
    begins = {DAYTIME.start} | ({quiet.end} if quiet else set())
    mornings = (
        datetime.combine(today + _ONE_DAY * ahead, begin, tzinfo=zone).astimezone(UTC)
        for ahead in range(_DAYS + 1)
        for begin in begins
    )
    ahead = [now, *sorted(morning for morning in mornings if morning > now)]
    by_day = [at for at in ahead if DAYTIME.hold(at.astimezone(zone).time())]
    awake = [at for at in by_day if quiet is None or not quiet.hold(at.astimezone(zone).time())]
    in_time = (ats[0] for ats in (awake, by_day) if ats and (known_by is None or ats[0] < known_by))
    return next(in_time, now)


def evening_from(at: datetime, zone: ZoneInfo) -> datetime:
    """The first instant from `at` on, in UTC, at which a day is over: nothing goes between then and the morning."""
    today = at.astimezone(zone).date()
    evenings = (
        datetime.combine(day, DAYTIME.end, tzinfo=zone).astimezone(UTC) for day in (today, today + _ONE_DAY)
    )
    return next(evening for evening in evenings if evening >= at)
