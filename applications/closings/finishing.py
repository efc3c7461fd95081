"""What follows a closing, and its end, for each family; a job does what a broken run left."""

from datetime import datetime

from applications.closings.deciding import end_what_is_under_way
from applications.closings.ending import give_back_what_it_ended, tell_that_it_is_over
from bulletin.models import Closing
from notifications.sweeps import sweep


def finish(closing: Closing, *, now: datetime) -> None:
    """Do for each family what a closing, or its end, demands; in a transaction each. May be repeated."""
    closing = Closing.objects.select_related("kindergarten__locality", "group", "decided_by", "ended_by").get(
        pk=closing.pk
    )
    if closing.state == Closing.State.RUNNING:
        is_done = end_what_is_under_way(closing, now=now)
    else:
        is_undone = closing.state == Closing.State.UNDONE
        is_given_back = give_back_what_it_ended(closing, now=now) if is_undone else True
        is_done = tell_that_it_is_over(closing, now=now) and is_given_back
    if is_done:
        Closing.objects.filter(pk=closing.pk, state=closing.state).update(finished_at=now)


def finish_all(*, now: datetime) -> int:
    """Finish the closings, and the ends of closings, that were broken off. Returns how many."""
    return sweep(Closing.objects.filter(finished_at=None), lambda closing: finish(closing, now=now))
