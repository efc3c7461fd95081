"""Whether an application may bid for a vacancy, and if not, why."""

from datetime import datetime

from applications.models import Application, PriorityCutoff
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState
from bulletin.models import Vacancy
from bulletin.opening import Phase, phase

_STATE_REFUSALS = {
    ApplicationState.BID_PLACED: Refusal.BID_UNDER_WAY,
    ApplicationState.REFERRED: Refusal.REFERRAL_UNDER_WAY,
    ApplicationState.ENROLLED: Refusal.ENROLLED,
    ApplicationState.STOP_LISTED: Refusal.STOP_LISTED,
    ApplicationState.LAPSED: Refusal.LAPSED,
    ApplicationState.ARCHIVED: Refusal.ARCHIVED,
}

_PHASE_REFUSALS = {
    Phase.ANNOUNCED: Refusal.NOT_OPEN_YET,
    Phase.FULL: Refusal.FULL,
    Phase.PAUSED: Refusal.PAUSED,
}

_END_REFUSALS = {
    Phase.DRAFT: Refusal.NOT_PUBLISHED,
    Phase.RECALLED: Refusal.RECALLED,
    Phase.CLOSED: Refusal.CLOSED,
}


def why_not(application: Application, vacancy: Vacancy, *, now: datetime) -> Refusal | None:
    """The first reason for which `application` can't bid for `vacancy` at `now`, or None when it can.

    From what never changes to what soon may: an ended vacancy, a mismatch, the application's own state, the opening
    and the seats, a pause, the priority window. Asks the database only about a pause, an earlier refusal and, in the
    priority window, about the cut-offs (take vacancies `with_pauses` and prefetch `application.bids` and
    `vacancy.cutoffs` for lists).
    """
    now_in = phase(vacancy, now=now)
    return (
        _END_REFUSALS.get(now_in)
        or mismatch(application, vacancy)
        or _STATE_REFUSALS.get(ApplicationState(application.state))
        or _PHASE_REFUSALS.get(now_in)
        or _refused_before(application, vacancy)
        or (Refusal.PRIORITY if now_in == Phase.PRIORITY and not is_inside(application, vacancy) else None)
    )


def refusal_at_opening(application: Application, vacancy: Vacancy) -> Refusal | None:
    """What will still be in the way once an announced vacancy opens; a pause may be over by then and is none."""
    refusal = why_not(application, vacancy, now=vacancy.opens_at)
    return None if refusal == Refusal.PAUSED else refusal


def mismatch(application: Application, vacancy: Vacancy) -> Refusal | None:
    """Which of locality, birth year and language of a place differs from the application's, if any."""
    if application.locality_id != vacancy.group.kindergarten.locality_id:
        return Refusal.OTHER_LOCALITY
    if application.birth_year not in vacancy.birth_years:
        return Refusal.OTHER_BIRTH_YEAR
    if vacancy.group.language not in application.languages:
        return Refusal.OTHER_LANGUAGE
    return None


def is_inside(application: Application, vacancy: Vacancy) -> bool:
    """Whether the application stands in the head of the queue for which the priority window is."""
    return any(_reaches(cutoff, application) for cutoff in vacancy.cutoffs.all())


def _reaches(cutoff: PriorityCutoff, application: Application) -> bool:
    return (
        cutoff.birth_year == application.birth_year
        and cutoff.tier == application.tier
        and (application.filed_at, application.sequence) <= (cutoff.filed_at, cutoff.sequence)
    )


def _refused_before(application: Application, vacancy: Vacancy) -> Refusal | None:
    refused = any(
        bid.vacancy_id == vacancy.pk and bid.state == BidState.REJECTED for bid in application.bids.all()
    )
    return Refusal.REJECTED_HERE if refused else None
