"""Asking for a file, making it, and deleting it when its day is over."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import get_language, override

from accounts import making
from accounts.models import User
from accounts.stored_files import delete_after_commit
from applications.families.names import NAMES
from applications.files.makers import CannotBeMade, maker_of
from applications.models import MadeFile
from applications.models.made_file import KEPT_FOR, UNDER_WAY
from notifications.broker import wake_on_commit
from notifications.clock import read_clock
from notifications.sweeps import sweep

# A worker that gave no sign of life for so long is dead; each part that is ready is a sign.
LEASE: Final = timedelta(minutes=2)
# Whoever presses again so soon gets the same file.
_SAME_FOR: Final = timedelta(minutes=1)
TASK: Final = "applications.tasks.make_files"
State = MadeFile.State


def ask(
    user: User,
    *,
    what: str,
    query: str,
    title: str,
    places: Collection[int],
    now: datetime,
) -> MadeFile:
    """Let a worker make a file for `user`, in the language of the page; of two presses there is one file.

    One whose worker died, or that no worker took, is made anew. Locks the user's row. The caller has asked for the
    permission; it is asked again when the file is made and when it is downloaded.
    """
    same: dict[str, Any] = {"user": user, "what": what, "query": query, "language": get_language() or "kk"}
    with transaction.atomic():
        _lock(user)
        newest = _newest(same)
        if newest is not None and is_under_way(newest) and not is_silent(newest, now=now):
            return newest
        if newest is not None and newest.state == State.READY and now < newest.asked_at + _SAME_FOR:
            return newest
        if newest is not None and is_under_way(newest):
            # Whoever works on it, or takes it at this moment, has lost it (`making.held`).
            MadeFile.objects.filter(pk=newest.pk, state__in=UNDER_WAY).update(state=State.FAILED)
        wake_on_commit(TASK)
        return MadeFile.objects.create(**same, title=title[:300], places=sorted(places), asked_at=now)


def _lock(user: User) -> None:
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _newest(same: dict[str, Any]) -> MadeFile | None:
    return MadeFile.objects.filter(**same).first()


def is_under_way(file: MadeFile) -> bool:
    """Whether it is still to be made."""
    return file.state in UNDER_WAY


def is_silent(file: MadeFile, *, now: datetime) -> bool:
    """Whether nothing has happened to a file under way for the time of `LEASE`: its worker died, or none took it."""
    seen = file.taken_at if file.taken_at and file.state == State.WORKING else file.asked_at
    return is_under_way(file) and now >= seen + LEASE


def is_downloadable(file: MadeFile, *, now: datetime) -> bool:
    """Whether it is ready and its day is not over."""
    return file.state == State.READY and file.ready_at is not None and now < file.ready_at + KEPT_FOR


def may_have(file: MadeFile, user: User, *, now: datetime) -> bool:
    """Whether `user`, who asked for it, may still read all that stands in it: rights, places, and names."""
    try:
        maker = maker_of(file.what)
    except CannotBeMade:
        return False
    if not (user.is_active and user.pk == file.user_id and user.has_perm(maker.permission)):
        return False
    if file.names_people and not user.has_perm(NAMES):
        return False
    return set(file.places) <= maker.places(user, now)


def newest_of(user: User, *, what: str, now: datetime) -> QuerySet[MadeFile]:
    """The files of a kind that `user` asked for and that are still there, the newest first."""
    return MadeFile.objects.filter(user=user, what=what).exclude(_over(now))


def to_make(*, now: datetime) -> QuerySet[MadeFile]:
    """The files that wait for a worker, or whose worker died."""
    rows = MadeFile.objects.select_related("user").order_by("asked_at")
    return making.to_make(rows, now=now, lease=LEASE)


def make_due(*, now: datetime) -> int:
    """Make the files that wait; returns how many were looked at. One that was tried three times is given up."""
    return sweep(list(to_make(now=now)[:20]), make)


def make(file: MadeFile) -> bool:
    """Make one file unless another worker has taken it; whether it is ready. Call it outside of a transaction."""
    now = read_clock()
    if not making.take(file, now=now, lease=LEASE):
        return False

    def tell(done: int, total: int) -> None:
        making.go_on(file, done=done, total=total, now=read_clock())

    try:
        with override(file.language):
            if not may_have(file, file.user, now=now):
                raise CannotBeMade(file.what)
            maker = maker_of(file.what)
            content = maker.write(file, tell, now)
            names_people = maker.names_people and file.user.has_perm(NAMES)
        file.file.save(f"{file.pk.hex}.xlsx", ContentFile(content), save=False)
    except CannotBeMade:
        making.held(file).update(state=State.FAILED)
        return False
    except making.TakenByAnother:
        return False
    except Exception:
        making.give_back(file)
        raise
    with transaction.atomic():
        kept = making.held(file).update(
            state=State.READY, ready_at=read_clock(), file=file.file.name, names_people=names_people
        )
        if not kept:
            delete_after_commit(file.file)
    return bool(kept)


def over(*, now: datetime) -> QuerySet[MadeFile]:
    """The files whose day is over, and those that were never made."""
    return MadeFile.objects.filter(_over(now))


def _over(now: datetime) -> Q:
    return Q(ready_at__lte=now - KEPT_FOR) | Q(ready_at=None, asked_at__lte=now - 2 * KEPT_FOR)


def purge(*, now: datetime) -> int:
    """Delete the files that are over; returns how many."""

    def delete(file: MadeFile) -> None:
        with transaction.atomic():
            delete_after_commit(file.file)
            file.delete()

    return sweep(over(now=now), delete)
