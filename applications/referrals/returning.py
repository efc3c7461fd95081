"""The group of an enrolled child closes: the family chooses its number in the queue instead of the contract."""

from datetime import datetime

from django.db import IntegrityError

from accounts.models import User
from applications.bidding.giving_up import give_up_place
from applications.journal_actions import Action
from applications.models import Application, Contract
from applications.moves import Refused, announce, lock_application, lock_referral, locking, move
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import Move, ReferralState
from bulletin.closings import is_closed


def return_to_queue(contract: Contract, *, reason: str, actor: User, now: datetime) -> Application:
    """End a contract where it closes, and give the child its number back, as if it had never been awarded a place.

    The family's interest counts as confirmed now. The place is given to nobody while it is closed. Raises `Refused`:
    REASON_MISSING, NOT_CLOSED, GONE_ON for a contract that has ended, or a child with another application. Locks the
    application, the referral, the group, then the vacancy.
    """
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    try:
        with locking():
            application = lock_application(contract.referral.application_id)
            referral = lock_referral(contract.referral_id)
            if referral.state != ReferralState.SIGNED:
                raise Refused(Refusal.GONE_ON)
            contract = Contract.objects.select_related("moved_to__kindergarten").get(referral=referral)
            contract.referral = referral
            if not is_closed(contract.group):
                raise Refused(Refusal.NOT_CLOSED)
            contract.left_on, contract.ended_at, contract.ended_by = application.locality.day(now), now, actor
            contract.end_reason = reason.strip()
            contract.save()
            referral.state = ReferralState.ENDED
            referral.save(update_fields=["state"])
            if referral.bid.holds_seat:
                give_up_place(referral.bid, actor=actor, now=now)
            event = move(
                application,
                Move.RETURN_TO_QUEUE,
                actor=actor,
                now=now,
                reason=contract.end_reason,
                data={"referral": str(referral.pk)},
                interest_confirmed_at=now,
            )
            place = position(application, now=now)
            announce(
                event,
                "returned_to_queue",
                Action.RETURNED_TO_QUEUE,
                kindergarten=contract.group.kindergarten,
                group=contract.group,
                reason=contract.end_reason,
                number=place.number if place else None,
            )
    except IntegrityError as error:
        raise Refused(Refusal.GONE_ON) from error
    return application
