"""An enrolled child moves to another group of its kindergarten; its old place is free."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction

from accounts.models import User
from applications.bidding.giving_up import give_up_place
from applications.journal_actions import Action
from applications.models import Application, Contract, Referral, Transfer
from applications.moves import Refused, announce, lock_application, lock_referral, locking, move
from applications.places.occupancy import Occupancy, lock_places_of, occupancies_of, place_day
from applications.places.retaking import room_in, take_back
from applications.refusals import Refusal
from applications.rules.transferring import why_not_suited
from applications.states import Move, ReferralState
from bulletin.closings import covers, is_closed, running
from bulletin.models import Group
from bulletin.school_years import school_year


def year_of(contract: Contract, *, now: datetime) -> int:
    """The school year from which on a running contract takes a place in a group to which the child moves at `now`."""
    vacancy = contract.referral.bid.vacancy
    return max(school_year(place_day(vacancy)), school_year(vacancy.locality.day(now)))


def transfer(
    contract: Contract,
    *,
    target: Group,
    reason: str,
    is_agreed: bool = False,
    actor: User,
    now: datetime,
) -> Transfer:
    """Move an enrolled child to another group of its kindergarten that has a place for it beside all that is promised.

    Its old place is free, or goes to the next of an award, as when a child leaves (`giving_up.give_up_place`).
    `is_agreed`: the family has agreed in writing to a language that the application does not name; the event and the
    journal say so. Raises `Refused`: REASON_MISSING, GONE_ON for a contract that has ended, OTHER_GROUP_NEEDED,
    `why_not_suited`, GROUP_CLOSED, GROUP_FULL. Locks the application, the referral, both groups in the order of their
    keys, then the vacancy.
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application, referral, contract = _lock(contract)
        if refusal := why_not_to(target, contract, application, is_agreed=is_agreed, now=now):
            raise Refused(refusal)
        made = _carry_over(
            contract, referral, target, reason=reason.strip(), undoes=None, actor=actor, now=now
        )
        by_consent = target.language not in application.languages
        _announce(made, application, Move.TRANSFER, by_consent=by_consent, actor=actor, now=now)
    return made


def foretell(
    contract: Contract, *, target: Group, is_agreed: bool, now: datetime
) -> dict[int, list[Occupancy]]:
    """What both groups would hold after the move, by their keys: it is made, and taken back before anybody sees it.

    Raises `Refused` and locks as `transfer`.
    """
    with locking():
        application, referral, contract = _lock(contract)
        if refusal := why_not_to(target, contract, application, is_agreed=is_agreed, now=now):
            raise Refused(refusal)
        source = contract.group
        # Whoever is named as the mover: nothing of it stays.
        _carry_over(contract, referral, target, reason="", undoes=None, actor=contract.signed_by, now=now)
        held = occupancies_of([source, target], now=now)
        transaction.set_rollback(True)
    return held


def suited_groups(contract: Contract, *, now: datetime) -> list[Group]:
    """The other open groups of the kindergarten that are for children of this age, whether or not they have a place."""
    application, kindergarten = contract.referral.application, contract.group.kindergarten
    groups = Group.objects.filter(kindergarten=kindergarten).select_related("kindergarten__locality")
    closings = list(running(kindergarten))
    return [
        group
        for group in groups.order_by("age_group", "name")
        if why_not_to(group, contract, application, is_agreed=True, now=now) is None
        and not any(covers(one, group) for one in closings)
    ]


def why_not_to(
    target: Group, contract: Contract, application: Application, *, is_agreed: bool, now: datetime
) -> Refusal | None:
    """Why the child can't move to a group, whether or not it has a place."""
    if target.pk == contract.group.pk or target.kindergarten_id != contract.group.kindergarten_id:
        return Refusal.OTHER_GROUP_NEEDED
    return why_not_suited(
        birth_year=application.birth_year,
        languages=application.languages,
        age_group=target.age_group,
        language=target.language,
        is_agreed=is_agreed,
        on=application.locality.day(now),
    )


