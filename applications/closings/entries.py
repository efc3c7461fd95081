"""What the journal says of a closing, and of the vacancies that it recalls."""

from datetime import datetime
from typing import Final

from accounts import audit
from accounts.models import User
from bulletin.journal_actions import Action
from bulletin.models import Closing, Vacancy

_ENTRIES: Final = {
    Closing.State.RUNNING: Action.CLOSING_DECIDED,
    Closing.State.REOPENED: Action.CLOSING_REOPENED,
    Closing.State.UNDONE: Action.CLOSING_UNDONE,
}


def record(closing: Closing, *, actor: User, reason: str, now: datetime) -> None:
    """Enter into its history that a closing has come to its present state."""
    action = _ENTRIES[Closing.State(closing.state)]
    audit.record(action, actor=actor, target=str(closing), reason=reason, about=closing, now=now)


def record_recall(vacancy: Vacancy, *, actor: User, reason: str, now: datetime) -> None:
    """Enter into its history that a vacancy was recalled."""
    action = Action.VACANCY_RECALLED
    audit.record(action, actor=actor, target=str(vacancy), reason=reason, about=vacancy, now=now)
