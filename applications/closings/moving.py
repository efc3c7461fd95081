"""The days of an announced closing change: the families and workers who were told of the first are told again."""

from datetime import date, datetime, timedelta

from django.db.models import Max

from accounts.models import User
from applications.closings.deciding import END, FINISH_TASK, require
from applications.closings.entries import record_move
from applications.moves import Refused, locking
from applications.refusals import Refusal
from applications.rules.closing import why_not_moved
from bulletin.models import Closing
from notifications.broker import wake_soon_on_commit


def move_days(
    closing: Closing, *, starts_on: date, reopens_on: date | None, actor: User, now: datetime
) -> Closing:
    """Let a running closing begin, and be planned to end, on other days. A worker tells whom it concerns.

    Raises `PermissionDenied`, and `Refused`: NOT_ALLOWED for one that has ended, `why_not_moved`. Locks its row.
    """
    require(closing, END, actor=actor, now=now)
    with locking():
        rows = Closing.objects.select_for_update(of=("self",), no_key=True)
        closing = rows.select_related("kindergarten__locality", "group").get(pk=closing.pk)
        if refusal := why_not(closing, starts_on, reopens_on, now=now):
            raise Refused(refusal)
        before = closing.starts_on, closing.reopens_on
        closing.starts_on, closing.reopens_on = starts_on, reopens_on
        # Later than whoever was told of the former days, by whatever clock: they are told again.
        last_told = closing.told.aggregate(at=Max("told_at"))["at"]
        closing.days_moved_at = max(now, last_told + timedelta(microseconds=1)) if last_told else now
        closing.finished_at = None
        closing.save(update_fields=["starts_on", "reopens_on", "days_moved_at", "finished_at"])
        record_move(closing, before, actor=actor, now=now)
        wake_soon_on_commit(FINISH_TASK)
    return closing


def why_not(closing: Closing, starts_on: date, reopens_on: date | None, *, now: datetime) -> Refusal | None:
    """Why a closing can't have these days from `now` on."""
    if closing.state != Closing.State.RUNNING:
        return Refusal.NOT_ALLOWED
    days = closing.starts_on, closing.reopens_on
    return why_not_moved(days, (starts_on, reopens_on), today=closing.locality.day(now))
