"""A family claims its application of the former queue: from then on it is like any other, at its old date.

Who knows a few IINs is nobody: the registry says whose guardian an IIN is, and something else has to say that the
account is that person's (`proof_of`), or an official does. The phone in the file is told of every claim. It changes
nothing in the queue, so it is open before the portal is.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.identity import phone_hashes
from accounts.models import User
from accounts.registry import PhoneTie
from applications.journal_actions import Action
from applications.models import Application, Event, FormerRow
from applications.moves import (
    Refused,
    announce,
    lock_application,
    locking,
    refuse_own_child,
    refuse_side,
    refuse_stranger,
    write_event,
)
from applications.queue.position import position
from applications.refusals import Refusal
from applications.rules.running_out import first_end
from applications.states import ApplicationState, Move
from applications.waiting.aging import is_too_old
from children.access import present_people
from children.disputes import STOPPABLE_FOR, stoppable
from children.models import Child, Guardianship
from notifications.services import enqueue_to_phone

Proof = FormerRow.Proof


def unclaimed_of(child: Child) -> Application | None:
    """The application of the former queue with which `child` waits, while nobody has claimed it. One query."""
    waiting = Application.objects.filter(child=child, filed_by=None, state=ApplicationState.WAITING)
    return waiting.select_related("former", "child", "locality").first()


def unclaimed_among(children: Iterable[Child]) -> set[UUID]:
    """Those of `children` that wait with an application of the former queue, by their ids. At most one query."""
    waiting = Application.objects.filter(filed_by=None, state=ApplicationState.WAITING)
    asked = [child.pk for child in children]
    return set(waiting.filter(child__in=asked).values_list("child", flat=True)) if asked else set()


def former_row_of(application: Application) -> FormerRow | None:
    """What the former queue said of it, if it came from there. One query."""
    return FormerRow.objects.filter(application=application).first()


def proof_of(application: Application, user: User) -> FormerRow.Proof | None:
    """What says that `user`, a guardian of the child, is who they say; None if only the two IINs do.

    Their number, proven by a code, is the one in the file; the state knows it as theirs; or an official has seen their
    papers. Two queries at most. Ask the state beforehand (`accounts.services.refresh_phone_tie`).
    """
    if user.phone and application.former.phone_hash in phone_hashes(user.phone.as_e164):
        return Proof.PHONE
    if user.profile.phone_tie == PhoneTie.YES:
        return Proof.REGISTRY
    seen = Guardianship.objects.filter(
        user=user, child=application.child_id, ended_at=None, source=Guardianship.Source.OFFICIAL
    )
    return Proof.OFFICIAL if seen.exists() else None


def claim(application: Application, *, actor: User, now: datetime) -> Application:
    """Make an unclaimed application that of `actor`, a guardian of the child who is proven (`proof_of`).

    It counts as a confirmation of interest; the date and the part of the queue stay. All guardians are told, and the
    phone in the file. Raises `Refused` (NOT_PROVEN, CLAIMED_ALREADY, NOT_ALLOWED if it has left the queue,
    AGE, DISPUTED, BUSY), `PermissionDenied` if `actor` is not a guardian of the child. Locks the child, then the
    application.
    """
    with locking():
        application = _lock(application)
        proof = proof_of(application, actor)
        if proof is None:
            raise Refused(Refusal.NOT_PROVEN)
        event = _claim(application, guardian=actor, actor=actor, proof=proof, now=now)
        _tell(event, Action.APPLICATION_CLAIMED)
    return application


def claim_for(
    application: Application, guardian: User, *, actor: User, reason: str, now: datetime
) -> Application:
    """The official `actor` has seen that `guardian` is the person of the former queue, and says by what.

    Otherwise like `claim`. Raises `Refused` also for REASON_MISSING and OWN_CHILD.
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application = _lock(application)
        refuse_own_child(application.child, actor)
        event = _claim(
            application, guardian=guardian, actor=actor, proof=Proof.OFFICIAL, reason=reason.strip(), now=now
        )
        _tell(event, Action.CLAIMED_BY_OFFICIAL)
    return application


