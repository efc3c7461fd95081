"""What falls due for a family: everything that its pages show as a last day or an opening, for its calendar."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, Max, Q, prefetch_related_objects

from accounts.models import User
from applications.access.family import applications_of, settled_for
from applications.bidding.eligibility import why_not
from applications.families.calendar_file import History
from applications.families.due import Due, DueKind
from applications.families.situation import Situation, situation_of
from applications.models import Event, Rules
from applications.refusals import Refusal
from applications.rules.ages import too_old_from, year_to_announce
from applications.states import AGEING_STATES, ApplicationState, BenefitState
from bulletin.models import Vacancy
from bulletin.selectors import published_vacancies

# Of the places that will open: the first ones. A family of a large city would have hundreds.
MOST_OPENINGS: Final = 20


def dues_of(situation: Situation, *, vacancy: UUID | None = None) -> list[Due]:
    """What falls due for one application: its deadline, as its page shows it, and what else is shown with a time.

    Of openings the first ones or, with `vacancy`, those of this place.
    """
    deadline = situation.deadline
    shown = [deadline.due if deadline else None, situation.award]
    return [
        *(due for due in shown if due is not None),
        *_benefits(situation),
        *_openings(situation, vacancy),
        *_school_age(situation),
    ]


def dues_of_family(user: User, *, now: datetime) -> list[Due]:
    """The same for all applications of a family whose state `user` may know, brought up to `now`."""
    present = applications_of(user).exclude(state=ApplicationState.ARCHIVED).prefetch_related("bids")
    settled = settled_for(user, present, now=now)
    shown = [one for one in settled if one.asker_may_know and one.state != ApplicationState.ARCHIVED]
    return [due for one in shown for due in dues_of(situation_of(one, now=now))]


def histories_of(applications: Iterable[UUID]) -> dict[UUID, History]:
    """How often each of these has changed, and when last. One query."""
    rows = Event.objects.filter(application__in=set(applications)).values_list("application")
    counted = rows.annotate(changes=Count("pk"), changed_at=Max("at"))
    return {pk: History(changes, changed_at) for pk, changes, changed_at in counted.order_by()}


def _benefits(situation: Situation) -> Iterator[Due]:
    place = situation.application.locality
    verified = situation.application.benefits.filter(state=BenefitState.VERIFIED)
    for pk, until in verified.filter(valid_until__gt=situation.now).values_list("pk", "valid_until"):
        assert until is not None
        yield situation.due(DueKind.BENEFIT, pk, place.last_day(until))


def _openings(situation: Situation, only: UUID | None) -> Iterator[Due]:
    """When places open for which the family may bid then, and when one for the head of the queue opens to all."""
    application, now = situation.application, situation.now
    if not situation.may_bid:
        return
    ahead = published_vacancies(
        locality=application.locality, birth_year=application.birth_year, now=now
    ).filter(Q(opens_at__gt=now) | Q(priority_until__gt=now), group__language__in=application.languages)
    if only is not None:
        ahead = ahead.filter(pk=only)
    # Once for all of them, where the caller has not read them.
    prefetch_related_objects([application], "bids")
    for vacancy in ahead.order_by("opens_at", "pk").prefetch_related("cutoffs")[:MOST_OPENINGS]:
        yield from _opening(situation, vacancy)


def _opening(situation: Situation, vacancy: Vacancy) -> Iterator[Due]:
    window = vacancy.priority_until
    refusal = why_not(situation.application, vacancy, now=max(situation.now, vacancy.opens_at))
    if refusal is None and vacancy.opens_at > situation.now:
        yield situation.due(DueKind.OPENING, vacancy.pk, vacancy.opens_at, opening=vacancy)
    if refusal is None and window is not None:
        yield situation.due(DueKind.WINDOW, vacancy.pk, window, opening=vacancy)
    if refusal == Refusal.PRIORITY and window is not None:
        yield situation.due(DueKind.OPENING, vacancy.pk, window, opening=vacancy)


def _school_age(situation: Situation) -> Iterator[Due]:
    """Told from December on, as by the notice: until then rules may change it."""
    application, now = situation.application, situation.now
    if application.state not in AGEING_STATES or year_to_announce(application.locality, now=now) is None:
        return
    place = application.locality
    end = too_old_from(application.birth_year, Rules.objects.all(), locality=place, now=now)
    if end > now and place.day(end).year == place.day(now).year + 1:
        yield situation.due(DueKind.SCHOOL_AGE, application.pk, place.last_day(end))
