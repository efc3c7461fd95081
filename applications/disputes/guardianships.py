"""«Stop»: a guardian does not know who was added, and costly acts are halted until an official decides.

docs/disputes.md says what is halted for whom, and what happens to each deadline.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from applications.answer_days import last_day
from applications.bidding.held_offers import hold_offer, resume_offer
from applications.models import Application
from applications.moves import Refused, lock_application, locking, refuse_own_child
from applications.referrals.standstill import hold_referral, resume_referral
from applications.refusals import Refusal
from applications.states import LIVE_STATES
from bulletin.workdays import end_of_day
from children.disputes import is_halted, is_proven, lock_people, stoppable
from children.models import Child, Dispute, Guardianship
from children.services import (
    announce_stop,
    decide_dispute,
    free_dispute,
    note_repeated_stop,
    prove_presser,
    raise_dispute,
)

# Within how many working days after today an official decides.
DECISION_WORKING_DAYS: Final = 2


def stop_guardian(
    newcomer: User,
    *,
    by: User,
    is_tied: bool,
    address: str | None = None,
    among: QuerySet[Guardianship] | None = None,
    now: datetime,
) -> list[Dispute]:
    """Dispute that `newcomer` is a guardian, for every child of both for which `by` may stop them (`stoppable`).

    `among` is another rule for whom `by` may stop, as `waiting.claiming.claimants`; `by` need not be a guardian of the
    child then.

    With `is_tied` (the state knows the phone of `newcomer` as theirs) nothing is halted, but an official still decides.
    If neither of the two is proven, both have the same restrictions. Everybody gets one SMS, however many children it
    is about. If it was done already, the earlier dispute is returned, and the journals of both note the second press;
    `address` is where the press came from. Raises `Refused` (NOT_STOPPABLE if there is no such child,
    ALREADY_DECIDED). Locks the rows of both people, of the children, then those of their applications.
    """
    with locking():
        lock_people(newcomer, by)
        wanted = (stoppable(by, now=now) if among is None else among).filter(user=newcomer)
        locked = list(wanted.values_list("child_id", flat=True))
        _lock_children(locked)
        # Read again: an earlier holder of the lock may have changed who is a guardian. A child that both have only
        # since then is not locked, and is left to the next press.
        added = list(wanted.filter(child__in=locked))
        if not added:
            raise Refused(Refusal.NOT_STOPPABLE)
        before = list(Dispute.objects.filter(guardianship__in=added))
        for dispute in before:
            note_repeated_stop(dispute, by=by, now=now)
        known = {dispute.guardianship_id for dispute in before}
        raised = [
            _raise(guardianship, by=by, is_tied=is_tied, now=now)
            for guardianship in added
            if guardianship.pk not in known
        ]
        if raised:
            disputes, last_days = zip(*raised, strict=True)
            announce_stop(disputes, last_day=max(last_days), address=address, now=now)
    # Only after the commit, so that the second press stays in the journal.
    if not raised and all(dispute.outcome for dispute in before):
        raise Refused(Refusal.ALREADY_DECIDED)
    return [*before, *(dispute for dispute, _last_day in raised)]


def decide_guardianship(
    dispute: Dispute,
    *,
    outcome: Dispute.Outcome,
    actor: User,
    reason: str,
    overrules: datetime | None = None,
    now: datetime,
) -> Dispute:
    """Decide for good whether the guardianship stands or ends; costly acts are free again.

    A later decision may differ, with a reason of its own: `overrules` is when the decision that `actor` has seen and
    changes was made, None if they saw none. Everybody concerned is told and has it in the journal. Raises `Refused`
    (REASON_MISSING, OWN_CHILD, ALREADY_DECIDED if this is the decision in force, DECIDED_MEANWHILE if the one in force
    is not the one that was seen, ENDED_BY_REGISTRY if the registry has ended the guardianship; an undecided dispute is
    settled then).
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        dispute, applications = _lock(dispute)
        if actor.is_same_person(dispute.guardianship.user):
            raise Refused(Refusal.OWN_CHILD)
        refuse_own_child(dispute.guardianship.child, actor)
        if dispute.outcome == outcome:
            raise Refused(Refusal.ALREADY_DECIDED)
        if dispute.decided_at != overrules:
            raise Refused(Refusal.DECIDED_MEANWHILE)
        is_moot = outcome == Dispute.Outcome.STANDS and dispute.is_ended_by_registry
        if not is_moot:
            decide_dispute(dispute, outcome=outcome, actor=actor, reason=reason.strip(), now=now)
            _resume_deadlines(dispute, applications, now=now)
        elif not dispute.outcome:
            _settle_ended(dispute, applications, now=now)
    # Only after the commit, so that what the registry ended stays settled.
    if is_moot:
        raise Refused(Refusal.ENDED_BY_REGISTRY)
    return dispute


