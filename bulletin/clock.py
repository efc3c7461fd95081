"""The clock by which bids are decided: the database's, the same for all servers, however their own clocks are set."""

from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, Func, Value
from django.db.models.functions import Coalesce
from django.utils import timezone


def read_clock() -> datetime:
    """What the clock says, by one statement.

    Whoever decides under a lock may have read it before: an instant that was over then is over, so a deadline is
    found passed later rather than earlier.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(%s, clock_timestamp())", [stopped_clock()])
        now: datetime = cursor.fetchone()[0]
    return now


def clock_column() -> Coalesce:
    """What the clock says, as a column of a query that is asked anyway."""
    return Coalesce(
        Value(stopped_clock(), output_field=DateTimeField()),
        Func(function="clock_timestamp", output_field=DateTimeField()),
    )


def stopped_clock() -> datetime | None:
    """The instant for a statement that would read the clock itself: None, so that it does.

    Tests stop the clock of their process; the database's can't be stopped.
    """
    return None if settings.BIDS_BY_DATABASE_CLOCK else timezone.now()
