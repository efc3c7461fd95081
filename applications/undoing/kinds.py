"""What can be undone: when, and how."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from applications.bidding.eligibility import is_unsuited
from applications.models import Application, Bid, UndoRequest
from applications.refusals import Refusal
from applications.states import ApplicationState


def is_newest(bid: Bid, application: Application) -> bool:
    """Whether the family has not applied for another place since."""
    newest = application.bids.order_by("-placed_at", "-id").first()
    return newest is not None and newest.pk == bid.pk


def may_return(bid: Bid, application: Application) -> bool:
    """Whether the family still waits, has applied nowhere since, and the place is still one for the child."""
    is_waiting = application.state == ApplicationState.WAITING
    return is_waiting and is_newest(bid, application) and not is_unsuited(application, bid.vacancy)


def nothing(_request: UndoRequest, _application: Application, _now: datetime) -> Refusal | None:
    """For what has no further condition."""
    return None


@dataclass(frozen=True)
class Undoing:
    """One kind of it.

    `is_possible(bid, application)`: whether things still stand as it left them. `why_not(request, application, now)`
    says what else stands in the way. `carry_out(request, application, actor, now)` does it inside the caller's
    `locking`, with the application and the request locked; it may raise `Refused` where a place has gone. With
    `takes_place` it takes a place that is free; otherwise the bid holds one.
    """

    is_possible: Callable[[Bid, Application], bool]
    why_not: Callable[[UndoRequest, Application, datetime], Refusal | None]
    carry_out: Callable[[UndoRequest, Application, User, datetime], None]
    takes_place: bool
