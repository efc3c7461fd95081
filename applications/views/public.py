"""A place of the bulletin as this family sees it, the bulletin as a file and a feed, the register of referrals."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from applications.access.family import pending_bid
from applications.bidding.eligibility import refusal_at_opening, why_not
from applications.bulletin_feed import atom, heading, row
from applications.models import Application
from applications.public_csv import csv_response
from applications.queue.public_order import FEW
from applications.referrals.register import register_rows, registered
from applications.refusals import Refusal
from applications.views.offers import offer, public_vacancies, similar_offers
from applications.views.people import enrolled_applications, live_applications, waiting_for
from bulletin.forms import BulletinFilterForm
from bulletin.models import Vacancy
from bulletin.moment import shared_page
from bulletin.opening import BIDDING_PHASES, Phase
from bulletin.selectors import PLACE_COOKIE, chosen_locality, published_vacancies, running_pauses
from notifications.clock import estimate_clock

PAGE_SIZE = 20
FEED_SIZE = 50


@dataclass(frozen=True)
class Verdict:
    """Whether one child of the family may get a place of this vacancy, and if not, why."""

    application: Application
    refusal: Refusal | None
    is_sent: bool


@require_safe
def bulletin_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The list as a file, by the same filters; "available to me" is all there, for a file belongs to nobody."""
    now = estimate_clock()
    vacancies = _public_list(request, now=now)
    rows = (row(vacancy, now=now) for vacancy in vacancies.iterator(chunk_size=500))
    return csv_response(filename="bulletin.csv", heading=heading(), rows=rows)


@require_safe
def bulletin_atom(request: HttpRequest) -> HttpResponse:
    """The newest vacancies as an Atom feed, by the same filters."""
    now = estimate_clock()
    newest = _public_list(request, now=now).order_by("-published_at", "id")[:FEED_SIZE]
    feed = atom(
        newest,
        title=_("Bulletin of vacant places"),
        page=request.build_absolute_uri(reverse("applications:bulletin")),
        address=request.build_absolute_uri(),
        now=now,
    )
    return HttpResponse(feed, content_type="application/atom+xml; charset=utf-8")


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
    family = live_applications(request, now=now)
    # Whose only child has a place already is told so, and not asked to file an application.
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
        "pauses": running_pauses(vacancy.locality),
        "is_collected": is_collected,
        "bids": vacancy.bids.count() if is_collected else None,
        "others": [] if is_for_them else similar_offers(vacancy, family=family, now=now),
    }


@require_safe
def referral_register(request: HttpRequest) -> HttpResponse:
    """The referrals of the months that are over, without names."""
    page = Paginator(registered(now=estimate_clock()), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": register_rows(page.object_list), "few": FEW}
    return render(request, "applications/register.html", context)


def _public_list(request: HttpRequest, *, now: datetime) -> QuerySet[Vacancy]:
    """What everyone would see under the filters of the address."""
    chosen = BulletinFilterForm(request.GET, locality=chosen_locality(request)).values
    status = "open" if chosen["status"] == "open" else "all"
    return published_vacancies(**chosen | {"status": status}, now=now)


def _verdict(application: Application, vacancy: Vacancy, *, now: datetime) -> Verdict:
    bid = pending_bid(application)
    is_sent = bid is not None and bid.vacancy_id == vacancy.pk
    refusal = why_not(application, vacancy, now=now)
    if refusal == Refusal.NOT_OPEN_YET:
        # What the opening will not change is said beforehand.
        refusal = refusal_at_opening(application, vacancy) or refusal
    return Verdict(application, refusal, is_sent)
