"""Benefits (льготы): claimed by the family, checked by an official, counted for a time.

Only a verified benefit changes the part of the queue, and nothing here changes the time of filing: once a benefit ends,
the application is back at its original date.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.core.files.base import File
from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.uploads import random_name, type_of
from applications.journal_actions import Action
from applications.models import Application, Benefit, BenefitCategory
from applications.moves import (
    Refused,
    lock_application,
    locking,
    move,
    refuse_in_preview,
    refuse_own_child,
    refuse_side,
    refuse_stranger,
    refuse_while_halted,
    remind,
    tell_of_another,
    trace,
)
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import LIVE_STATES, ApplicationState, BenefitState, Move, Tier
from bulletin.workdays import end_of_day
from children.access import informed_guardians

# Each claim keeps a document of up to 5 MB and waits for an official.
CLAIMS_PER_DAY = 10


def claim_benefit(
    application: Application,
    category: BenefitCategory,
    *,
    document: "File[bytes]",
    original_name: str,
    actor: User,
    now: datetime,
) -> Benefit:
    """Claim a benefit with a checked `document`. It changes nothing in the queue until an official has verified it.

    A benefit that counts for a limited time may be claimed again while it still counts. Raises `Refused` (PREVIEW,
    ARCHIVED, ENROLLED, DISPUTED, BENEFIT_NOT_OFFERED, BENEFIT_WAITS, BENEFIT_COUNTS, TOO_MANY_CLAIMS).
    """
    with locking():
        application = _lock(application)
        refuse_stranger(application.child, actor)
        refuse_in_preview()
        refuse_side(application.child, actor, begins=True)
        category = BenefitCategory.objects.get(pk=category.pk)
        _refuse_claim(application, category, now=now)
        benefit = Benefit(
            application=application,
            category=category,
            original_name=original_name,
            claimed_at=now,
            claimed_by=actor,
        )
        benefit.document.save(random_name(type_of(document.name or "")), document, save=False)
        benefit.save(force_insert=True)
        _tell(benefit, "benefit_claimed", Action.BENEFIT_CLAIMED, actor=actor, now=now)
    return benefit


def withdraw_benefit(benefit: Benefit, *, actor: User, now: datetime) -> Benefit:
    """Take a benefit back at the family's wish, checked or not. The other guardians get an SMS.

    Raises `Refused` (PREVIEW, BENEFIT_ENDED, ARCHIVED, ENROLLED, HALTED).
    """
    with locking():
        benefit = _lock_benefit(benefit)
        refuse_stranger(benefit.application.child, actor)
        refuse_in_preview()
        refuse_while_halted(benefit.application, actor=actor)
        _end(benefit, BenefitState.WITHDRAWN, actor=actor, now=now)
        _tell(
            benefit,
            "benefit_withdrawn_by_other",
            Action.BENEFIT_WITHDRAWN,
            actor=actor,
            now=now,
            is_of_another=True,
        )
    return benefit


def verify_benefit(benefit: Benefit, *, issued_on: date | None = None, actor: User, now: datetime) -> Benefit:
    """Accept a claimed benefit: it counts from now to the end of its last day (`would_count_until`).

    `issued_on` is the date of the paper; None: today. If the same benefit counts already, its former proof ends here.
    Raises `Refused` (BENEFIT_ENDED, ARCHIVED, ENROLLED, OWN_CHILD, `why_not_dated`).
    """
    with locking():
        benefit = _lock_benefit(benefit)
        application = benefit.application
        if benefit.state != BenefitState.CLAIMED:
            raise Refused(Refusal.BENEFIT_ENDED)
        refuse_own_child(benefit.application.child, actor)
        issued_on = issued_on or application.locality.day(now)
        if why := why_not_dated(benefit, issued_on, now=now):
            raise Refused(why)
        benefit.valid_until = would_count_until(benefit, issued_on)
        if former := _former_proof(benefit):
            former.state, former.valid_until = BenefitState.EXPIRED, min(former.valid_until or now, now)
            former.save(update_fields=["state", "valid_until"])
        benefit.state, benefit.decided_at, benefit.decided_by = BenefitState.VERIFIED, now, actor
        benefit.save(update_fields=["state", "decided_at", "decided_by", "valid_until"])
        _recount(benefit, Move.VERIFY_BENEFIT, actor=actor, now=now)
        until = benefit.valid_until
        _tell(
            benefit,
            "benefit_verified",
            Action.BENEFIT_VERIFIED,
            actor=actor,
            now=now,
            last_day=application.locality.last_day(until) if until else None,
        )
    return benefit


def reject_benefit(benefit: Benefit, *, actor: User, reason: str, now: datetime) -> Benefit:
    """Refuse a claimed benefit, or withdraw a verified one, with a reason for the family.

    The application stands at its original date. Raises `Refused` (REASON_MISSING, BENEFIT_ENDED, ARCHIVED, ENROLLED,
    OWN_CHILD).
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        benefit = _lock_benefit(benefit)
        refuse_own_child(benefit.application.child, actor)
        _end(benefit, BenefitState.REJECTED, actor=actor, reason=reason.strip(), now=now)
        _tell(
            benefit,
            "benefit_rejected",
            Action.BENEFIT_REJECTED,
            actor=actor,
            now=now,
            reason=benefit.reason,
        )
    return benefit


