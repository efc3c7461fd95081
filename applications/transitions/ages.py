"""The end of an application by age: at the turn of the year the oldest birth year leaves."""

from datetime import datetime

from accounts.audit_actions import Action
from applications.campaigns import is_too_old
from applications.models import Application
from applications.moves import lock_application, locking, move, tell, trace
from applications.states import Move, is_allowed


def age_out(application: Application, *, now: datetime) -> Application:
    """Close an application whose child has grown out of the kindergarten by birth year (`Rules.oldest_age`).

    A stop that runs ends with it. Does nothing where the child is young enough, and while a bid or a referral is under
    way: that is carried through first.
    """
    with locking():
        application = lock_application(application.pk)
        if not is_allowed(Move.AGE_OUT, application.state) or not is_too_old(application, now=now):
            return application
        for stop in application.stops.filter(lifted_at=None):
            stop.lifted_at = min(now, stop.until)
            stop.save(update_fields=["lifted_at"])
        event = move(application, Move.AGE_OUT, actor=None, now=now, archived_at=now)
        tell(application, "aged_out", event=event, now=now)
        trace(application, Action.AGED_OUT, actor=None, now=now)
    return application
