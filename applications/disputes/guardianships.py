"""«Stop»: a guardian does not know who was added, and costly acts are halted until an official decides.

docs/disputes.md tells what is halted for whom, and what becomes of each deadline.
"""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User
from applications.models import Application
from applications.moves import Refused, lock_application, locking
from applications.referrals.standstill import hold_referral, resume_referral
from applications.refusals import Refusal
from applications.states import LIVE_STATES
from bulletin.calendar import CalendarEmpty, working_calendar
from bulletin.workdays import CalendarEnds, end_of_day
from children.disputes import is_halted, newcomers
from children.models import Child, Dispute, Guardianship
from children.services import concerned, decide_dispute, free_dispute, note_repeated_stop, raise_dispute

# Within so many working days after today an official decides.
DECISION_WORKING_DAYS: Final = 2


def stop_guardian(
    newcomer: User, *, by: User, is_tied: bool, address: str | None = None, now: datetime
) -> list[Dispute]:
    """Dispute that `newcomer` is a guardian, for every child to which they were added after `by` in the last 30 days.

    With `is_tied` (the state knows the phone of `newcomer` as theirs) nothing is halted, an official decides all the
    same. Where it was done already the dispute of then is returned, and the journals of both name the second press;
    `address` is where the press came from. Raises `Refused` (NOT_STOPPABLE where there is no such child,
    ALREADY_DECIDED). Locks the rows of the children, then those of their applications.
    """
    with locking():
        wanted = newcomers(by, now=now).filter(user=newcomer)
        _lock_children(list(wanted.values_list("child_id", flat=True)))
        # Read again: whoever came first under the lock may have changed who is a guardian.
        added = list(wanted.all())
        if not added:
            raise Refused(Refusal.NOT_STOPPABLE)
        disputes = [
            _stop(guardianship, by=by, is_tied=is_tied, address=address, now=now) for guardianship in added
        ]
    # After the commit: the second press stays in the journal.
    if all(dispute.outcome for dispute in disputes):
        raise Refused(Refusal.ALREADY_DECIDED)
    return disputes


def _stop(
    guardianship: Guardianship, *, by: User, is_tied: bool, address: str | None, now: datetime
) -> Dispute:
    """The dispute of one guardianship whose child is locked, raised now or before."""
    before = Dispute.objects.filter(guardianship=guardianship).first()
    if before is not None:
        note_repeated_stop(before, by=by, now=now)
        return before
    applications = _lock_applications(guardianship.child)
    zone = _zone(applications)
    last_day = _last_day_to_decide(now, zone)
    dispute = raise_dispute(
        guardianship,
        by=by,
        due_at=end_of_day(last_day, zone),
        last_day=last_day,
        halts=not is_tied,
        address=address,
        now=now,
    )
    if dispute.is_halting:
        for application in applications:
            hold_referral(application, now=now)
    return dispute


def decide_guardianship(
    dispute: Dispute, *, outcome: Dispute.Outcome, actor: User, reason: str, now: datetime
) -> Dispute:
    """Decide for good whether the guardianship stands or ends; costly acts are free again.

    A later decision may say otherwise, with a reason of its own. Whoever is concerned is told and has it in the
    journal. Raises `Refused` (REASON_MISSING, OWN_CHILD, ALREADY_DECIDED where this is the decision that holds).
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        dispute, applications = _lock(dispute)
        if actor in concerned(dispute):
            raise Refused(Refusal.OWN_CHILD)
        if dispute.outcome == outcome:
            raise Refused(Refusal.ALREADY_DECIDED)
        decide_dispute(dispute, outcome=outcome, actor=actor, reason=reason.strip(), now=now)
        _resume_referrals(dispute, applications, now=now)
    return dispute


def settle_dispute(dispute: Dispute, *, is_tied: bool, now: datetime) -> Dispute:
    """Bring an undecided dispute up to date with what the registries say now.

    Where the guardianship has ended there is nothing left to decide; where the phone proved to be the newcomer's own
    (`is_tied`) nothing is halted any more. Does nothing otherwise, and where it was decided.
    """
    with locking():
        dispute, applications = _lock(dispute)
        if dispute.outcome:
            return dispute
        if dispute.guardianship.ended_at is not None:
            decide_dispute(dispute, outcome=Dispute.Outcome.ENDS, actor=None, reason="", now=now)
            _resume_referrals(dispute, applications, now=now)
        elif is_tied and dispute.is_halting:
            free_dispute(dispute, now=now)
            _resume_referrals(dispute, applications, now=now)
    return dispute


def _lock_children(pks: list[UUID]) -> None:
    """FOR UPDATE, so that nobody files an application for one of them meanwhile; always in this order."""
    list(Child.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))


def _lock_applications(child: Child) -> list[Application]:
    """The live applications of a locked child: an act that was under way ends before, the next one sees the dispute."""
    live = Application.objects.filter(child=child, state__in=LIVE_STATES).order_by("pk")
    return [lock_application(pk) for pk in live.values_list("pk", flat=True)]


def _lock(dispute: Dispute) -> tuple[Dispute, list[Application]]:
    _lock_children([dispute.guardianship.child_id])
    dispute = Dispute.objects.select_related("guardianship__child", "guardianship__user__profile").get(
        pk=dispute.pk
    )
    return dispute, _lock_applications(dispute.guardianship.child)


def _zone(applications: list[Application]) -> ZoneInfo:
    """Where the family lives; without an application, where the portal is."""
    zone = applications[0].locality.zone if applications else timezone.get_default_timezone()
    assert isinstance(zone, ZoneInfo)
    return zone


def _last_day_to_decide(now: datetime, zone: ZoneInfo) -> date:
    """Two working days after today. A calendar that was not loaded stops nobody's stop: then any two days count."""
    today = now.astimezone(zone).date()
    try:
        return working_calendar().add(today, DECISION_WORKING_DAYS)
    except (CalendarEmpty, CalendarEnds):
        return today + timedelta(days=DECISION_WORKING_DAYS)


def _resume_referrals(dispute: Dispute, applications: list[Application], *, now: datetime) -> None:
    """Let held last days count again, unless something else is halted for the child."""
    if is_halted(dispute.guardianship.child):
        return
    for application in applications:
        resume_referral(application, now=now)
