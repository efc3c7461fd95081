"""What a pause did to openings: which it stopped, and when they open anew. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from bulletin.workdays import ONE_DAY, Calendar

# A place that opened less than this before the pause, and has places left, was stopped in its rush.
RUSH = timedelta(days=1)


class HasDeadlines(Protocol):
    """What the rule needs to know; `bulletin.models.Vacancy` provides it."""

    opens_at: datetime
    closes_at: datetime | None

    @property
    def seats_free(self) -> int: ...
    @property
    def is_collected(self) -> bool: ...


@dataclass(frozen=True)
class NewOpening:
    """When places open whose opening was stopped: on a day, at an hour or (None) at each place's own hour."""

    day: date
    at: time | None = None

    def of(self, opens_at: datetime) -> datetime:
        """The new opening of a place that was to open at `opens_at`, an instant in the place's zone."""
        return datetime.combine(self.day, self.at or opens_at.time(), tzinfo=opens_at.tzinfo)


def next_day(now: datetime) -> NewOpening:
    """The default: on the day after `now`, an instant in the place's zone, at the same hour."""
    return NewOpening(now.date() + ONE_DAY)


def is_stopped(vacancy: HasDeadlines, *, since: datetime) -> bool:
    """Whether a pause that began at `since` stopped the opening: it was ahead, or its rush was not over.

    Whoever happens to be awake at the end of the pause must not be the one who gets the place. Where bids are collected
    nobody gains by being quick, so there only an opening that was ahead counts.
    """
    if vacancy.opens_at >= since:
        return True
    is_over = vacancy.closes_at is not None and vacancy.closes_at <= since
    return (
        not is_over
        and not vacancy.is_collected
        and vacancy.seats_free > 0
        and since - vacancy.opens_at < RUSH
    )


def moved_window(
    priority_until: datetime, *, stopped_at: datetime, resumes_at: datetime, calendar: Calendar | None
) -> datetime:
    """The end of a priority window that a pause stopped; all instants are in the place's zone.

    It moves by the time that was lost, and further where that would leave the head of the queue fewer working days than
    it had left. Without a `calendar` nothing is known of those.
    """
    moved = priority_until + (resumes_at - stopped_at)
    if calendar is None:
        return moved
    days = calendar.working_days_left(stopped_at.date(), priority_until.date())
    counted = datetime.combine(calendar.add(resumes_at.date(), days), moved.timetz())
    return max(moved, counted)
