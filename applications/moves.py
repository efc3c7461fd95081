"""What every move does: lock, check, change, write the event, tell the family, enter the journal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext

from accounts import audit
from accounts.models import User
from applications.models import Application, Event, Referral
from applications.preview import is_preview
from applications.refusals import Refusal
from applications.rules.running_out import first_end
from applications.states import (
    BEGINNING,
    BY_GUARDIANS,
    CHOOSING,
    COSTLY,
    DECISIONS,
    HELD,
    MOST_A_DAY,
    RESTING,
    ApplicationState,
    Move,
    is_allowed,
    state_after,
)
from bulletin.models import Vacancy
from bulletin.workdays import NoCalendar
from children.access import informed_guardians, is_own_child, present_people
from children.disputes import is_halted_for, side_of, stoppable
from children.models import Child, Guardianship
from notifications.locks import Busy, brief_locks
from notifications.services import enqueue

_DAY: Final = timedelta(days=1)


class Refused(Exception):
    """A move that may not be made; `reason` says why, `str()` tells it to the family, `at_work` to an employee."""

    def __init__(self, reason: Refusal) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return str(self.reason.label)

    @property
    def at_work(self) -> str:
        """The words for an employee."""
        return self.reason.at_work


class DoneTooOften(Refused):
    """The same person did the same for this application as often as is allowed (`states.MOST_A_DAY`)."""

    def __init__(self, *, most: int, again_at: datetime) -> None:
        super().__init__(Refusal.TOO_OFTEN)
        self.most = most
        # In the zone of the application's place.
        self.again_at = again_at

    def __str__(self) -> str:
        words = gettext(
            "In 24 hours this can be done at most %(times)s times. You can do it again from: %(time)s."
        )
        # To the next minute: nobody is asked to come a few seconds too early.
        shown = self.again_at + timedelta(minutes=1)
        return words % {"times": self.most, "time": f"{shown:%d.%m.%Y %H:%M}"}


@contextmanager
def locking() -> Iterator[None]:
    """One transaction in which a lock is waited for at most three seconds; after that it raises `Refused(BUSY)`.

    Where a working day is needed that the calendar does not know, it raises `Refused(CALENDAR)` with nothing done.
    Lock order everywhere: the application, then the vacancy.
    """
    try:
        with brief_locks():
            yield
    except Busy as error:
        raise Refused(Refusal.BUSY) from error
    except NoCalendar as error:
        raise Refused(Refusal.CALENDAR) from error


def lock_application(pk: UUID) -> Application:
    """The application as it is now, its row locked until the transaction ends."""
    return (
        Application.objects.select_for_update(of=("self",), no_key=True)
        .select_related("locality", "child")
        .get(pk=pk)
    )


def lock_vacancy(pk: UUID) -> Vacancy:
    """The vacancy as it is now, its row locked until the transaction ends. Lock the application first."""
    return (
        Vacancy.objects.select_for_update(of=("self",), no_key=True)
        .select_related("group__kindergarten__locality")
        .get(pk=pk)
    )


def lock_referral(pk: UUID) -> Referral:
    """The referral as it is now, its row locked: its paper may be being made. Lock the application first."""
    return (
        Referral.objects.select_for_update(of=("self",), no_key=True)
        .select_related("application__locality", "bid__vacancy__group__kindergarten__locality")
        .get(pk=pk)
    )


def move(
    application: Application,
    step: Move,
    *,
    actor: User | None,
    now: datetime,
    reason: str = "",
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> Event:
    """Make one allowed move of a locked application, write its event, and recompute when it runs out.

    Write its other rows first. If something ran out and has not been settled, it remains to be settled.

    Raises `Refused`: PREVIEW for what families do, or would have to answer, before the portal opens; UNCLAIMED for what
    a family does before it has claimed the application; NOT_ALLOWED; TOO_OFTEN (`DoneTooOften`); OWN_CHILD for what an
    employee decides about a child of their own; HALTED for a costly move while a guardian of the child is disputed,
    DISPUTED or UNPROVEN for what `actor`, as one side of it, may not do meanwhile. Raises `PermissionDenied` if `actor`
    does what only a guardian does, and is none (any more).
    """
    if step in BY_GUARDIANS and actor is not None:
        refuse_stranger(application.child, actor)
        refuse_in_preview()
        refuse_unclaimed(application)
    if step in RESTING:
        refuse_in_preview()
    if not is_allowed(step, application.state):
        raise Refused(Refusal.NOT_ALLOWED)
    _refuse_if_too_often(application, step, actor=actor, now=now)
    if step in DECISIONS and actor is not None:
        refuse_own_child(application.child, actor)
    if step in COSTLY:
        refuse_while_halted(application, actor=actor)
    if step in HELD:
        refuse_while_halted(application, actor=None)
    if step in CHOOSING or step in BEGINNING:
        refuse_side(application.child, actor, begins=step in BEGINNING)
    before = application.state
    application.state = state_after(step, before)
    for name, value in changes.items():
        setattr(application, name, value)
    # Before `runs_out_at` is computed: the event of a lapse holds the end of the grace.
    event = write_event(application, step, before=before, actor=actor, now=now, reason=reason, data=data)
    if not application.ran_out(now=now):
        application.runs_out_at = first_end(application, now=now)
    application.save(update_fields=["state", "runs_out_at", *changes])
    return event


def _refuse_if_too_often(application: Application, step: Move, *, actor: User | None, now: datetime) -> None:
    """Raise `DoneTooOften` while `actor` has done this as often as is allowed; the application is locked."""
    most = MOST_A_DAY.get(step)
    if most is None or actor is None:
        return
    own = application.events.filter(move=step, actor=actor, at__gt=now - _DAY).order_by("-at")
    for first in own.values_list("at", flat=True)[most - 1 : most]:
        raise DoneTooOften(most=most, again_at=(first + _DAY).astimezone(application.locality.zone))


def reckon(application: Application, *, now: datetime) -> Application:
    """Store when a locked application runs out, as its rows stand; what ran out by `now` must have been ended."""
    application.runs_out_at = first_end(application, now=now)
    application.save(update_fields=["runs_out_at"])
    return application


def refuse_stranger(child: Child, actor: User) -> None:
    """Raise `PermissionDenied` unless `actor` is a guardian of `child` now, whatever a page found before.

    Who has closed their account meanwhile acts for nobody.

    The child or its application is locked.
    """
    if not present_people().filter(pk=actor.pk, guardianships__in=_live(child)).exists():
        raise PermissionDenied


def refuse_in_preview() -> None:
    """Raise `Refused(PREVIEW)` before the portal opens: until then families act in the old one."""
    if is_preview():
        raise Refused(Refusal.PREVIEW)


def refuse_unclaimed(application: Application) -> None:
    """Raise `Refused(UNCLAIMED)` for what only the family of an application does, until it has claimed it."""
    if not application.is_claimed:
        raise Refused(Refusal.UNCLAIMED)


def refuse_closed(user: User) -> None:
    """Raise `Refused(ACCOUNT_CLOSED)` if `user` has closed their account, or can't sign in. Their row is locked."""
    if not present_people().filter(pk=user.pk).exists():
        raise Refused(Refusal.ACCOUNT_CLOSED)