def why_no_place(target: Group, contract: Contract, *, now: datetime) -> Refusal | None:
    """Why a group has no place for a child who comes from another one. Certain with the group's lock."""
    if is_closed(target):
        return Refusal.GROUP_CLOSED
    return Refusal.GROUP_FULL if room_in(target, year=year_of(contract, now=now), now=now) <= 0 else None


def undoable(contract: Contract) -> Transfer | None:
    """The newest move of a running contract, if it can be taken for a mistake: not if it undid another one."""
    newest = Transfer.objects.filter(contract=contract).order_by("at", "pk").last()
    has_ended = contract.ended_at is not None
    return None if newest is None or has_ended or newest.undoes_id is not None else newest


def undo_transfer(contract: Contract, *, reason: str, actor: User, now: datetime) -> Transfer:
    """Move a child back to the group from which it came last, which must have a place for it.

    Raises `Refused`: REASON_MISSING, GONE_ON where there is nothing to undo, GROUP_CLOSED, GROUP_FULL. Locks as
    `transfer`.
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application, referral, contract = _lock(contract)
        before = undoable(contract)
        if before is None:
            raise Refused(Refusal.GONE_ON)
        made = _carry_over(
            contract, referral, before.source, reason=reason.strip(), undoes=before, actor=actor, now=now
        )
        _announce(made, application, Move.UNDO_TRANSFER, by_consent=False, actor=actor, now=now)
    return made


def _lock(contract: Contract) -> tuple[Application, Referral, Contract]:
    application = lock_application(contract.referral.application_id)
    referral = lock_referral(contract.referral_id)
    if referral.state != ReferralState.SIGNED:
        raise Refused(Refusal.GONE_ON)
    contract = Contract.objects.select_related("moved_to__kindergarten").get(referral=referral)
    contract.referral = referral
    return application, referral, contract


def _carry_over(
    contract: Contract,
    referral: Referral,
    target: Group,
    *,
    reason: str,
    undoes: Transfer | None,
    actor: User,
    now: datetime,
) -> Transfer:
    source, bid = contract.group, referral.bid
    target = lock_places_of([source.pk, target.pk], now=now)[target.pk]
    held_seat = bid.holds_seat
    # Who comes back takes the place of its own vacancy again, if that is still there.
    is_own = not held_seat and target.pk == bid.vacancy.group_id and take_back(bid, now=now)
    if not is_own and (refusal := why_no_place(target, contract, now=now)):
        raise Refused(refusal)
    contract.moved_to = None if is_own else target
    contract.save(update_fields=["moved_to"])
    made = Transfer.objects.create(
        contract=contract, source=source, target=target, at=now, by=actor, reason=reason, undoes=undoes
    )
    if held_seat:
        give_up_place(bid, actor=actor, now=now)
    return made


_ACTIONS: Final = {
    (Move.TRANSFER, False): Action.TRANSFERRED,
    (Move.TRANSFER, True): Action.TRANSFERRED_BY_CONSENT,
    (Move.UNDO_TRANSFER, False): Action.TRANSFER_UNDONE,
}


def _announce(
    made: Transfer, application: Application, step: Move, *, by_consent: bool, actor: User, now: datetime
) -> None:
    data: dict[str, Any] = {
        "referral": str(made.contract.referral_id),
        "transfer": made.pk,
        "from": made.source_id,
        "to": made.target_id,
    }
    if by_consent:
        data["is_agreed"] = True
    event = move(application, step, actor=actor, now=now, reason=made.reason, data=data)
    announce(
        event,
        "transferred" if step == Move.TRANSFER else "transfer_undone",
        _ACTIONS[step, by_consent],
        kindergarten=made.target.kindergarten,
        group=made.target,
        source=made.source,
        reason=made.reason,
    )
