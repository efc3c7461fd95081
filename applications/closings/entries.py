"""What the journal says of a closing, and of the vacancies that it recalls."""

from datetime import date, datetime
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


def record_move(closing: Closing, before: tuple[date, date | None], *, actor: User, now: datetime) -> None:
    """Enter into its history that a closing has other days: those of before, and those of now."""
    told = (*before, closing.starts_on, closing.reopens_on)
    days = [f"{day:%d.%m.%Y}" if day else "…" for day in told]
    reason = f"{days[0]}–{days[1]} → {days[2]}–{days[3]}"
    audit.record(
        Action.CLOSING_MOVED, actor=actor, target=str(closing), reason=reason, about=closing, now=now
    )


def last_move(closing: Closing) -> str:
    """From which days to which a closing was moved last, as its history says; empty if it never was."""
    moved = audit.history_of(closing).filter(action=Action.CLOSING_MOVED).first()
    return moved.reason if moved else ""


def record_recall(vacancy: Vacancy, *, actor: User, reason: str, now: datetime) -> None:
    """Enter into its history that a vacancy was recalled."""
    action = Action.VACANCY_RECALLED
    audit.record(action, actor=actor, target=str(vacancy), reason=reason, about=vacancy, now=now)


def record_return(vacancy: Vacancy, closing: Closing, *, now: datetime) -> None:
    """Enter into its history that a vacancy is recalled no longer, since the closing is undone."""
    action, reason = Action.VACANCY_RETURNED, closing.end_reason
    audit.record(action, actor=closing.ended_by, target=str(vacancy), reason=reason, about=vacancy, now=now)


def closed_before(vacancy: Vacancy) -> datetime | None:
    """When a vacancy was closed by hand, before a closing recalled it; None if it was in the bulletin."""
    endings = audit.history_of(vacancy).filter(action__in=(Action.VACANCY_CLOSED, Action.VACANCY_PUBLISHED))
    last = endings.first()
    return last.at if last and last.action == Action.VACANCY_CLOSED else None
