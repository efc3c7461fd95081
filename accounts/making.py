"""Which worker makes a file that somebody waits for: one at a time, and another one after one that died."""

from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.db.models import F, Q, QuerySet

from accounts.models.made_by_worker import MadeByWorker

M = TypeVar("M", bound=MadeByWorker)

MOST_ATTEMPTS: Final = 3
State = MadeByWorker.State


class TakenByAnother(Exception):
    """Another worker makes it by now: this one was silent for too long."""


def to_make(rows: QuerySet[M], *, now: datetime, lease: timedelta) -> QuerySet[M]:
    """Those of `rows` that wait for a worker, or whose worker gave no sign of life for the time of `lease`."""
    dead = Q(state=State.WORKING, taken_at__lte=now - lease)
    return rows.filter(Q(state=State.WAITING) | dead)


def take(row: MadeByWorker, *, now: datetime, lease: timedelta) -> bool:
    """Take it, unless another worker has it; False, too, for one that was tried three times and is given up."""
    free = to_make(_row(row), now=now, lease=lease)
    if row.attempts >= MOST_ATTEMPTS:
        free.update(state=State.FAILED)
        return False
    taken = free.filter(attempts=row.attempts).update(
        state=State.WORKING, taken_at=now, attempts=F("attempts") + 1, done=0
    )
    row.attempts += taken
    return bool(taken)


def held(row: M) -> "QuerySet[M]":
    """The row, while it is this worker's. Change it through this alone."""
    rows: QuerySet[M] = _row(row)
    return rows.filter(state=State.WORKING, attempts=row.attempts)


def go_on(row: MadeByWorker, *, done: int, total: int, now: datetime) -> None:
    """Note how far it is, and that the worker lives. Raises `TakenByAnother`."""
    if not held(row).update(done=done, total=total, taken_at=now):
        raise TakenByAnother


def give_back(row: MadeByWorker) -> None:
    """After an error: the next attempt need not wait for the end of the lease."""
    held(row).update(state=State.WAITING, done=0)


def _row(row: Any) -> Any:
    return type(row)._base_manager.filter(pk=row.pk)
