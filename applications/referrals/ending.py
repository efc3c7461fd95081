"""How a referral ends: by a contract, by the kindergarten, or with its last day."""

import logging
from datetime import datetime
from functools import lru_cache
from typing import Any

from accounts.models import User
from applications.bidding.ending import release_seat
from applications.journal_actions import Action
from applications.models import Application, Contract, Referral, StopListEntry
from applications.moves import (
    Refused,
    announce,
    lock_application,
    lock_referral,
    lock_vacancy,
    locking,
    move,
)
from applications.referrals.asked import close_requests
from applications.referrals.days_off import lengthen_referral
from applications.referrals.due import last_day_of
from applications.referrals.numbering import refuse_used
from applications.referrals.stops import stop_days_of
from applications.referrals.stored_paper import take_paper_away
from applications.refusals import Refusal
from applications.states import HAS_PAPER, Move, ReferralState
from bulletin.calendar import working_calendar
from bulletin.closings import closing_of, is_closed
from bulletin.models import Closing
from bulletin.workdays import end_of_day
from children.access import is_own_child

logger = logging.getLogger(__name__)


def sign_contract(referral: Referral, *, actor: User, contract_number: str = "", now: datetime) -> Contract:
    """The family came with its papers in time: the child is enrolled.

    Raises `Refused` (REFERRAL_ENDED, GROUP_CLOSED), and `ValidationError` for a number that another contract of the
    kindergarten has. Locks the application, the referral, then the kindergarten's row: its contracts are numbered one
    by one.
    """
    with locking():
        application = lock_application(referral.application_id)
        referral = lock_referral(referral.pk)
        if not referral.is_valid(now=now):
            raise Refused(Refusal.REFERRAL_ENDED)
        # Read without the group's lock: a closing that is not seen here yet tells the family afterwards.
        if is_closed(referral.bid.vacancy.group):
            raise Refused(Refusal.GROUP_CLOSED)
        number = contract_number.strip() or referral.number
        refuse_used(number, referral.bid.vacancy.group.kindergarten)
        _end_referral(referral, application, ReferralState.SIGNED, at=now)
        contract = Contract.objects.create(
            referral=referral,
            number=number,
            signed_at=now,
            signed_by=actor,
        )
        event = move(
            application, Move.SIGN_CONTRACT, actor=actor, now=now, data={"referral": str(referral.pk)}
        )
        group = referral.bid.vacancy.group
        announce(
            event,
            "contract_signed",
            Action.CONTRACT_SIGNED,
            child=application.child,
            kindergarten=group.kindergarten,
            group=group,
            contract=contract,
        )
    return contract


def revoke_referral(referral: Referral, *, actor: User, reason: str, now: datetime) -> Application:
    """Revoke a valid referral for the kindergarten: the family waits at its original date, without a penalty."""
    if not reason.strip():
        raise Refused(Refusal.REASON_MISSING)
    with locking():
        application = lock_application(referral.application_id)
        referral = lock_referral(referral.pk)
        if not referral.is_valid(now=now):
            raise Refused(Refusal.REFERRAL_ENDED)
        data = {"referral": str(referral.pk)}
        if referral.held_since is not None:
            data["held_since"] = referral.held_since.isoformat()
        _end_referral(referral, application, ReferralState.REVOKED, at=now, reason=reason.strip())
        release_seat(referral.bid, now=now)
        event = move(
            application,
            Move.REVOKE_REFERRAL,
            actor=actor,
            now=now,
            reason=reason.strip(),
            data=data,
        )
        announce(
            event,
            "referral_revoked",
            Action.REFERRAL_REVOKED,
            vacancy=referral.bid.vacancy,
            reason=reason.strip(),
        )
    return application


def close_referral(referral: Referral, closing: Closing, *, now: datetime) -> bool:
    """End a referral because its group closes: the family waits at its original date; whether it was ended.

    Never a penalty: only one that had run out before the closing was decided is left to `expire_referral`. Does nothing
    once the closing is over. Locks the application, the referral, then the vacancy.
    """
    with locking():
        application = lock_application(referral.application_id)
        referral = lock_referral(referral.pk)
        if referral.state != ReferralState.ISSUED or not referral.is_extendable(now=closing.decided_at):
            return False
        # The end of a closing takes this lock first, too.
        lock_vacancy(referral.bid.vacancy_id)
        if not Closing.objects.filter(pk=closing.pk, state=Closing.State.RUNNING).exists():
            return False
        _write_closed(application, referral, closing, now=now)
    return True