def expire_benefit(benefit: Benefit, *, now: datetime) -> Application:
    """End a verified benefit whose last day is over.

    Does nothing while it counts, after it ended, or if the application has left the queue for good or is in the
    archive: `restore` brings it up to date.
    """
    with locking():
        application = lock_application(benefit.application_id)
        benefit = Benefit.objects.select_related("category").get(pk=benefit.pk)
        is_over = benefit.valid_until is not None and now >= benefit.valid_until
        if benefit.state != BenefitState.VERIFIED or not is_over or application.state not in LIVE_STATES:
            return application
        benefit.application = application
        benefit.state = BenefitState.EXPIRED
        benefit.save(update_fields=["state"])
        _recount(benefit, Move.END_BENEFIT, actor=None, now=now)
        _tell(benefit, "benefit_expired", Action.BENEFIT_EXPIRED, actor=None, now=now)
    return application


def expire_benefits_of(application: Application, *, now: datetime) -> Application:
    """End every benefit of one application whose last day is over; returns the application as it is afterwards."""
    for benefit in application.benefits.filter(state=BenefitState.VERIFIED, valid_until__lte=now):
        application = expire_benefit(benefit, now=now)
    return application


def benefit_valid_until(benefit: Benefit, issued_on: date) -> datetime | None:
    """The first instant at which a benefit no longer counts whose paper is of a day; None: without an end.

    So many calendar days after the day of the paper as the category says, in the locality's zone.
    """
    days = benefit.category.valid_days
    if days is None:
        return None
    return end_of_day(issued_on + timedelta(days=days), benefit.application.locality.zone)


def would_count_until(benefit: Benefit, issued_on: date) -> datetime | None:
    """The end of a claimed benefit if it were verified now by a paper of a day; None: never.

    Where the same benefit counts already, a new proof does not shorten what was promised.
    """
    until, former = benefit_valid_until(benefit, issued_on), _former_proof(benefit)
    if former is None:
        return until
    return max(former.valid_until, until) if former.valid_until and until else None


def _former_proof(benefit: Benefit) -> Benefit | None:
    same = benefit.application.benefits.filter(category=benefit.category, state=BenefitState.VERIFIED)
    return same.exclude(pk=benefit.pk).first()


def why_not_dated(benefit: Benefit, issued_on: date, *, now: datetime) -> Refusal | None:
    """Why a paper of a day proves nothing at `now`: it is not written yet, or counts no longer."""
    if issued_on > benefit.application.locality.day(now):
        return Refusal.PAPER_OF_LATER
    until = benefit_valid_until(benefit, issued_on)
    return Refusal.PAPER_OVER if until is not None and until <= now else None


