"""Who may have everything that the portal holds: one official asks, another allows it, for the keys that both saw."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from accounts.officials import one_with
from applications.city.export.sealing import BadKey, public_keys
from applications.decisions.proposals import decide, lock_open, require
from applications.journal_actions import Action
from applications.models import CityExport
from applications.moves import Refused, locking
from applications.own_rows import has_every_locality
from applications.refusals import Refusal
from applications.states import ProposalState

ASK, ALLOW = "applications.add_cityexport", "applications.change_cityexport"


def why_not(official: User, *, now: datetime) -> Refusal | None:
    """Why `official` can neither ask for an export nor allow one, if so.

    Nobody has two accounts with one IIN, so two whose IINs are known are two people.
    """
    if not official.staff_iin_hash:
        return Refusal.OFFICIAL_UNKNOWN
    if not has_every_locality(official, now=now):
        return Refusal.NOT_EVERYWHERE
    return None


def ask_for_export(*, keys: str, reason: str, actor: User, now: datetime) -> CityExport:
    """Record that an export is wanted, for another official to allow; nothing is exported yet.

    Raises `PermissionDenied`, `ValidationError` for what is no key, and `Refused`: OFFICIAL_UNKNOWN, NOT_EVERYWHERE,
    REASON_MISSING, PROPOSAL_WAITS.
    """
    _demand(actor, ASK, now=now)
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    try:
        public_keys(keys)
    except BadKey as error:
        raise ValidationError({"keys": str(error)}) from error
    try:
        with transaction.atomic():
            request = CityExport.objects.create(
                keys=keys.strip(), reason=reason.strip(), proposed_at=now, proposed_by=actor
            )
            _record(Action.CITY_EXPORT_ASKED, request, actor=actor, reason=request.reason, now=now)
    except IntegrityError as error:
        raise Refused(Refusal.PROPOSAL_WAITS) from error
    return request


def allow_export(request: CityExport, *, actor: User, now: datetime) -> CityExport:
    """Let an operator make the export, once, within `MADE_WITHIN`.

    Raises `PermissionDenied`, `Refused`: OFFICIAL_UNKNOWN, NOT_EVERYWHERE, PROPOSER for whoever asked or counts as
    them, PROPOSAL_DECIDED. Locks the request.
    """
    _demand(actor, ALLOW, now=now)
    with locking():
        request = _lock(request, actor=actor)
        decide(request, ProposalState.APPROVED, actor=actor, now=now)
        _record(Action.CITY_EXPORT_ALLOWED, request, actor=actor, reason=request.reason, now=now)
    return request


def decline_export(request: CityExport, *, actor: User, reason: str, now: datetime) -> CityExport:
    """Decline it, with a reason. Raises as `allow_export` does, and `Refused(REASON_MISSING)`."""
    _demand(actor, ALLOW, now=now)
    with locking():
        request = _lock(request, actor=actor)
        decide(request, ProposalState.DECLINED, actor=actor, reason=reason, now=now)
        _record(Action.CITY_EXPORT_DECLINED, request, actor=actor, reason=reason, now=now)
    return request


def allowed_exports(*, now: datetime) -> list[CityExport]:
    """What an operator may make at `now`, the first one allowed first."""
    waiting = CityExport.objects.filter(state=ProposalState.APPROVED, made_at=None).order_by("decided_at")
    return [request for request in waiting if request.can_be_made(now)]


def note_made(request: CityExport, *, sha256: str, now: datetime) -> bool:
    """Note that the file was made; False where another one was made of the same request meanwhile, which counts."""
    with transaction.atomic():
        is_first = bool(
            CityExport.objects.filter(pk=request.pk, made_at=None).update(made_at=now, sha256=sha256)
        )
        if is_first:
            _record(Action.CITY_EXPORTED, request, actor=None, reason=f"SHA-256: {sha256}", now=now)
    return is_first


def _demand(actor: User, permission: str, *, now: datetime) -> None:
    require(actor, permission)
    refusal = why_not(actor, now=now)
    if refusal is not None:
        raise Refused(refusal)


def _lock(request: CityExport, *, actor: User) -> CityExport:
    request = lock_open(request)
    if request.proposed_by_id in one_with(actor):
        raise Refused(Refusal.PROPOSER)
    return request


def _record(action: Action, request: CityExport, *, actor: User | None, reason: str, now: datetime) -> None:
    audit.record(action, actor=actor, target=str(request), reason=reason, about=request, now=now)
