"""The number of a contract: used once in a kindergarten, and corrected where it was typed wrong."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from accounts import audit
from accounts.models import User
from applications.journal_actions import Action
from applications.models import Contract
from applications.moves import Refused, lock_application, lock_referral, locking, refuse_own_child, trace
from applications.refusals import Refusal
from applications.states import ReferralState
from bulletin.models import Kindergarten


def refuse_used(number: str, kindergarten: Kindergarten, *, by: Contract | None = None) -> None:
    """Lock the kindergarten; raise `ValidationError` for a number that another contract of it has than `by`."""
    Kindergarten.objects.select_for_update(no_key=True).get(pk=kindergarten.pk)
    used = Contract.objects.filter(
        number__iexact=number, referral__bid__vacancy__group__kindergarten=kindergarten
    ).select_related("referral")
    if contract := (used.exclude(pk=by.pk) if by else used).first():
        words = gettext("This contract number is in use already. Referral: %(referral)s")
        raise ValidationError(words % {"referral": contract.referral.number})


def correct_number(contract: Contract, *, number: str, reason: str, actor: User, now: datetime) -> Contract:
    """Give the contract the number that stands on its paper. Its family reads both numbers and the reason.

    Raises `Refused` (OWN_CHILD, REASON_MISSING, GONE_ON for a contract that has ended or was undone), and
    `ValidationError` for no other number or one that is in use. Locks the application, the referral, then the
    kindergarten.
    """
    number, reason = number.strip(), reason.strip()
    if not reason:
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application = lock_application(contract.referral.application_id)
        refuse_own_child(application.child, actor)
        if lock_referral(contract.referral_id).state != ReferralState.SIGNED:
            raise Refused(Refusal.GONE_ON)
        contract = Contract.objects.select_related("referral__bid__vacancy__group__kindergarten").get(
            pk=contract.pk
        )
        if not number or number == contract.number:
            raise ValidationError(gettext("The contract has this number already."))
        refuse_used(number, contract.referral.bid.vacancy.group.kindergarten, by=contract)
        before, contract.number = contract.number, number
        contract.save(update_fields=["number"])
        said = f"{before} → {number}: {reason}"
        trace(application, Action.CONTRACT_NUMBER_CORRECTED, actor=actor, now=now, reason=said)
        audit.record(
            Action.CONTRACT_NUMBER_CORRECTED,
            actor=actor,
            target=application.number,
            reason=said,
            about=contract,
            now=now,
        )
    return contract
