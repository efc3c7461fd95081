"""Who is asking, as the page functions need it."""

from datetime import datetime

from django.http import HttpRequest

from accounts.models import User
from applications.access import applications_of
from applications.models import Application
from applications.states import LIVE_STATES
from applications.transitions import settle


def parent(request: HttpRequest) -> User:
    """The signed-in parent of a view under `parent_required`."""
    assert isinstance(request.user, User)
    return request.user


def live_applications(request: HttpRequest, *, now: datetime) -> list[Application]:
    """The live applications of whoever is asking, oldest child first, brought up to `now`; none for a visitor."""
    if not isinstance(request.user, User):
        return []
    live = (
        applications_of(request.user)
        .filter(state__in=LIVE_STATES)
        .order_by("child__birth_date", "child_id")
        .prefetch_related("bids")
    )
    settled = [settle(application, now=now) for application in live]
    return [application for application in settled if application.state in LIVE_STATES]