def _live(child: Child) -> QuerySet[Guardianship]:
    return Guardianship.objects.filter(child=child, ended_at=None)


def refuse_while_halted(application: Application, *, actor: User | None) -> None:
    """Raise `Refused(HALTED)` while a guardian of the child is disputed, unless `actor` is proven and not disputed.

    With None it is halted for everybody. The application is locked.
    """
    if is_halted_for(actor, application.child):
        raise Refused(Refusal.HALTED)


def refuse_own_child(child: Child, actor: User) -> None:
    """Raise `Refused(OWN_CHILD)` if the employee `actor` is a guardian of `child`, in whatever account."""
    if is_own_child(actor, child):
        raise Refused(Refusal.OWN_CHILD)


def refuse_side(child: Child, actor: User | None, *, begins: bool) -> None:
    """Raise `Refused` if `actor`, as one side of an undecided dispute about `child`, may not do this.

    The act chooses places for the child or, with `begins`, is one that nobody else can do after it. The child or its
    application is locked.
    """
    side = side_of(child, actor) if actor is not None else None
    if side is not None and not (side.may_begin if begins else side.may_choose):
        raise Refused(Refusal(side.value))


def write_event(
    application: Application,
    step: Move,
    *,
    before: ApplicationState | str,
    actor: User | None,
    now: datetime,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """Append what was just done to the application's history, with where it stands afterwards."""
    event = event_of(application, step, before=before, actor=actor, now=now, reason=reason, data=data)
    event.save()
    return event


def event_of(
    application: Application,
    step: Move,
    *,
    before: ApplicationState | str,
    actor: User | None,
    now: datetime,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """What `write_event` writes, not saved: for those who move thousands at once, in one transaction."""
    return Event(
        application=application,
        at=now,
        move=step,
        from_state=before,
        to_state=application.state,
        actor=actor,
        reason=reason,
        data=data or {},
        locality_id=application.locality_id,
        birth_year=application.birth_year,
        tier=application.tier,
        filed_at=application.filed_at,
    )


def told_of(application: Application) -> list[User]:
    """The guardians who are told what happens to `application`: nobody until it is claimed."""
    return informed_guardians(application.child) if application.is_claimed else []


def announce(
    event: Event,
    kind: str,
    *actions: TextChoices,
    others: str = "",
    others_read: dict[str, Any] | None = None,
    **context: Any,
) -> None:
    """Tell every guardian who may know about `event` and enter `actions` into their journals.

    One query finds them (`told_of`). With `others`, everyone but the actor gets a message of that kind
    instead, with what differs for them in `others_read`: what one guardian did costs the others something, too. The
    time, the actor and the reason are taken from the event.
    """
    application, guardians = event.application, told_of(event.application)
    first = [guardian for guardian in guardians if not others or guardian == event.actor]
    tell(application, kind, event=event, now=event.at, guardians=first, **context)
    if others and event.actor is not None:
        tell_of_another(
            application,
            others,
            actor=event.actor,
            key=str(event.pk),
            now=event.at,
            guardians=[guardian for guardian in guardians if guardian != event.actor],
            **context | (others_read or {}),
        )
    for action in actions:
        trace(application, action, actor=event.actor, now=event.at, reason=event.reason, guardians=guardians)


def tell_of_another(
    application: Application,
    kind: str,
    *,
    actor: User,
    key: str,
    now: datetime,
    guardians: Iterable[User],
    **context: Any,
) -> None:
    """Tell these `guardians` what another one, `actor`, did; «Stop» is named to whom it is open against that one."""
    for guardian in guardians:
        may_stop = stoppable(guardian, now=now).filter(child=application.child_id, user=actor).exists()
        remind(application, kind, key=key, now=now, guardians=[guardian], may_stop=may_stop, **context)


def tell(
    application: Application,
    kind: str,
    *,
    event: Event,
    now: datetime,
    guardians: Iterable[User] | None = None,
    **context: Any,
) -> None:
    """Put a message about `event` into the outbox for every guardian who may know at this moment.

    Pass the `guardians` if they are loaded already.
    """
    remind(
        application,
        kind,
        key=str(event.pk),
        now=now,
        guardians=guardians,
        pressed_by=event.actor,
        **context,
    )


def remind(
    application: Application,
    kind: str,
    *,
    key: str,
    now: datetime,
    guardians: Iterable[User] | None = None,
    known_by: datetime | None = None,
    pressed_by: User | None = None,
    by: User | None = None,
    **context: Any,
) -> None:
    """Put a message of `kind` into the outbox for every guardian who may know, once for each `key`.

    It goes by day in the application's place; `known_by` and `pressed_by` as for `enqueue`. `by` is the guardian whose
    act it is, where an employee pressed for them: the others read that another one did it (`by_other`).
    """
    by = by or pressed_by
    for guardian in told_of(application) if guardians is None else guardians:
        enqueue(
            guardian,
            kind,
            context={"application": application, "by_other": by is not None and by != guardian, **context},
            dedupe_key=f"{kind}:{key}:{guardian.pk}",
            now=now,
            link=application.get_absolute_url(),
            about=application.child_id,
            zone=application.locality.zone,
            known_by=known_by,
            pressed_by=pressed_by,
        )


def trace(
    application: Application,
    action: TextChoices,
    *,
    actor: User | None,
    now: datetime,
    reason: str = "",
    guardians: Iterable[User] | None = None,
) -> None:
    """Enter the action into the journal of every guardian who may know."""
    for guardian in told_of(application) if guardians is None else guardians:
        audit.record(
            action,
            actor=actor,
            subject=guardian,
            target=application.number,
            reason=reason,
            child=application.child_id,
            now=now,
        )
