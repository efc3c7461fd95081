"""What follows a closing, and its end, for each family: the work of a job, hundreds of families in a kindergarten."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from applications.closings.deciding import end_what_is_under_way
from applications.closings.ending import give_back_what_it_ended, tell_that_it_is_over
from applications.closings.workers import tell_workers
from bulletin.models import Closing
from notifications.alone import alone
from notifications.clock import read_clock
from notifications.sweeps import sweep

HOUR: Final = timedelta(hours=1)


def finish(closing: Closing, *, now: datetime) -> None:
    """Do for each family what a closing, or its end, demands, then tell the workers of it. May be repeated.

    Each family is handled in a transaction of its own. The workers come last: what can't be told to one of them holds
    up no family, and is told the next time.
    """
    closing = Closing.objects.select_related("kindergarten__locality", "group", "decided_by", "ended_by").get(
        pk=closing.pk
    )
    if closing.state == Closing.State.RUNNING:
        is_done = end_what_is_under_way(closing, now=now)
    else:
        is_undone = closing.state == Closing.State.UNDONE
        is_given_back = give_back_what_it_ended(closing, now=now) if is_undone else True
        is_done = tell_that_it_is_over(closing, now=now) and is_given_back
    tell_workers(closing, now=now)
    if is_done:
        # Not before its last family (`cut_short_by`): the run may have lasted.
        same = Closing.objects.filter(pk=closing.pk, state=closing.state, days_moved_at=closing.days_moved_at)
        same.update(finished_at=read_clock())


def finish_all(*, now: datetime) -> int:
    """Finish the closings, and the ends of closings, whose families wait. Returns how many were looked at.

    One worker at a time does it; the others leave it to that one.
    """
    with alone("finish closings") as is_alone:
        waiting = Closing.objects.filter(finished_at=None) if is_alone else Closing.objects.none()
        return sweep(waiting, lambda closing: finish(closing, now=now))


def overdue(*, now: datetime) -> QuerySet[Closing]:
    """Closings whose families, or those of whose end, are not all handled after an hour."""
    since = Coalesce("ended_at", "decided_at")
    return Closing.objects.filter(finished_at=None).annotate(since=since).filter(since__lte=now - HOUR)
