"""Corrections of the queue: one official proposes, another one carries out or declines (four eyes)."""

from copy import copy
from datetime import date, datetime

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Count, Q, QuerySet, Value

from accounts.models import User
from accounts.officials import is_one_with, one_with
from accounts.public_text import names_in
from applications.journal_actions import Action
from applications.models import Application, Correction
from applications.moves import Refused, announce, lock_application, locking, move, refuse_own_child, trace
from applications.queue.order import ahead_by_tier
from applications.queue.position import before, in_queue, position
from applications.refusals import Refusal
from applications.rules.in_force import rules_at, rules_of_day
from applications.states import QUEUED_STATES, CorrectionState, Move, Tier, is_allowed
from children.access import guardians_of

PROPOSE, DECIDE = "applications.add_correction", "applications.change_correction"


def propose_correction(
    application: Application,
    *,
    new_filed_at: datetime | None = None,
    new_birth_year: int | None = None,
    reason: str,
    document_number: str,
    document_date: date,
    actor: User,
    now: datetime,
) -> Correction:
    """Record a proposal for another official to approve; nothing changes in the queue yet.

    A value equal to the present one counts as none. Raises `PermissionDenied` for anyone who is not an official, and
    `Refused`: what `check_proposal` raises, OWN_CHILD, CORRECTION_WAITS.
    """
    _require(actor, PROPOSE)
    try:
        with locking():
            application = lock_application(application.pk)
            refuse_own_child(application.child, actor)
            check_proposal(
                application,
                new_filed_at=new_filed_at,
                new_birth_year=new_birth_year,
                reason=reason,
                document_number=document_number,
                document_date=document_date,
                now=now,
            )
            correction = Correction.objects.create(
                application=application,
                new_filed_at=new_filed_at if new_filed_at != application.filed_at else None,
                new_birth_year=new_birth_year if new_birth_year != application.birth_year else None,
                previous_filed_at=application.filed_at,
                previous_birth_year=application.birth_year,
                reason=reason.strip(),
                document_number=document_number.strip(),
                document_date=document_date,
                proposed_at=now,
                proposed_by=actor,
            )
            trace(application, Action.CORRECTION_PROPOSED, actor=actor, now=now, reason=correction.reason)
    except IntegrityError as error:
        raise Refused(Refusal.CORRECTION_WAITS) from error
    return correction


def approve_correction(correction: Correction, *, actor: User, now: datetime) -> Correction:
    """Carry out a correction: the application stands by its new time of filing or birth year from now on.

    Raises `PermissionDenied`, and `Refused`: OWN_CHILD, SAME_OFFICIAL, CORRECTION_DECIDED, CORRECTION_OUTDATED if what
    it was made of has changed since (`_is_outdated`), NOT_ALLOWED once the application has left for good.
    """
    _require(actor, DECIDE)
    with locking():
        application = lock_application(correction.application_id)
        refuse_own_child(application.child, actor)
        correction = _lock_open(correction, actor=actor)
        if _is_outdated(correction, application):
            raise Refused(Refusal.CORRECTION_OUTDATED)
        place_before = position(application, now=now)
        event = move(
            application,
            Move.CORRECT,
            actor=actor,
            now=now,
            reason=correction.reason,
            data={
                "correction": str(correction.pk),
                "document_number": correction.document_number,
                "document_date": correction.document_date.isoformat(),
            },
            filed_at=correction.new_filed_at or application.filed_at,
            birth_year=correction.new_birth_year or application.birth_year,
        )
        place = position(application, now=now)
        _decide(correction, CorrectionState.APPROVED, actor=actor, now=now)
        announce(
            event,
            "corrected",
            Action.CORRECTION_APPROVED,
            correction=correction,
            number_before=place_before.number if place_before else None,
            number=place.number if place else None,
        )
    return correction


def corrections_to_decide(user: User) -> QuerySet[Correction]:
    """The open corrections that `user` did not propose, nor anybody who counts as them."""
    waiting = Correction.objects.filter(state=CorrectionState.PROPOSED)
    return waiting.exclude(is_one_with(user, path="proposed_by"))


def decline_correction(correction: Correction, *, actor: User, reason: str, now: datetime) -> Correction:
    """Decline a correction: nothing changes in the queue. `reason` is kept in the journals.

    The proposer can't decide either way. Raises `PermissionDenied`, `Refused` (OWN_CHILD, SAME_OFFICIAL,
    CORRECTION_DECIDED, REASON_MISSING).
    """
    _require(actor, DECIDE)
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application = lock_application(correction.application_id)
        refuse_own_child(application.child, actor)
        correction = _lock_open(correction, actor=actor)
        _decide(correction, CorrectionState.DECLINED, actor=actor, now=now)
        trace(application, Action.CORRECTION_DECLINED, actor=actor, now=now, reason=reason.strip())
    return correction


