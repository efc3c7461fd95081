"""Closing an account: thirty days in which its owner may come back, then everything that names them is erased."""

from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import override

from accounts import audit
from accounts.data.parts import NotYet, parts
from accounts.journal_actions import Action
from accounts.models import Session, User
from notifications.locks import brief_locks
from notifications.models import PushSubscription
from notifications.services import enqueue
from notifications.sweeps import sweep

COME_BACK_FOR: Final = timedelta(days=30)


def comes_back_until(user: User) -> datetime:
    """The first instant at which the owner of a closed account can't open it again."""
    assert user.leaving_since is not None
    return user.leaving_since + COME_BACK_FOR


def may_come_back(user: User, *, now: datetime) -> bool:
    """Whether the account is closed and can still be opened again."""
    return user.leaving_since is not None and user.forgotten_at is None and now < comes_back_until(user)


def leave(user: User, *, address: str | None, now: datetime) -> None:
    """Close the account of `user`, who has confirmed it with the password. A second time changes nothing.

    From the commit on it does nothing for any child, is told nothing and bids for nothing, whatever its pages found
    before. Everybody who acts for a child holds the lock of the child or of its application, which every part takes
    here. All its sessions end, that of the caller too: somebody else may have one. Raises `locks.Busy`.
    Locks the user's row, then what the parts lock, in their order.
    """
    with brief_locks():
        locked = _lock(user)
        if locked.leaving_since is not None:
            return
        for part in parts():
            part.close(locked, now=now)
        _tell(locked, "account_closed", now=now, last_day=_last_day(now))
        locked.leaving_since = now
        locked.save(update_fields=["leaving_since"])
        Session.objects.filter(user=locked.pk).delete()
        PushSubscription.objects.filter(recipient=locked.pk).delete()
        audit.record(Action.ACCOUNT_CLOSED, actor=user, subject=user, address=address, now=now)
    user.leaving_since = now


def come_back(user: User, *, address: str | None, now: datetime) -> bool:
    """Open a closed account again; False if the thirty days are over, or if it is not closed. Locks the user's row.

    The caller has asked for the password. An account without one is opened by a sign-in after it was closed.
    """
    with transaction.atomic():
        locked = _lock(user)
        if not may_come_back(locked, now=now):
            return False
        locked.leaving_since = None
        locked.save(update_fields=["leaving_since"])
        audit.record(Action.ACCOUNT_REOPENED, actor=user, subject=user, address=address, now=now)
        _tell(locked, "account_reopened", now=now)
    user.leaving_since = None
    return True


def due(*, now: datetime) -> QuerySet[User]:
    """The closed accounts whose thirty days are over."""
    return User.objects.filter(leaving_since__lte=now - COME_BACK_FOR, forgotten_at=None)


def forget_due(*, now: datetime) -> int:
    """Forget the accounts that are due; returns how many. What is put off is tried again by the next run."""
    before = due(now=now).count()
    sweep(due(now=now), lambda user: forget(user, now=now))
    return before - due(now=now).count()


def forget(user: User, *, now: datetime) -> bool:
    """Erase what tells whose the account was, in one transaction; whether it was done.

    Put off while something is under way that only its end can settle, as a referral that is still valid. Parts are
    asked from the highest app down, since the lower ones hold who the person is. Locks the user's row first.
    """
    try:
        with transaction.atomic():
            locked = _lock(user)
            if not due(now=now).filter(pk=user.pk).exists():
                return False
            for part in reversed(parts()):
                part.forget(locked, now=now)
    except NotYet:
        return False
    return True


def _lock(user: User) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _last_day(now: datetime) -> date:
    return localtime(now + COME_BACK_FOR - timedelta(microseconds=1)).date()


def _tell(user: User, kind: str, *, now: datetime, **context: object) -> None:
    with override(settings.LANGUAGE_CODE):
        link = reverse("accounts:profile")
    enqueue(user, kind, context=context, dedupe_key=f"{kind}:{user.pk}:{now.isoformat()}", now=now, link=link)
