"""The kindergarten notes that a family came with its papers: the referral is valid while the contract is prepared."""

from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application, Event, Referral
from applications.moves import Refused, announce, lock_application, lock_referral, locking, move
from applications.referrals.due import last_day_of
from applications.referrals.last_day import LAST_DAY, day_to_sign, move_last_day
from applications.refusals import Refusal
from applications.rules.coming import last_day_without, why_not_came
from applications.states import Move, ReferralState
from bulletin.calendar import working_calendar


def note_coming(referral: Referral, *, came_on: date, actor: User, now: datetime) -> Referral:
    """Note on a valid referral the day on which the family came: it has `Rules.coming_working_days` to be signed.

    They are counted from today. The last day never comes earlier than it would have; then the referral runs out as
    usual. Once for each referral. Raises `Refused` (REFERRAL_ENDED, COMING_NOTED, `why_not_came`, CALENDAR).
    """
    with locking():
        application = lock_application(referral.application_id)
        referral = lock_referral(referral.pk)
        if not referral.is_valid(now=now):
            raise Refused(Refusal.REFERRAL_ENDED)
        if refusal := why_not_noted(referral, application, came_on, now=now):
            raise Refused(refusal)
        last_day = day_to_sign(referral, now=now)
        data: dict[str, Any] = {
            "referral": str(referral.pk),
            "came_on": came_on.isoformat(),
            # What it had before, for whoever takes it back.
            "valid_until": referral.valid_until.isoformat(),
            "working_days": referral.working_days,
        }
        referral.came_on = came_on
        if last_day > last_day_of(referral):
            move_last_day(referral, to=last_day)
        referral.save(update_fields=["came_on", *LAST_DAY])
        data["moved_to"] = referral.valid_until.isoformat()
        event = move(application, Move.NOTE_COMING, actor=actor, now=now, data=data)
        announce(
            event,
            "coming_noted",
            Action.COMING_NOTED,
            referral=referral,
            came_on=came_on,
            last_day=last_day,
        )
    return referral


def why_not_noted(
    referral: Referral, application: Application, came_on: date, *, now: datetime
) -> Refusal | None:
    """Why it can't be noted that the family came on that day; None if it can.

    A last day that stands still is not over.
    """
    if referral.came_on is not None:
        return Refusal.COMING_NOTED
    place = application.locality
    today = place.day(now)
    return why_not_came(
        came_on,
        issued_on=place.day(referral.issued_at),
        last_day=last_day_of(referral) if referral.held_since is None else today,
        today=today,
    )


def noted(referral: Referral) -> Event | None:
    """The event by which the coming was noted, while nothing else was built on it; None otherwise.

    A last day that moved since (an extension, a day off, a standstill) went on from the one that was noted.
    """
    is_running = referral.state == ReferralState.ISSUED and referral.held_since is None
    if referral.came_on is None or not is_running:
        return None
    about = (Move.NOTE_COMING, Move.TAKE_COMING_BACK, Move.CONFIRM_COMING)
    events = Event.objects.filter(application=referral.application_id, move__in=about)
    event = events.filter(data__referral=str(referral.pk)).order_by("-id").first()
    if event is None or event.move != Move.NOTE_COMING or "moved_to" not in event.data:
        return None
    return event if parse_datetime(event.data["moved_to"]) == referral.valid_until else None


def write_not_come(
    event: Event, referral: Referral, application: Application, *, actor: User, reason: str, now: datetime
) -> None:
    """Undo the coming that `event` (`noted`) says, inside the caller's `locking`, with both rows locked.

    The referral has its last day of before; where that is over or today, the family has the next working day. Never a
    later one than it was told. Raises `Refused(CALENDAR)`.
    """
    came_on, place = referral.came_on, application.locality
    before = parse_datetime(event.data["valid_until"])
    assert before is not None
    day_before = place.last_day(before)
    last_day = last_day_without(
        day_before,
        told=last_day_of(referral),
        today=place.day(now),
        calendar=working_calendar(),
    )
    referral.came_on = None
    move_last_day(referral, to=last_day)
    if last_day == day_before:
        referral.working_days = event.data["working_days"]
    referral.save(update_fields=["came_on", *LAST_DAY])
    data = {"referral": str(referral.pk), "noted": event.pk}
    taken_back = move(application, Move.TAKE_COMING_BACK, actor=actor, now=now, reason=reason, data=data)
    announce(
        taken_back,
        "coming_taken_back",
        Action.COMING_TAKEN_BACK,
        referral=referral,
        came_on=came_on,
        last_day=last_day,
        reason=reason,
    )
