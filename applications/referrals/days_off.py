"""A day off that is added late lengthens the referrals under way: families were promised working days.

Transfers and Kurban-ait are announced when referrals already run. What follows from the calendar is compared with what
was promised, whoever changed the calendar and however. Nothing ever shortens a referral. Stops and the kindergarten's
time to answer stay as they were promised.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final, NamedTuple

from django.db.models import QuerySet

from applications.journal_actions import Action
from applications.models import Referral
from applications.moves import announce, lock_application, lock_referral, locking, move
from applications.referrals.due import last_day_of, valid_referrals
from applications.referrals.stored_paper import order_paper, take_paper_away
from applications.states import Move, ReferralState
from bulletin.calendar import working_calendar
from bulletin.workdays import Calendar, NoCalendar, end_of_day

LENGTHEN_TASK: Final = "applications.tasks.lengthen_referrals"


class Longer(NamedTuple):
    """A referral whose last day comes too early by a calendar, and the day that was promised."""

    referral: Referral
    last_day: date
    becomes: date


def promised_last_day(referral: Referral, calendar: Calendar) -> date:
    """The last day that a referral must have by this calendar; never before the one that it has.

    As many working days after its issue as its family was promised. An extension counts calendar days, so it only moves
    if its last day is no longer a working day: to the next one. Raises `CalendarEnds`.
    """
    last_day = last_day_of(referral)
    if referral.working_days is not None:
        issued_on = referral.application.locality.day(referral.issued_at)
        return max(last_day, calendar.add(issued_on, referral.working_days))
    if hasattr(referral, "extension") and not calendar.is_working(last_day):
        return calendar.next_working_day(last_day)
    return last_day


def to_lengthen(
    calendar: Calendar, *, among: QuerySet[Referral] | None = None, now: datetime
) -> Iterator[Longer]:
    """The referrals in force, or those `among` them, whose last day comes too early by this calendar.

    The earliest first. One whose days the calendar does not know is left out.
    """
    for referral in (
        (valid_referrals(now=now) if among is None else among)
        .select_related("application__locality", "extension")
        .order_by("valid_until", "pk")
    ):
        try:
            becomes = promised_last_day(referral, calendar)
        except NoCalendar:
            continue
        last_day = last_day_of(referral)
        if becomes > last_day:
            yield Longer(referral, last_day, becomes)


def lengthen_referral(referral: Referral, *, now: datetime) -> bool:
    """Give the family the day that was promised by the calendar in force; whether anything changed.

    Told by inbox, SMS and journal, and a new paper is made. Does nothing for a referral that has ended. Raises
    `Refused(CALENDAR)`.
    """
    with locking():
        application = lock_application(referral.application_id)
        referral = lock_referral(referral.pk)
        if referral.state != ReferralState.ISSUED:
            return False
        last_day, becomes = last_day_of(referral), promised_last_day(referral, working_calendar())
        if becomes <= last_day:
            return False
        referral.valid_until = end_of_day(becomes, application.locality.zone)
        # The old paper names the old day.
        take_paper_away(referral)
        referral.save(update_fields=["valid_until", "pdf"])
        event = move(
            application,
            Move.LENGTHEN_REFERRAL,
            actor=None,
            now=now,
            reason=f"{last_day:%d.%m.%Y} → {becomes:%d.%m.%Y}",
            data={"referral": str(referral.pk)},
        )
        announce(
            event, "referral_lengthened", Action.REFERRAL_LENGTHENED, referral=referral, last_day=becomes
        )
        order_paper(referral)
    return True
