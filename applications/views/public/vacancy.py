"""A place of the bulletin as this family sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications.access.family import pending_bid
from applications.bidding.eligibility import refusal_at_opening, why_not
from applications.models import Application
from applications.refusals import Refusal
from applications.views.offers import offer, public_vacancies, similar_offers
from applications.views.people import enrolled_applications, live_applications, waiting_for
from bulletin.chosen_place import PLACE_COOKIE
from bulletin.models import Vacancy
from bulletin.opening import BIDDING_PHASES, Phase
from bulletin.selectors import running_pauses
from bulletin.shared_page import shared_page
from notifications.clock import estimate_clock


@dataclass(frozen=True)
class Verdict:
    """Whether one child of the family may get a place of this vacancy, and if not, why."""

    application: Application
    refusal: Refusal | None
    is_sent: bool


@require_safe
def vacancy_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One vacancy with all its fields, and the button or the reasons. For visitors it is worked out once a second."""
    now = estimate_clock()
    if request.user.is_authenticated:
        return render(request, "applications/vacancy.html", _vacancy(request, pk, now=now))
    place = request.COOKIES.get(PLACE_COOKIE)
    return shared_page(
        request,
        "applications/vacancy.html",
        key=place,
        is_signed_in=False,
        now=now,
        context=lambda: _vacancy(request, pk, now=now),
    )


def _vacancy(request: HttpRequest, pk: UUID, *, now: datetime) -> dict[str, Any]:
    vacancy = get_object_or_404(public_vacancies(), pk=pk)
    timezone.activate(vacancy.locality.zone)
    family = live_applications(request, now=now)
    # A family whose only child has a place already is told so, and not asked to file an application.
    told = family or enrolled_applications(request)
    verdicts = [_verdict(application, vacancy, now=now) for application in told]
    fitting = [verdict.application for verdict in verdicts if verdict.refusal is None]
    waiting = waiting_for(vacancy, family, now=now)
    able = fitting or waiting
    shown = offer(vacancy, family=family, now=now)
    is_collected = vacancy.mode == Vacancy.Mode.QUEUE_ORDER
    is_for_them = shown.phase in BIDDING_PHASES and (bool(able) or not verdicts)
    return {
        "vacancy": vacancy,
        "offer": shown,
        "verdicts": verdicts,
        "fitting": able,
        "only": able[0] if len(able) == 1 else None,
        "is_waiting": bool(waiting),
        "is_upcoming": shown.phase == Phase.ANNOUNCED,
        "moved_openings": vacancy.moved_openings.select_related("pause"),
        "pauses": running_pauses(vacancy.locality),
        "is_collected": is_collected,
        "bids": vacancy.bids.count() if is_collected else None,
        "others": [] if is_for_them else similar_offers(vacancy, family=family, now=now),
    }


def _verdict(application: Application, vacancy: Vacancy, *, now: datetime) -> Verdict:
    bid = pending_bid(application)
    is_sent = bid is not None and bid.vacancy_id == vacancy.pk
    refusal = why_not(application, vacancy, now=now)
    if refusal == Refusal.NOT_OPEN_YET:
        # Refusals that the opening will not change are shown beforehand.
        refusal = refusal_at_opening(application, vacancy) or refusal
    return Verdict(application, refusal, is_sent)