def check_proposal(
    application: Application,
    *,
    new_filed_at: datetime | None,
    new_birth_year: int | None,
    reason: str,
    document_number: str,
    document_date: date,
    now: datetime,
) -> None:
    """Raise `Refused` where such a correction can't be proposed.

    NOT_ALLOWED (enrolled or archived), NOTHING_TO_CORRECT, FUTURE_FILING, FILED_BEFORE_BIRTH, AGE, REASON_MISSING,
    ORDER_MISSING, FUTURE_ORDER, ORDER_BEFORE_BIRTH, NAMES_IN_PUBLIC.
    """
    _check_change(application, filed_at=new_filed_at, birth_year=new_birth_year, now=now)
    _check_order(reason, document_number, document_date, application=application, now=now)


def _check_change(
    application: Application, *, filed_at: datetime | None, birth_year: int | None, now: datetime
) -> None:
    if not is_allowed(Move.CORRECT, application.state):
        raise Refused(Refusal.NOT_ALLOWED)
    if (filed_at or application.filed_at, birth_year or application.birth_year) == (
        application.filed_at,
        application.birth_year,
    ):
        raise Refused(Refusal.NOTHING_TO_CORRECT)
    if filed_at is not None and filed_at > now:
        raise Refused(Refusal.FUTURE_FILING)
    locality = application.locality
    if filed_at is not None and locality.day(filed_at) < _born(application):
        raise Refused(Refusal.FILED_BEFORE_BIRTH)
    if birth_year is not None and not rules_at(locality, now).admits(birth_year, on=locality.day(now)):
        raise Refused(Refusal.AGE)


def _require(actor: User, permission: str) -> None:
    if not actor.has_perm(permission):
        raise PermissionDenied


def _check_order(
    reason: str, document_number: str, document_date: date, *, application: Application, now: datetime
) -> None:
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    if not document_number.strip():
        raise Refused(Refusal.ORDER_MISSING)
    if document_date > application.locality.day(now):
        raise Refused(Refusal.FUTURE_ORDER)
    if document_date < _born(application):
        raise Refused(Refusal.ORDER_BEFORE_BIRTH)
    if names_in(f"{reason} {document_number}", _family_names(application)):
        raise Refused(Refusal.NAMES_IN_PUBLIC)


def _born(application: Application) -> date:
    born: date = application.child.birth_date
    return born


def _family_names(application: Application) -> list[str]:
    """The names of the child and of its guardians, which no public text may hold."""
    child = application.child
    profiles = [user.profile for user in guardians_of(child) if hasattr(user, "profile")]
    names = [(child.last_name, child.first_name, child.middle_name)]
    names += [(one.last_name, one.first_name, one.middle_name) for one in profiles]
    return [name for whole in names for name in whole if name]


def _lock_open(correction: Correction, *, actor: User) -> Correction:
    """The correction as it is now, its row locked, if `actor` may decide it. Lock the application first."""
    correction = Correction.objects.select_for_update(no_key=True).get(pk=correction.pk)
    if correction.state != CorrectionState.PROPOSED:
        raise Refused(Refusal.CORRECTION_DECIDED)
    if correction.proposed_by_id in one_with(actor):
        raise Refused(Refusal.SAME_OFFICIAL)
    return correction


def _is_outdated(correction: Correction, application: Application) -> bool:
    """Whether the time of filing or the birth year has changed since, or the registry's year if that is proposed.

    The registry's year stands whatever the time of filing is: a family that moves changes that by itself.
    """
    if application.birth_year != correction.previous_birth_year:
        return True
    if correction.is_of_registry:
        return correction.new_birth_year != _born(application).year
    return bool(application.filed_at != correction.previous_filed_at)


def _decide(correction: Correction, state: CorrectionState, *, actor: User, now: datetime) -> None:
    correction.state, correction.decided_by, correction.decided_at = state, actor, now
    correction.save(update_fields=["state", "decided_by", "decided_at"])


def corrected_number(
    application: Application, *, filed_at: datetime, birth_year: int, now: datetime
) -> int | None:
    """The number that the application would have with this time of filing and birth year; saves nothing.

    None if it holds none in its present state. Counts the queue it would be in, in one statement.
    """
    if application.state not in QUEUED_STATES:
        return None
    corrected = copy(application)
    corrected.filed_at, corrected.birth_year = filed_at, birth_year
    tier = Tier(application.tier)
    others = in_queue(locality=application.locality, birth_year=birth_year).exclude(pk=application.pk)
    counted = others.aggregate(
        ahead=Count(Value(1), filter=Q(tier=tier) & before(corrected)),
        **{other.name: Count(Value(1), filter=Q(tier=other)) for other in Tier},
    )
    totals = {other: counted[other.name] + (other == tier) for other in Tier}
    ahead = ahead_by_tier(
        tier,
        ahead_in_tier=counted["ahead"],
        totals=totals,
        general_per_priority=rules_of_day(application.locality, now).general_per_priority,
    )
    return 1 + sum(ahead.values())
