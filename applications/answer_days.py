"""By which day an official answers a family."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from bulletin.calendar import working_calendar
from bulletin.workdays import NoCalendar


def portals_zone() -> ZoneInfo:
    """The zone in which the last day ends and is told for what belongs to no locality."""
    default = timezone.get_default_timezone()
    assert isinstance(default, ZoneInfo)
    return default


def last_day(now: datetime, zone: ZoneInfo, *, working_days: int, without_calendar: timedelta) -> date:
    """So many working days after today; where the calendar is not loaded, so much later: nothing waits for it."""
    today = now.astimezone(zone).date()
    try:
        return working_calendar().add(today, working_days)
    except NoCalendar:
        return today + without_calendar
