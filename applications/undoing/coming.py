"""The family came in time, and it was not noted before the referral ran out.

The stop is lifted at once. The family gets its place back only if one is free.
"""

from datetime import datetime
from typing import Final

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Application, Bid, Event, Referral, StopListEntry, UndoRequest
from applications.moves import announce, lock_referral, move
from applications.places.retaking import take_back
from applications.queue.position import position
from applications.referrals.coming import why_not_noted
from applications.referrals.last_day import day_to_sign
from applications.referrals.restoring import restore_referral
from applications.referrals.standstill import hold_if_halted
from applications.referrals.stops import write_lifted
from applications.refusals import Refusal
from applications.states import ApplicationState, Move
from applications.undoing.kinds import Undoing


def has_lost_its_place(referral: Referral) -> bool:
    """Whether it was confirmed that the family had come in time, but its place was not free any more.

    A stop that an official lifted for another reason says nothing about the place.
    """
    lifted = Event.objects.filter(application=referral.application_id, move=Move.LIFT_STOP)
    return lifted.filter(data__referral=str(referral.pk), data__has_key="came_on").exists()


def _is_possible(bid: Bid, application: Application) -> bool:
    return application.state == ApplicationState.STOP_LISTED and _running_stop(bid) is not None


def _why_not(request: UndoRequest, application: Application, now: datetime) -> Refusal | None:
    assert request.came_on is not None
    return why_not_noted(request.bid.referral, application, request.came_on, now=now)


def _running_stop(bid: Bid) -> StopListEntry | None:
    return StopListEntry.objects.filter(referral__bid=bid, lifted_at=None).first()


def _carry_out(request: UndoRequest, application: Application, actor: User, now: datetime) -> None:
    stop, came_on = _running_stop(request.bid), request.came_on
    assert stop is not None
    assert came_on is not None
    referral = lock_referral(request.bid.referral.pk)
    write_lifted(stop, actor=actor, reason=request.reason, now=now)
    data = {"referral": str(referral.pk), "came_on": came_on.isoformat()}
    referral.came_on = came_on
    referral.save(update_fields=["came_on"])
    if take_back(request.bid, now=now):
        last_day = day_to_sign(referral, now=now)
        restore_referral(referral, last_day=last_day)
        event = move(application, Move.CONFIRM_COMING, actor=actor, now=now, reason=request.reason, data=data)
        announce(
            event,
            "coming_confirmed",
            Action.COMING_CONFIRMED,
            Action.STOP_LIFTED,
            referral=referral,
            came_on=came_on,
            last_day=last_day,
        )
        hold_if_halted(application, now=now)
    else:
        event = move(application, Move.LIFT_STOP, actor=actor, now=now, reason=request.reason, data=data)
        place = position(application, now=now)
        announce(
            event,
            "coming_place_gone",
            Action.STOP_LIFTED,
            vacancy=request.bid.vacancy,
            came_on=came_on,
            number=place.number if place else None,
        )


UNDOING: Final = Undoing(is_possible=_is_possible, why_not=_why_not, carry_out=_carry_out, takes_place=True)
