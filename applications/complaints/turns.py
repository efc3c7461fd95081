"""The turns of a complaint: sent, answered, said to be solved or not. Each is told, and entered in the journal.

The answer changes nothing by itself: what has to be changed is changed where it belongs, and the answer says so.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.urls import reverse

from accounts import audit
from accounts.identity import phone_hash
from accounts.models import User
from applications.answer_days import last_day
from applications.complaints.whose import Sender, to_answer
from applications.journal_actions import Action
from applications.models import Application, Complaint
from applications.moves import Refused, locking
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from bulletin.models import Kindergarten, Locality
from bulletin.workdays import end_of_day
from notifications.kinds import KINDS, Channel
from notifications.services import enqueue, enqueue_to_phone

# Whoever has more to say waits for an answer first, or calls.
MOST_OPEN: Final = 5
# Where the calendar is not loaded: at least as long as the longest time that rules allow.
WITHOUT_CALENDAR: Final = timedelta(days=25)


def send_complaint(
    sender: Sender,
    *,
    about: str,
    text: str,
    locality: Locality,
    application: Application | None = None,
    kindergarten: Kindergarten | None = None,
    language: str,
    address: str | None,
    now: datetime,
) -> Complaint:
    """Keep what `sender` says went wrong, with a number and the time by which it is answered; they are told both.

    The same sent twice is one complaint. One about an application goes to the officials of its locality. Raises
    `Refused` (TOO_MANY_COMPLAINTS while five wait for an answer, NO_LONGER_YOURS for an application of another family).
    Lets one complaint of a sender in at a time.
    """
    with locking():
        _lock_sender(sender)
        if application is not None and not sender.applications().filter(pk=application.pk).exists():
            raise Refused(Refusal.NO_LONGER_YOURS)
        waiting = list(sender.complaints().filter(answered_at=None))
        for one in waiting:
            if (one.about, one.text, one.application, one.kindergarten) == (
                about,
                text,
                application,
                kindergarten,
            ):
                return one
        if len(waiting) >= MOST_OPEN:
            raise Refused(Refusal.TOO_MANY_COMPLAINTS)
        place = application.locality if application else kindergarten.locality if kindergarten else locality
        complaint = Complaint(
            number=_fresh_number(place, now=now),
            user=sender.user,
            phone=sender.phone,
            phone_hash=phone_hash(sender.phone),
            language=language,
            locality=place,
            about=about,
            application=application,
            kindergarten=kindergarten,
            text=text,
            sent_at=now,
            due_at=answer_due(place, now=now),
        )
        complaint.save()
        _record(complaint, Action.COMPLAINT_SENT, actor=sender.user, address=address, now=now)
        tell(complaint, "complaint_taken", now=now, has_pressed=True)
    return complaint


def answer_due(locality: Locality, *, now: datetime) -> datetime:
    """The first instant after the last day for what is answered, or said to an answer, from `now` on."""
    days = rules_at(locality, now).complaint_working_days
    day = last_day(now, locality.zone, working_days=days, without_calendar=WITHOUT_CALENDAR)
    return end_of_day(day, locality.zone)


def answer_complaint(complaint: Complaint, *, text: str, actor: User, now: datetime) -> Complaint:
    """Answer it, once; who complains is told, and may say for some days that the first answer solves nothing.

    Raises `Refused` (REASON_MISSING; ALREADY_DECIDED; NOT_YOURS_TO_ANSWER as `to_answer` says).
    """
    if not text.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        complaint = _lock(complaint)
        if not complaint.is_open:
            raise Refused(Refusal.ALREADY_DECIDED)
        if not to_answer(actor, now=now).filter(pk=complaint.pk).exists():
            raise Refused(Refusal.NOT_YOURS_TO_ANSWER)
        complaint.answer, complaint.answered_at, complaint.answered_by = text.strip(), now, actor
        if complaint.first_id is None:
            complaint.open_until = answer_due(complaint.locality, now=now)
        complaint.save(update_fields=["answer", "answered_at", "answered_by", "open_until"])
        _record(complaint, Action.COMPLAINT_ANSWERED, actor=actor, now=now)
        tell(complaint, "complaint_answered", now=now)
    return complaint


def say_not_solved(
    complaint: Complaint, *, text: str, actor: User | None, address: str | None, now: datetime
) -> Complaint:
    """Send it to another official (`to_answer`), once, with what is still wrong; they have the same time to answer.

    The caller has found `complaint` among the sender's own. Raises `Refused` (NOT_ANSWERED_YET; COMPLAINT_OVER if it is
    closed, was sent on before, or its time is over).
    """
    with locking():
        complaint = _lock_answered(complaint, now=now)
        following = Complaint.objects.create(
            first=complaint,
            number=complaint.number,
            user=complaint.user,
            phone=complaint.phone,
            phone_hash=complaint.phone_hash,
            language=complaint.language,
            locality=complaint.locality,
            about=complaint.about,
            application=complaint.application,
            kindergarten=complaint.kindergarten,
            text=text,
            sent_at=now,
            due_at=answer_due(complaint.locality, now=now),
        )
        _record(following, Action.COMPLAINT_NOT_SOLVED, actor=actor, address=address, now=now)
        tell(following, "complaint_taken_further", now=now, has_pressed=True)
    return following


def close_complaint(complaint: Complaint, *, actor: User | None, address: str | None, now: datetime) -> None:
    """Note that it is solved. Raises as `say_not_solved` does."""
    with locking():
        complaint = _lock_answered(complaint, now=now)
        complaint.closed_at = now
        complaint.save(update_fields=["closed_at"])
        _record(complaint, Action.COMPLAINT_CLOSED, actor=actor, address=address, now=now)
        tell(complaint, "complaint_closed", now=now, has_pressed=True)


def tell(complaint: Complaint, kind: str, *, now: datetime, has_pressed: bool = False) -> None:
    """Tell who complains, by their ways; a visitor by SMS where the kind has one.

    `has_pressed`: it answers what they have just done themselves.
    """
    key = f"{kind}:{complaint.pk}"
    if complaint.user is not None:
        enqueue(
            complaint.user,
            kind,
            context={"complaint": complaint},
            dedupe_key=key,
            now=now,
            link=reverse("applications:complaint", args=[(complaint.first or complaint).pk]),
            about=complaint.application.child_id if complaint.application else None,
            zone=complaint.locality.zone,
            pressed_by=complaint.user if has_pressed else None,
        )
    elif complaint.phone and Channel.SMS in KINDS[kind].channels:
        enqueue_to_phone(
            complaint.phone,
            kind,
            context={"complaint": complaint},
            language=complaint.language,
            dedupe_key=key,
            now=now,
            zone=complaint.locality.zone,
            has_pressed=has_pressed,
        )


def _lock_sender(sender: Sender) -> None:
    """A visitor has no row that could be locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"complaint {sender.key}"])


def _lock(complaint: Complaint) -> Complaint:
    locked = Complaint.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("user", "locality", "application", "kindergarten", "first").get(
        pk=complaint.pk
    )


def _lock_answered(complaint: Complaint, *, now: datetime) -> Complaint:
    complaint = _lock(complaint)
    match complaint.stage(now=now):
        case Complaint.Stage.ANSWERED:
            return complaint
        case Complaint.Stage.WAITING | Complaint.Stage.LATE:
            raise Refused(Refusal.NOT_ANSWERED_YET)
        case _:
            raise Refused(Refusal.COMPLAINT_OVER)


def _fresh_number(locality: Locality, *, now: datetime) -> str:
    """One that tells nothing of how many there are: the year and six random digits."""
    while True:
        number = f"{locality.day(now):%Y}-{secrets.randbelow(1_000_000):06}"
        if not Complaint.objects.filter(number=number).exists():
            return number


def _record(
    complaint: Complaint, action: Action, *, actor: User | None, address: str | None = None, now: datetime
) -> None:
    audit.record(
        action,
        actor=actor,
        subject=complaint.user,
        target=complaint.number,
        address=address,
        about=complaint,
        child=complaint.application.child_id if complaint.application else None,
        now=now,
    )
