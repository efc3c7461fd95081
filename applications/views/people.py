"""The signed-in user, as views need them."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from applications.access.family import Withheld, application_for, applications_of, settled_for, with_standing
from applications.bidding.eligibility import refusal_at_opening, why_not
from applications.models import Application
from applications.refusals import Refusal
from applications.states import LIVE_STATES, ApplicationState
from bulletin.models import Vacancy
from children.access import known_children


def parent(request: HttpRequest) -> User:
    """The signed-in parent of a view under `parent_required`."""
    assert isinstance(request.user, User)
    return request.user


def own_application(request: HttpRequest, pk: UUID, *, now: datetime) -> Application:
    """One application of the family, as `application_for` gives it; the page tells times as they are in its place.

    Raises `Withheld`, which `WithheldMiddleware` answers.
    """
    application = application_for(parent(request), pk, now=now)
    timezone.activate(application.locality.zone)
    if not application.asker_may_know:
        raise Withheld(application)
    return application


def live_applications(request: HttpRequest, *, now: datetime) -> list[Application]:
    """The user's live applications, oldest child first, brought up to `now`; none for a visitor, none withheld."""
    if not isinstance(request.user, User):
        return []
    live = (
        applications_of(request.user)
        .filter(state__in=LIVE_STATES)
        .order_by("child__birth_date", "child_id")
        .prefetch_related("bids")
    )
    settled = settled_for(request.user, live, now=now)
    return [one for one in settled if one.state in LIVE_STATES and one.asker_may_know]


def enrolled_applications(request: HttpRequest) -> list[Application]:
    """The user's applications that ended with a place; none for a visitor, none withheld."""
    if not isinstance(request.user, User):
        return []
    enrolled = applications_of(request.user).filter(state=ApplicationState.ENROLLED).prefetch_related("bids")
    return [one for one in with_standing(request.user, list(enrolled)) if one.asker_may_know]


def withheld_applications(request: HttpRequest) -> list[Application]:
    """The user's applications whose state is withheld from them; none for a visitor."""
    if not isinstance(request.user, User):
        return []
    present = applications_of(request.user).exclude(state=ApplicationState.ARCHIVED)
    withheld = present.exclude(child__in=known_children(request.user.pk))
    return with_standing(request.user, list(withheld))


def waiting_for(vacancy: Vacancy, family: Iterable[Application], *, now: datetime) -> list[Application]:
    """Those of the family's applications that can bid as soon as this announced vacancy opens."""
    return [
        application
        for application in family
        if why_not(application, vacancy, now=now) == Refusal.NOT_OPEN_YET
        and refusal_at_opening(application, vacancy) is None
    ]
