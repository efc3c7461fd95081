"""A referral is extended once, with documents: until which day, and how."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.core.files import File

from accounts.models import User
from accounts.uploads import random_name, type_of
from applications.journal_actions import Action
from applications.models import Extension, ExtensionDocument, Referral
from applications.moves import (
    Refused,
    announce,
    lock_application,
    lock_referral,
    locking,
    move,
    refuse_stranger,
    refuse_while_halted,
)
from applications.referrals.due import last_day_of
from applications.referrals.stored_paper import order_paper, take_paper_away
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.states import Move
from bulletin.calendar import CalendarEmpty, working_calendar
from bulletin.workdays import CalendarEnds, NoCalendar, end_of_day


def shortest_extension(referral: Referral) -> date:
    """The first day to which a referral can be extended: the first working day after its last one."""
    present = last_day_of(referral)
    try:
        return working_calendar().next_working_day(present)
    except CalendarEnds as end:
        return end.day
    except CalendarEmpty:
        return present + timedelta(days=1)


def longest_extension(referral: Referral) -> date:
    """The last one: the last working day up to 30 calendar days after its last day (`Rules`).

    By the rules of the day of issue, or of its last day if those allow more. Before `shortest_extension` if none of
    these days is a working day.
    """
    locality, times = referral.application.locality, (referral.issued_at, referral.last_moment)
    days = max(rules_at(locality, at).extension_calendar_days for at in times)
    return extended_to(last_day_of(referral) + timedelta(days=days))


def may_be_extended(referral: Referral) -> bool:
    """Whether there is an extension left, and a day to which it could lead."""
    return not hasattr(referral, "extension") and shortest_extension(referral) <= longest_extension(referral)


def extended_to(asked: date) -> date:
    """The last day of a referral extended to the day `asked`: the last working day up to it.

    On a day off nobody would be there to sign. The day itself where the calendar of working days doesn't reach: nobody
    must be refused because it was not loaded.
    """
    try:
        return working_calendar().last_working_day(asked)
    except NoCalendar:
        return asked


def extend_referral(
    referral: Referral,
    *,
    actor: User,
    until: date,
    reason: str,
    documents: "Sequence[tuple[str, File[bytes]]]",
    explanation: str = "",
    now: datetime,
) -> Extension:
    """Extend a valid referral once, to the end of the last working day up to `until`, with supporting documents.

    The day that comes of it must lie between `shortest_extension` and `longest_extension`. Allowed up to the end of its
    last day, by the instant at which the papers began to arrive. `documents` are checked files (`accounts.uploads`)
    with their names. Raises `Refused` (REFERRAL_ENDED, HALTED, ALREADY_EXTENDED, EXTENSION_DATE, NO_WORKING_DAY,
    DOCUMENTS_MISSING).
    """
    with locking():
        application = lock_application(referral.application_id)
        referral = lock_referral(referral.pk)
        if not referral.is_extendable(now=now):
            raise Refused(Refusal.REFERRAL_ENDED)
        # Before any file is stored.
        refuse_stranger(application.child, actor)
        refuse_while_halted(application, actor=None)
        if Extension.objects.filter(referral=referral).exists():
            raise Refused(Refusal.ALREADY_EXTENDED)
        earliest, latest = shortest_extension(referral), longest_extension(referral)
        if earliest > latest:
            raise Refused(Refusal.NO_WORKING_DAY)
        last_day = extended_to(until)
        if not earliest <= last_day <= latest:
            raise Refused(Refusal.EXTENSION_DATE)
        if not documents:
            raise Refused(Refusal.DOCUMENTS_MISSING)
        extension = Extension.objects.create(
            referral=referral,
            reason=Extension.Reason(reason),
            explanation=explanation,
            previous_valid_until=referral.valid_until,
            made_at=referral.handed_in(now=now),
            made_by=actor,
        )
        for original_name, file in documents:
            _store_document(extension, original_name, file)
        referral.valid_until = end_of_day(last_day, application.locality.zone)
        referral.working_days = None
        # The old paper names the old day, so a new one is made.
        take_paper_away(referral)
        referral.save(update_fields=["valid_until", "working_days", "pdf"])
        event = move(
            application, Move.EXTEND_REFERRAL, actor=actor, now=now, data={"referral": str(referral.pk)}
        )
        announce(event, "referral_extended", Action.REFERRAL_EXTENDED, referral=referral, last_day=last_day)
        order_paper(referral)
    return extension


def _store_document(extension: Extension, original_name: str, file: "File[bytes]") -> None:
    document = ExtensionDocument(extension=extension, original_name=original_name)
    document.file.save(random_name(type_of(file.name or "")), file)
