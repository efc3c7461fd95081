"""Objections to wrong data: a parent says what is wrong, an official answers by a day that the parent is told.

The answer mends nothing by itself: what has to be changed is changed where it belongs (a correction of the queue, the
state registry), and the reason says so.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts import audit
from accounts.models import Objection, User
from applications.answer_days import last_day, portals_zone
from applications.journal_actions import Action
from applications.moves import Refused, locking
from applications.refusals import Refusal
from bulletin.workdays import end_of_day
from children.access import is_own_child, keys_of_own_children, known_children
from children.disputes import lock_people
from children.models import Child
from notifications.services import enqueue

# To the end of the last of them; the data policy and the page say it.
ANSWER_WORKING_DAYS: Final = 10
# Where the calendar is not loaded: at least as long.
WITHOUT_CALENDAR: Final = timedelta(days=16)
# Whoever has more to say waits for an answer first, or calls.
MOST_OPEN: Final = 5


def send_objection(
    user: User,
    *,
    about: str,
    child: Child | None,
    wrong: str,
    right: str,
    address: str | None,
    now: datetime,
) -> Objection:
    """Keep what `user` says is wrong, with the time by which it is answered.

    The same sent twice is one objection. Raises `Refused` (TOO_MANY_OBJECTIONS while five wait for an answer,
    NOT_YOUR_CHILD if `child` is none of whom the user is told). Locks the user's row.
    """
    with locking():
        lock_people(user)
        if child is not None and not children_to_choose(user).filter(pk=child.pk).exists():
            raise Refused(Refusal.NOT_YOUR_CHILD)
        waiting = list(Objection.objects.filter(user=user, answer=""))
        key = child.pk if child is not None else None
        for one in waiting:
            if (one.about, one.child, one.wrong, one.right) == (about, key, wrong, right):
                return one
        if len(waiting) >= MOST_OPEN:
            raise Refused(Refusal.TOO_MANY_OBJECTIONS)
        objection = Objection.objects.create(
            user=user,
            about=about,
            child=key,
            wrong=wrong,
            right=right,
            sent_at=now,
            due_at=end_of_day(last_day_of(now), portals_zone()),
        )
        _record(objection, Action.OBJECTION_SENT, actor=user, address=address, now=now)
    return objection


def last_day_of(now: datetime) -> date:
    """The last day for the answer to what is sent at `now`."""
    return last_day(now, portals_zone(), working_days=ANSWER_WORKING_DAYS, without_calendar=WITHOUT_CALENDAR)


def answer_objection(
    objection: Objection, *, answer: Objection.Answer, reason: str, actor: User, now: datetime
) -> Objection:
    """Answer it, once; the family is told, and reads the reason.

    Raises `Refused` (REASON_MISSING; ALREADY_DECIDED; OWN_DATA if it is about the official, or a child of theirs).
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        objection = _lock(objection)
        if is_about_own(objection, actor):
            raise Refused(Refusal.OWN_DATA)
        if not objection.is_open:
            raise Refused(Refusal.ALREADY_DECIDED)
        objection.answer, objection.reason = answer, reason.strip()
        objection.answered_at, objection.answered_by = now, actor
        objection.save(update_fields=["answer", "reason", "answered_at", "answered_by"])
        _record(objection, Action.OBJECTION_ANSWERED, actor=actor, reason=objection.reason, now=now)
        enqueue(
            objection.user,
            "objection_answered",
            context={"objection": objection},
            dedupe_key=f"objection_answered:{objection.pk}",
            now=now,
            link=reverse("applications:objection", args=[objection.pk]),
            about=objection.child,
        )
    return objection


def children_to_choose(user: User) -> QuerySet[Child]:
    """The children about whose data `user` may object: those of whom they are told."""
    return Child.objects.filter(pk__in=known_children(user.pk)).order_by("birth_date", "pk")


def objections_of(user: User) -> QuerySet[Objection]:
    """What `user` has sent, newest first; nothing about children of whom they are told nothing (any more)."""
    told = Q(child=None) | Q(child__in=known_children(user.pk))
    return Objection.objects.filter(told, user=user).order_by("-sent_at", "-pk")


def to_answer(employee: User) -> QuerySet[Objection]:
    """What waits for `employee`, the first to become late first: nothing of their own, nor about their children."""
    own = Q(user__in=employee.own_accounts) | Q(child__in=keys_of_own_children(employee))
    return Objection.objects.filter(answer="").exclude(own).order_by("due_at", "pk")


def child_of(objection: Objection) -> Child | None:
    """The child that it is about; none if it is about no child, or one that is no longer here."""
    return Child.objects.filter(pk=objection.child).first() if objection.child else None


def is_about_own(objection: Objection, actor: User) -> bool:
    """Whether the employee `actor` is who objects, in whatever account, or a guardian of the child."""
    child = child_of(objection)
    return actor.is_same_person(objection.user) or (child is not None and is_own_child(actor, child))


def names_of_objections(keys: Collection[str]) -> Mapping[str, str]:
    """Which data objections are about, by their keys, in the language of the page: for the journal."""
    return {str(one.pk): one.get_about_display() for one in Objection.objects.filter(pk__in=keys)}


def _lock(objection: Objection) -> Objection:
    locked = Objection.objects.select_for_update(of=("self",)).select_related("user__profile")
    return locked.get(pk=objection.pk)


def _record(
    objection: Objection,
    action: Action,
    *,
    actor: User,
    now: datetime,
    reason: str = "",
    address: str | None = None,
) -> None:
    audit.record(
        action,
        actor=actor,
        subject=objection.user,
        reason=reason,
        address=address,
        about=objection,
        child=objection.child,
        now=now,
    )