def _write_closed(application: Application, referral: Referral, closing: Closing, *, now: datetime) -> None:
    data: dict[str, Any] = {"referral": str(referral.pk), "closing": closing.pk}
    if referral.held_since is not None:
        data["held_since"] = referral.held_since.isoformat()
    _end_referral(referral, application, ReferralState.REVOKED, at=now, reason=closing.reason)
    release_seat(referral.bid, now=now)
    # It is no decision about one family: who decided it may be a guardian of one of the children.
    official = closing.decided_by
    actor = None if is_own_child(official, application.child) else official
    event = move(application, Move.REVOKE_REFERRAL, actor=actor, now=now, reason=closing.reason, data=data)
    announce(
        event,
        "referral_closed",
        Action.REFERRAL_CLOSED,
        vacancy=referral.bid.vacancy,
        reason=closing.reason,
        closing=closing,
    )


def expire_referral(referral: Referral, *, now: datetime) -> Application:
    """End a referral whose last day is over: the place is free, the application is in the stop-list.

    The stop runs from the end of the referral, not from the moment of this call, to the end of the tenth working day
    after the referral's last day (`stop_days_of`). Does nothing while it is valid or held, while papers that were
    handed in in time are still on their way, or after it ended. Where a day off was added that nobody has given to the
    family yet, it gets it now. Where the group closed while it was valid, that ends it, without a stop. Raises
    `Refused(CALENDAR)`.
    """
    with locking():
        application = lock_application(referral.application_id)
        referral = lock_referral(referral.pk)
        if referral.state != ReferralState.ISSUED or referral.is_extendable(now=now):
            return application
        closing = closing_of(referral.bid.vacancy.group)
        if closing is not None and referral.is_extendable(now=closing.decided_at):
            _write_closed(application, referral, closing, now=now)
            return application
        if lengthen_referral(referral, now=now):
            referral = lock_referral(referral.pk)
            application = lock_application(referral.application_id)
            if referral.is_extendable(now=now):
                return application
        last_day = last_day_of(referral)
        days = stop_days_of(referral)
        last_stop_day = working_calendar().add(last_day, days)
        _end_referral(referral, application, ReferralState.EXPIRED, at=referral.valid_until)
        release_seat(referral.bid, now=now)
        StopListEntry.objects.create(
            application=application,
            referral=referral,
            starts_at=referral.valid_until,
            until=end_of_day(last_stop_day, application.locality.zone),
        )
        event = move(
            application, Move.EXPIRE_REFERRAL, actor=None, now=now, data={"referral": str(referral.pk)}
        )
        announce(
            event,
            "stop_started",
            Action.REFERRAL_EXPIRED,
            Action.STOP_STARTED,
            days=days,
            last_day=last_stop_day,
        )
    return application


def expire_or_leave(referral: Referral, *, now: datetime) -> Application | None:
    """`expire_referral`, or None: left for later where the calendar of working days ends before the stop would.

    Then nothing has changed. The log names each such referral once; `health` names the calendar.
    """
    try:
        return expire_referral(referral, now=now)
    except Refused as refused:
        if refused.reason != Refusal.CALENDAR:
            raise
        _log_left(referral.number)
        return None


@lru_cache(maxsize=1000)
def _log_left(number: str) -> None:
    logger.error("referral %s can't end yet: the calendar of working days is not loaded that far", number)


def _end_referral(
    referral: Referral, application: Application, state: ReferralState, *, at: datetime, reason: str = ""
) -> None:
    referral.state, referral.ended_at, referral.reason, referral.held_since = state, at, reason, None
    if state not in HAS_PAPER:
        take_paper_away(referral)
    referral.save(update_fields=["state", "ended_at", "reason", "held_since", "pdf"])
    close_requests(referral, application, now=at)
