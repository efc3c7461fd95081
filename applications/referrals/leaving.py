"""The child leaves the kindergarten: its contract ends, and its place is free."""

from datetime import date, datetime

from accounts.models import User
from applications.bidding.giving_up import give_up_place
from applications.journal_actions import Action
from applications.models import Contract
from applications.moves import Refused, announce, lock_application, lock_referral, locking, move
from applications.refusals import Refusal
from applications.rules.leaving import why_not_left
from applications.states import Move, ReferralState


def end_contract(contract: Contract, *, left_on: date, reason: str, actor: User, now: datetime) -> Contract:
    """End a contract because the child left on a day, today at the latest; the application goes to the archive.

    The place is free, or goes to the next of an award, as far as the group has room (`giving_up.give_up_place`).
    Raises `Refused` (REASON_MISSING, GONE_ON for one that has ended or was undone, LEFT_BEFORE, LEFT_IN_FUTURE). Locks
    the application, the referral, the group, then the vacancy.
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application = lock_application(contract.referral.application_id)
        referral = lock_referral(contract.referral_id)
        if referral.state != ReferralState.SIGNED:
            raise Refused(Refusal.GONE_ON)
        contract = Contract.objects.get(referral=referral)
        place = application.locality
        refusal = why_not_left(left_on, signed_on=place.day(contract.signed_at), today=place.day(now))
        if refusal is not None:
            raise Refused(refusal)
        contract.left_on, contract.ended_at, contract.ended_by = left_on, now, actor
        contract.end_reason = reason.strip()
        contract.save()
        referral.state = ReferralState.ENDED
        referral.save(update_fields=["state"])
        # A child who has moved to another group holds none of its vacancy any more.
        if referral.bid.holds_seat:
            give_up_place(referral.bid, actor=actor, now=now)
        event = move(
            application,
            Move.END_CONTRACT,
            actor=actor,
            now=now,
            reason=contract.end_reason,
            data={"referral": str(referral.pk), "left_on": left_on.isoformat()},
            archived_at=now,
        )
        group = contract.group
        announce(
            event,
            "contract_ended",
            Action.CONTRACT_ENDED,
            kindergarten=group.kindergarten,
            group=group,
            left_on=left_on,
            reason=contract.end_reason,
        )
    return contract