def claimants(user: User, *, now: datetime) -> QuerySet[Guardianship]:
    """The guardianships of those who claimed an application of the former queue that names the phone of `user`.

    For thirty days, like guardians added lately; nobody to whom an official gave it, and nobody whom `user` may stop as
    a guardian. They come as `stoppable` does.
    """
    if not user.phone:
        return Guardianship.objects.none()
    rows = FormerRow.objects.filter(
        phone_hash__in=phone_hashes(user.phone.as_e164),
        claimed_at__gt=now - STOPPABLE_FOR,
        claimed_by=OuterRef("user"),
        application__child=OuterRef("child"),
    ).exclude(proof=FormerRow.Proof.OFFICIAL)
    return (
        Guardianship.objects.filter(Exists(rows), source=Guardianship.Source.REGISTRY, ended_at=None)
        .exclude(user=user)
        .exclude(pk__in=stoppable(user, now=now).values("pk"))
        .select_related("child", "user__profile", "dispute")
        .order_by("-added_at", "pk")
    )


def _lock(application: Application) -> Application:
    """The application as it is now, after its child: whoever adds or stops a guardian locks that row, too."""
    Child.objects.select_for_update(no_key=True).values_list("pk").get(pk=application.child_id)
    application = lock_application(application.pk)
    if application.is_claimed:
        raise Refused(Refusal.CLAIMED_ALREADY)
    if application.state != ApplicationState.WAITING:
        raise Refused(Refusal.NOT_ALLOWED)
    return application


def _claim(
    application: Application,
    *,
    guardian: User,
    actor: User,
    proof: FormerRow.Proof,
    now: datetime,
    **told: Any,
) -> Event:
    refuse_stranger(application.child, guardian)
    refuse_side(application.child, guardian, begins=True)
    # The sweep may be late.
    if is_too_old(application, now=now):
        raise Refused(Refusal.AGE)
    application.filed_by, application.interest_confirmed_at = guardian, now
    event = write_event(
        application,
        Move.CLAIM,
        before=application.state,
        actor=actor,
        now=now,
        data={"proof": proof},
        **told,
    )
    application.runs_out_at = first_end(application, now=now)
    application.save(update_fields=["filed_by", "interest_confirmed_at", "runs_out_at"])
    row = application.former
    row.claimed_at, row.claimed_by, row.proof = now, guardian, proof
    # It was to find the guardian. The phone goes when «Stop» can be pressed no more (`jobs.retention`).
    row.guardian_iin, row.guardian_hash = "", None
    row.save(update_fields=["claimed_at", "claimed_by", "proof", "guardian_iin", "guardian_hash"])
    return event


def _tell(event: Event, action: Action) -> None:
    application = event.application
    place = position(application, now=event.at)
    row, claimant = application.former, application.filed_by
    assert claimant is not None
    announce(event, "application_claimed", action, by=claimant, number=place.number if place else None)
    if row.phone and not (claimant.phone and claimant.phone.as_e164 == row.phone):
        enqueue_to_phone(
            row.phone,
            "former_claimed",
            context={"application": application, "may_stop": _may_be_stopped(claimant, row, now=event.at)},
            language=claimant.language,
            dedupe_key=str(event.pk),
            now=event.at,
        )


def _may_be_stopped(claimant: User, row: FormerRow, *, now: datetime) -> bool:
    """Whether the phone in the file is the number of an account here, for which «Stop» is open against `claimant`."""
    owner = present_people().filter(phone=row.phone).first()
    if owner is None:
        return False
    return any(
        open_to.filter(user=claimant, child=row.application.child_id).exists()
        for open_to in (claimants(owner, now=now), stoppable(owner, now=now))
    )
