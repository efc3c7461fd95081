"""The bulletin as this family sees it, a place of it, the register of referrals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from applications.access import pending_bid
from applications.bulletin_feed import atom, heading, row
from applications.eligibility import mismatch, refusal_at_opening, why_not
from applications.models import Application, Referral
from applications.public_csv import csv_response
from applications.refusals import Refusal
from applications.selectors import available_vacancies
from applications.states import ReferralState
from applications.views.offers import offer, public_vacancies, similar_offers
from applications.views.people import live_applications, waiting_for
from bulletin.forms import BulletinFilterForm
from bulletin.models import Locality, Vacancy
from bulletin.opening import BIDDING_PHASES, Phase
from bulletin.selectors import chosen_locality, published_vacancies, running_pauses

PAGE_SIZE = 20
FEED_SIZE = 50


@dataclass(frozen=True)
class Verdict:
    """Whether one child of the family may get a place of this vacancy, and if not, why."""

    application: Application
    refusal: Refusal | None
    is_sent: bool


@require_safe
def bulletin(request: HttpRequest) -> HttpResponse:
    """The public list with its filters; «Маған қолжетімді» needs a family."""
    now = timezone.now()
    family = live_applications(request, now=now)
    is_mine = request.GET.get("status") == "me"
    place = chosen_locality(request)
    filters = BulletinFilterForm(request.GET, locality=_home(family, otherwise=place) if is_mine else place)
    chosen = filters.values
    status = chosen["status"]
    lists = {name: _vacancies(chosen, status=name, family=family, now=now) for name in ("all", "open")}
    mine = chosen if "place" in request.GET else chosen | {"locality": _home(family, otherwise=place)}
    lists["me"] = _vacancies(mine, status="me", family=family, now=now)
    page = Paginator(lists[status], PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filters": filters,
        "tabs": _tabs(request, current=status, lists=lists),
        "status": status,
        "page": page,
        "offers": [offer(vacancy, family=family, now=now) for vacancy in page],
        "family": family,
        "pauses": running_pauses(chosen["locality"]),
        "query": _feed_query(filters),
        "criteria": _criteria(family, now=now) if status == "me" and not page else [],
    }
    return render(request, "applications/bulletin.html", context)


@require_safe
def bulletin_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The list as a file, by the same filters; "available to me" is all there, for a file belongs to nobody."""
    now = timezone.now()
    vacancies = _public_list(request, now=now)
    rows = (row(vacancy, now=now) for vacancy in vacancies.iterator(chunk_size=500))
    return csv_response(filename="bulletin.csv", heading=heading(), rows=rows)


@require_safe
def bulletin_atom(request: HttpRequest) -> HttpResponse:
    """The newest vacancies as an Atom feed, by the same filters."""
    now = timezone.now()
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
    """One vacancy with all its fields, and the button or the reasons."""
    now = timezone.now()
    vacancy = get_object_or_404(public_vacancies(), pk=pk)
    family = live_applications(request, now=now)
    verdicts = [_verdict(application, vacancy, now=now) for application in family]
    fitting = [verdict.application for verdict in verdicts if verdict.refusal is None]
    waiting = waiting_for(vacancy, family, now=now)
    able = fitting or waiting
    shown = offer(vacancy, family=family, now=now)
    is_collected = vacancy.mode == Vacancy.Mode.QUEUE_ORDER
    context = {
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
        "others": [] if shown.phase in BIDDING_PHASES else similar_offers(vacancy, family=family, now=now),
    }
    return render(request, "applications/vacancy.html", context)


@require_safe
def referral_register(request: HttpRequest) -> HttpResponse:
    """Every issued referral, newest first, without names."""
    now = timezone.now()
    issued = Referral.objects.select_related(
        "application", "bid__vacancy__group__kindergarten__locality"
    ).order_by("-issued_at", "-id")
    page = Paginator(issued, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [{"referral": referral, "state": _state_at(referral, now=now)} for referral in page]
    return render(request, "applications/register.html", {"page": page, "rows": rows})


def _public_list(request: HttpRequest, *, now: datetime) -> QuerySet[Vacancy]:
    """What everyone would see under the filters of the address."""
    chosen = BulletinFilterForm(request.GET, locality=chosen_locality(request)).values
    status = "open" if chosen["status"] == "open" else "all"
    return published_vacancies(**chosen | {"status": status}, now=now)


def _feed_query(filters: BulletinFilterForm) -> str:
    """The filters in force as a query that shows the same to everyone: the place is named, empty values are not."""
    shown = {name: value for name in filters.fields if (value := filters.data.get(name)) and name != "sort"}
    return urlencode(shown)


def _vacancies(
    chosen: dict[str, Any], *, status: str, family: Sequence[Application], now: datetime
) -> list[Vacancy] | QuerySet[Vacancy]:
    """The vacancies of one tab: `chosen` are the values of the filters."""
    published = published_vacancies(**chosen | {"status": status}, now=now).prefetch_related("cutoffs")
    return available_vacancies(family, published, now=now) if status == "me" else published


def _home(family: Sequence[Application], *, otherwise: Locality | None) -> Locality | None:
    """Where a family asks for places, whatever place is chosen at the top of the page; None for several."""
    if not family:
        return otherwise
    places = {application.locality for application in family}
    return places.pop() if len(places) == 1 else None


def _tabs(
    request: HttpRequest, *, current: str, lists: dict[str, list[Vacancy] | QuerySet[Vacancy]]
) -> list[dict[str, Any]]:
    labels = {"all": _("All"), "open": _("Available to all"), "me": _("Available to me")}
    tabs = []
    for name, label in labels.items():
        query = request.GET.copy()
        query.pop("page", None)
        query["status"] = name
        count = (
            None if name == "me" and not request.user.is_authenticated else Paginator(lists[name], 1).count
        )
        tabs.append(
            {"label": label, "url": f"?{query.urlencode()}", "current": name == current, "count": count}
        )
    return tabs


def _criteria(family: Sequence[Application], *, now: datetime) -> list[dict[str, Any]]:
    """For each child, how many of the published places are left by each condition: what is missing."""
    everything = published_vacancies(status="all", now=now)
    published = list(everything)
    rows = []
    for application in family:
        reasons = [mismatch(application, vacancy) for vacancy in published]
        in_place = [reason for reason in reasons if reason != Refusal.OTHER_LOCALITY]
        of_year = [reason for reason in in_place if reason != Refusal.OTHER_BIRTH_YEAR]
        rows.append(
            {
                "application": application,
                "in_place": len(in_place),
                "of_year": len(of_year),
                "in_language": of_year.count(None),
                "available": len(available_vacancies([application], everything, now=now)),
            }
        )
    return rows


def _verdict(application: Application, vacancy: Vacancy, *, now: datetime) -> Verdict:
    bid = pending_bid(application)
    is_sent = bid is not None and bid.vacancy_id == vacancy.pk
    refusal = why_not(application, vacancy, now=now)
    if refusal == Refusal.NOT_OPEN_YET:
        # What the opening will not change is said beforehand.
        refusal = refusal_at_opening(application, vacancy) or refusal
    return Verdict(application, refusal, is_sent)


def _state_at(referral: Referral, *, now: datetime) -> ReferralState:
    """The state by the clock: a referral that ran out is expired though the job has not ended it yet."""
    if referral.state == ReferralState.ISSUED and not referral.is_valid(now=now):
        return ReferralState.EXPIRED
    return ReferralState(referral.state)
