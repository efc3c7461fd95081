"""What is halted for a child while a guardian is disputed, for pages to show. `guardianships` decides."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from applications.models import Application
from applications.preview import is_preview
from applications.states import BEGINNING, BY_GUARDIANS, CHOOSING, COSTLY, Move, is_allowed
from children.disputes import Undecided, undecided_among


def dispute_of(application: Application, *, now: datetime) -> Undecided | None:
    """What an official has yet to decide about a guardian of the application's child, in its locality's days."""
    return disputes_among([application], now=now).get(application.pk)


def disputes_among(applications: Iterable[Application], *, now: datetime) -> dict[UUID, Undecided]:
    """`dispute_of` each of these applications that has one. One statement."""
    asked = list(applications)
    found = undecided_among({one.child_id: one.locality.zone for one in asked}, now=now)
    return {one.pk: found[one.child_id] for one in asked if one.child_id in found}


def may_now(application: Application, step: Move) -> bool:
    """Whether a page may offer this move: its state allows it, the portal is open, it is claimed, nothing halts it.

    `application` comes from `access`, with what a dispute means for the user.
    """
    return (
        is_allowed(step, application.state)
        and not (step in BY_GUARDIANS and (is_preview() or not application.is_claimed))
        and not (step in COSTLY and application.asker_is_bound)
        and not (step in CHOOSING and not application.asker_may_choose)
        and not (step in BEGINNING and not application.asker_may_begin)
    )