def _lock(application: Application) -> Application:
    """The application, locked; its child must still be waiting for a place."""
    application = lock_application(application.pk)
    if application.state == ApplicationState.ARCHIVED:
        raise Refused(Refusal.ARCHIVED)
    if application.state not in LIVE_STATES:
        raise Refused(Refusal.ENROLLED)
    return application


def _lock_benefit(benefit: Benefit) -> Benefit:
    """The benefit as it is now, under the lock of its application."""
    application = _lock(benefit.application)
    benefit = Benefit.objects.select_related("category").get(pk=benefit.pk)
    benefit.application = application
    return benefit


def _refuse_claim(application: Application, category: BenefitCategory, *, now: datetime) -> None:
    if not category.is_active:
        raise Refused(Refusal.BENEFIT_NOT_OFFERED)
    same = application.benefits.filter(category=category)
    if same.filter(state=BenefitState.CLAIMED).exists():
        raise Refused(Refusal.BENEFIT_WAITS)
    if same.filter(state=BenefitState.VERIFIED, valid_until=None).exists():
        raise Refused(Refusal.BENEFIT_COUNTS)
    if application.benefits.filter(claimed_at__gt=now - timedelta(days=1)).count() >= CLAIMS_PER_DAY:
        raise Refused(Refusal.TOO_MANY_CLAIMS)


def _end(benefit: Benefit, state: BenefitState, *, actor: User, now: datetime, reason: str = "") -> None:
    """End a locked benefit by decision; if it counted, the application leaves its part of the queue."""
    counted = benefit.counts(now=now)
    if not counted and benefit.state != BenefitState.CLAIMED:
        raise Refused(Refusal.BENEFIT_ENDED)
    benefit.state, benefit.decided_at, benefit.decided_by, benefit.reason = state, now, actor, reason
    benefit.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    if counted:
        _recount(benefit, Move.END_BENEFIT, actor=actor, now=now, reason=reason)


def _recount(benefit: Benefit, step: Move, *, actor: User | None, now: datetime, reason: str = "") -> None:
    """Put the application into the part of the queue that its remaining verified benefits give it."""
    application = benefit.application
    verified = application.benefits.filter(state=BenefitState.VERIFIED).select_related("category")
    tier = min((other.category.tier for other in verified if other.counts(now=now)), default=Tier.GENERAL)
    data = {"benefit": str(benefit.pk), "category": benefit.category.slug}
    move(application, step, actor=actor, now=now, reason=reason, data=data, tier=tier)


def _tell(
    benefit: Benefit,
    kind: str,
    action: Action,
    *,
    actor: User | None,
    now: datetime,
    reason: str = "",
    last_day: date | None = None,
    is_of_another: bool = False,
) -> None:
    """Tell every guardian, and enter `action` into the journals of all. Each benefit is told of once a kind.

    What only the others are told of does not go to `actor` (`is_of_another`).
    """
    application = benefit.application
    guardians, place = informed_guardians(application.child), position(application, now=now)
    context: dict[str, Any] = {
        "key": str(benefit.pk),
        "now": now,
        "category": benefit.category,
        "number": place.number if place else None,
        "reason": reason,
        "last_day": last_day,
    }
    if is_of_another and actor is not None:
        rest = [guardian for guardian in guardians if guardian != actor]
        tell_of_another(application, kind, actor=actor, guardians=rest, **context)
    else:
        remind(application, kind, guardians=guardians, by=actor, **context)
    trace(application, action, actor=actor, now=now, reason=reason, guardians=guardians)


def categories_to_claim(application: Application) -> QuerySet[BenefitCategory]:
    """What the family may claim: nothing that waits for a check, and nothing that already counts without an end."""
    settled = application.benefits.filter(
        Q(state=BenefitState.CLAIMED) | Q(state=BenefitState.VERIFIED, valid_until=None)
    )
    return BenefitCategory.objects.filter(is_active=True).exclude(pk__in=settled.values("category"))


def claims_to_check() -> QuerySet[Benefit]:
    """Benefits that wait for an official, the oldest first; none of a child that has a place or left the queue."""
    return Benefit.objects.filter(state=BenefitState.CLAIMED, application__state__in=LIVE_STATES).order_by(
        "claimed_at", "id"
    )
