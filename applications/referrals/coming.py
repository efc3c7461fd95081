"""The kindergarten notes that a family came with its papers: the referral is valid while the contract is prepared."""

from datetime import date, datetime

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application, Referral
from applications.moves import Refused, announce, lock_application, lock_referral, locking, move
from applications.referrals.due import last_day_of
from applications.referrals.last_day import LAST_DAY, day_to_sign, move_last_day
from applications.refusals import Refusal
from applications.rules.coming import why_not_came
from applications.states import Move


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
        referral.came_on = came_on
        if last_day > last_day_of(referral):
            move_last_day(referral, to=last_day)
        referral.save(update_fields=["came_on", *LAST_DAY])
        data = {"referral": str(referral.pk), "came_on": came_on.isoformat()}
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
