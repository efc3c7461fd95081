"""The stop-list: for how long, and how an application comes back from it."""

from datetime import datetime

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application, Referral, StopListEntry
from applications.moves import Refused, announce, lock_application, locking, move
from applications.queue.position import position
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.states import Move


def stop_days_of(referral: Referral) -> int:
    """How many working days the stop after this referral lasts.

    As the family was told at the issue, or less if the rules of its last day are milder.
    """
    locality, times = referral.application.locality, (referral.issued_at, referral.last_moment)
    return min(rules_at(locality, at).stop_working_days for at in times)


def lift_stop(
    stop: StopListEntry, *, actor: User | None = None, reason: str = "", now: datetime
) -> Application:
    """Return an application from the stop-list to its original date.

    Without an `actor` only once the stop is over; an official may do it earlier, with a reason. Does nothing if the
    stop was lifted before.
    """
    if actor is not None and not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application = lock_application(stop.application_id)
        stop = StopListEntry.objects.get(pk=stop.pk)
        if stop.lifted_at is not None or (actor is None and now < stop.until):
            return application
        write_lifted(stop, actor=actor, reason=reason.strip(), now=now)
        event = move(application, Move.LIFT_STOP, actor=actor, now=now, reason=reason.strip())
        place = position(application, now=now)
        announce(event, "stop_lifted", Action.STOP_LIFTED, number=place.number if place else None)
    return application


def write_lifted(stop: StopListEntry, *, actor: User | None, reason: str, now: datetime) -> None:
    """Note that a stop is over, at its own end at the latest. The application is locked; the caller moves it."""
    stop.lifted_at, stop.lifted_by, stop.reason = min(now, stop.until), actor, reason
    stop.save()
