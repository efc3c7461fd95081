"""The end of a pause: places whose opening it stopped get a new announced time, and families are told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet

from accounts.models import User
from applications.bidding.eligibility import is_inside
from applications.bidding.obstacles import publication_lead, too_early
from applications.bidding.publication import matching_queue
from applications.models import Application
from applications.moves import locking
from bulletin import services
from bulletin.models import MovedOpening, Pause, Vacancy
from bulletin.reopening import NewOpening, is_stopped
from notifications.broker import wake_on_commit

TELL_TASK: Final = "applications.tasks.tell_moved_openings"


def resume(
    pause: Pause, *, new_opening: NewOpening | None = None, actor: User, now: datetime
) -> list[Vacancy]:
    """End a pause (`bulletin.services.resume_bidding`). Returns the vacancies whose deadlines moved.

    A new opening is announced as early as a publication would have to be (`Rules.publication_lead_hours`); raises
    ValidationError for an earlier one, and then nothing has changed. A worker tells the families
    (`jobs.telling.tell_moved_openings`).
    """
    with locking():
        moved = services.resume_bidding(pause, new_opening=new_opening, actor=actor, now=now)
        openings = list(pause.moved_openings.select_related("vacancy__group__kindergarten__locality"))
        for opening in openings:
            refuse_too_early(opening.vacancy, opening.becomes, now=now)
        if openings:
            wake_on_commit(TELL_TASK)
    return moved


def stopped_by(pause: Pause, *, now: datetime) -> tuple[list[Vacancy], int]:
    """The vacancies that get a new opening if `pause` ends at `now`, and how many others go on at once."""
    running = list(Pause.objects.filter(ended_at=None))
    touched = [
        vacancy
        for vacancy in services.touched_by(pause)
        if services.end_of_effect(pause, vacancy, running=running, now=now) is not None
    ]
    stopped = [vacancy for vacancy in touched if is_stopped(vacancy, since=pause.started_at)]
    return stopped, len(touched) - len(stopped)


def openings_to_tell(*, now: datetime) -> QuerySet[MovedOpening]:
    """Moved openings still ahead at `now` of which the families have not been told; one moved again is not told of."""
    still_ahead = MovedOpening.objects.filter(
        told_at=None,
        becomes__gt=now,
        vacancy__opens_at=F("becomes"),
        vacancy__state=Vacancy.State.PUBLISHED,
    )
    # Every family is compared with the heads of the queue (`opens_to`).
    return still_ahead.select_related("vacancy__group__kindergarten__locality", "pause").prefetch_related(
        "vacancy__cutoffs"
    )


def concerned(openings: Iterable[MovedOpening]) -> dict[Application, list[MovedOpening]]:
    """The waiting applications that match at least one of the moved places, each with those that it matches."""
    found: dict[Application, list[MovedOpening]] = {}
    for opening in openings:
        for birth_year in opening.vacancy.birth_years:
            for application in matching_queue(opening.vacancy, birth_year).select_related(
                "child", "locality"
            ):
                found.setdefault(application, []).append(opening)
    return found


def opens_to(application: Application, opening: MovedOpening) -> bool:
    """Whether the place opens to this application at that time, and not only after its priority window."""
    vacancy = opening.vacancy
    return vacancy.priority_until is None or is_inside(application, vacancy.cutoffs.all())


def refuse_too_early(vacancy: Vacancy, opens_at: datetime, *, now: datetime) -> None:
    """Raise ValidationError for a new opening that is announced too shortly before."""
    earliest = now + publication_lead(vacancy.locality, now=now)
    if opens_at < earliest:
        raise ValidationError(too_early(vacancy.locality, earliest=earliest))