def settle_dispute(dispute: Dispute, *, is_tied: bool, now: datetime) -> Dispute:
    """Bring an undecided dispute up to date with the registries.

    If the guardianship has ended, there is nothing left to decide. If the phone turned out to be the newcomer's own
    (`is_tied`), nothing is halted any more. If the presser has proven who they are, they may choose places again.
    Otherwise, or if it was decided, it does nothing.
    """
    with locking():
        dispute, applications = _lock(dispute)
        if dispute.outcome:
            return dispute
        if dispute.guardianship.ended_at is not None:
            _settle_ended(dispute, applications, now=now)
        elif is_tied and dispute.is_halting:
            free_dispute(dispute, now=now)
            _resume_deadlines(dispute, applications, now=now)
        elif dispute.is_mutual and is_proven(dispute.raised_by, dispute.guardianship.child):
            prove_presser(dispute, now=now)
    return dispute


def _raise(guardianship: Guardianship, *, by: User, is_tied: bool, now: datetime) -> tuple[Dispute, date]:
    """Raise the dispute of one guardianship whose child is locked; with the last day on which an official decides."""
    applications = _lock_applications(guardianship.child)
    zone = _zone(applications)
    last_day_to_decide = last_day(
        now,
        zone,
        working_days=DECISION_WORKING_DAYS,
        without_calendar=timedelta(days=DECISION_WORKING_DAYS),
    )
    dispute = raise_dispute(
        guardianship,
        by=by,
        due_at=end_of_day(last_day_to_decide, zone),
        halts=not is_tied,
        is_mutual=not is_proven(by, guardianship.child),
        now=now,
    )
    if dispute.is_halting:
        for application in applications:
            hold_referral(application, now=now)
            hold_offer(application, now=now)
    return dispute, last_day_to_decide


def _settle_ended(dispute: Dispute, applications: list[Application], *, now: datetime) -> None:
    """Close the dispute, since the registry ended the guardianship and nothing is left to decide."""
    decide_dispute(dispute, outcome=Dispute.Outcome.ENDS, actor=None, reason="", now=now)
    _resume_deadlines(dispute, applications, now=now)


def _lock_children(pks: list[UUID]) -> None:
    """FOR UPDATE, so that nobody files an application for one of them meanwhile; always in this order."""
    list(Child.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))


def _lock_applications(child: Child) -> list[Application]:
    """The live applications of a locked child: an act that was under way ends before, the next one sees the dispute."""
    live = Application.objects.filter(child=child, state__in=LIVE_STATES).order_by("pk")
    return [lock_application(pk) for pk in live.values_list("pk", flat=True)]


def _lock(dispute: Dispute) -> tuple[Dispute, list[Application]]:
    lock_people(dispute.guardianship.user, dispute.raised_by)
    _lock_children([dispute.guardianship.child_id])
    dispute = Dispute.objects.select_related(
        "guardianship__child", "guardianship__user__profile", "raised_by"
    ).get(pk=dispute.pk)
    return dispute, _lock_applications(dispute.guardianship.child)


def zone_of(child: Child) -> ZoneInfo:
    """The zone in which a dispute about `child` is told: that of its live application, or else the portal's.

    For several children prefetch `applications__locality`.
    """
    live = [application for application in child.applications.all() if application.state in LIVE_STATES]
    return _zone(sorted(live, key=lambda application: application.pk))


def _zone(applications: Sequence[Application]) -> ZoneInfo:
    """The zone of the family's locality; without an application, the portal's."""
    zone = applications[0].locality.zone if applications else timezone.get_default_timezone()
    assert isinstance(zone, ZoneInfo)
    return zone


def _resume_deadlines(dispute: Dispute, applications: list[Application], *, now: datetime) -> None:
    """Let held last days count again, unless something else is halted for the child."""
    if is_halted(dispute.guardianship.child):
        return
    for application in applications:
        resume_referral(application, now=now)
        resume_offer(application, now=now)
