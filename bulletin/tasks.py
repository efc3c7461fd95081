"""Periodic work on the offer."""

from celery import shared_task
from django.utils import timezone

from bulletin.calendar_loading import load_official_days
from bulletin.official_days import YEARS_AHEAD
from notifications.clock import read_clock


@shared_task(name="bulletin.tasks.extend_calendar")
def extend_calendar() -> int:
    """Add the official days of this year and the next ones, so that no deadline runs past the calendar's end.

    Returns how many days were added; on most days none. An official's edits stand.
    """
    year = timezone.localdate(read_clock()).year
    return len(load_official_days(first_year=year, last_year=year + YEARS_AHEAD).added)
