"""What can be undone: when, and how."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from applications.models import Application, Bid, UndoRequest
from applications.refusals import Refusal


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
