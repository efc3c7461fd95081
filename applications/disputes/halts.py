"""What is halted for a child while a guardian is disputed, as pages tell it. `guardianships` decides."""

from dataclasses import dataclass
from datetime import date, datetime

from applications.models import Application
from applications.states import COSTLY, Move, is_allowed
from children.disputes import halting


@dataclass(frozen=True)
class Halt:
    """Costly acts are halted: until which local day an official decides, and whether that day is over."""

    last_day: date
    is_late: bool


def halt_of(application: Application, *, now: datetime) -> Halt | None:
    """What halts costly acts for the child of `application`; of several disputes the one that is decided last."""
    dispute = halting(application.child).first()
    if dispute is None:
        return None
    last_day = application.locality.day(dispute.last_moment)
    return Halt(last_day=last_day, is_late=now >= dispute.due_at)


def may_now(application: Application, step: Move, *, is_halted: bool) -> bool:
    """Whether a page may offer this move: it is allowed in the present state, and nothing halts it."""
    return is_allowed(step, application.state) and not (step in COSTLY and is_halted)
