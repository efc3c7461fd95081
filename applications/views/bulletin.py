"""The bulletin of vacant places as this family sees it: the list, its filters and its tabs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from applications.board import Board, board, waiting
from applications.models import Application
from applications.onlooker import Onlooker, look
from applications.views.offers import offers_of
from applications.views.people import live_applications
from bulletin.forms import BulletinFilterForm
from bulletin.models import Locality
from bulletin.moment import Moment, shared_page
from bulletin.selectors import (
    PLACE_COOKIE,
    chosen_locality,
    localities,
    match_counts,
    running_pauses,
)
from notifications.selectors import unread_count

PAGE_SIZE = 40


@dataclass(frozen=True)
class Search:
    """What an address of the bulletin asks for: the list that all see, and the one for the family's own place."""

    filters: BulletinFilterForm
    everyone: Board
    mine: Board

    @property
    def status(self) -> str:
        return str(self.filters.values["status"])


_searches: Moment[Search] = Moment(room=100)


@require_safe
def bulletin(request: HttpRequest) -> HttpResponse:
    """The public list with its filters; «Маған қолжетімді» needs a family.

    What is the same for many is read and rendered once a second, so a place that was just taken or given back may
    stand here for as long. Nothing is granted by this page: the press of the button asks the database.
    """
    now = timezone.now()
    onlooker = _onlooker(request, now=now)
    search = _search(request, onlooker, now=now)
    mine = search.mine.available(onlooker.waiting)
    lists = {"all": range(len(search.everyone.vacancies)), "open": search.everyone.open, "me": mine}
    page = Paginator(lists[search.status], PAGE_SIZE).get_page(request.GET.get("page"))
    counts = {name: len(positions) for name, positions in lists.items()}
    if search.status == "me" and onlooker.is_signed_in and not page:
        return _nothing_for_me(request, search, counts=counts, page=page, now=now)
    suiting = mine if search.mine is search.everyone else search.everyone.available(onlooker.waiting)
    marked = frozenset(page if search.status == "me" else set(page).intersection(suiting))
    listed = search.mine if search.status == "me" else search.everyone

    def context() -> dict[str, Any]:
        return _frame(request, search, counts=counts, is_signed_in=onlooker.is_signed_in) | {
            "page": page,
            "offers": offers_of(
                [listed.vacancies[at] for at in page], mine={listed.vacancies[at] for at in marked}, now=now
            ),
            "unread_notices": onlooker.unread,
        }

    seen = (onlooker.is_signed_in, onlooker.unread, counts["me"], tuple(page), marked)
    return shared_page(
        request, "applications/bulletin.html", key=(_asked(request, onlooker), seen), now=now, context=context
    )


def _onlooker(request: HttpRequest, *, now: datetime) -> Onlooker:
    user_id, stamp = request.session.get(SESSION_KEY), request.session.get(HASH_SESSION_KEY)
    known = look(user_id=user_id, password_stamp=stamp, now=now) if user_id and stamp else None
    if known is not None or not isinstance(request.user, User):
        return known or Onlooker()
    family = live_applications(request, now=now)
    return Onlooker(
        is_signed_in=True,
        unread=unread_count(request.user),
        places=frozenset(application.locality_id for application in family),
        waiting=tuple(waiting(family)),
    )


def _asked(request: HttpRequest, onlooker: Onlooker) -> tuple[object, ...]:
    """All that decides what a search finds."""
    return (
        get_language(),
        request.META.get("QUERY_STRING", ""),
        request.COOKIES.get(PLACE_COOKIE),
        onlooker.places,
    )


def _search(request: HttpRequest, onlooker: Onlooker, *, now: datetime) -> Search:
    def make() -> Search:
        place = chosen_locality(request)
        home = _home(onlooker, otherwise=place)
        is_mine = request.GET.get("status") == "me"
        filters = BulletinFilterForm(request.GET, locality=home if is_mine else place)
        chosen = {name: value for name, value in filters.values.items() if name != "status"}
        own = chosen if "place" in request.GET else chosen | {"locality": home}
        return Search(filters, everyone=board(now=now, **chosen), mine=board(now=now, **own))

    return _searches.get(_asked(request, onlooker), now=now, make=make)


def _home(onlooker: Onlooker, *, otherwise: Locality | None) -> Locality | None:
    """Where a family asks for places, whatever place is chosen at the top of the page; None for several."""
    if not onlooker.places:
        return otherwise
    places = [place for place in localities() if place.pk in onlooker.places]
    return places[0] if len(places) == 1 else None


def _frame(
    request: HttpRequest, search: Search, *, counts: dict[str, int], is_signed_in: bool
) -> dict[str, Any]:
    """What stands around the list."""
    return {
        "filters": search.filters,
        "status": search.status,
        "tabs": _tabs(request, current=search.status, counts=counts, is_signed_in=is_signed_in),
        "pauses": running_pauses(search.filters.values["locality"]),
        "query": _feed_query(search.filters),
    }


def _tabs(
    request: HttpRequest, *, current: str, counts: dict[str, int], is_signed_in: bool
) -> list[dict[str, Any]]:
    labels = {"all": _("All"), "open": _("Available to all"), "me": _("Available to me")}
    tabs = []
    for name, label in labels.items():
        query = request.GET.copy()
        query.pop("page", None)
        query["status"] = name
        count = counts[name] if is_signed_in or name != "me" else None
        tabs.append(
            {"label": label, "url": f"?{query.urlencode()}", "current": name == current, "count": count}
        )
    return tabs


def _feed_query(filters: BulletinFilterForm) -> str:
    """The filters in force as a query that shows the same to everyone: the place is named, empty values are not."""
    shown = {name: value for name in filters.fields if (value := filters.data.get(name)) and name != "sort"}
    return urlencode(shown)


def _nothing_for_me(
    request: HttpRequest, search: Search, *, counts: dict[str, int], page: Page[int], now: datetime
) -> HttpResponse:
    """Which condition leaves no place, for each child: a page of this family's own."""
    family = live_applications(request, now=now)
    context = _frame(request, search, counts=counts, is_signed_in=True) | {
        "page": page,
        "offers": [],
        "family": family,
        "criteria": [_criteria(application, now=now) for application in family],
    }
    return render(request, "applications/bulletin.html", context)


def _criteria(application: Application, *, now: datetime) -> dict[str, Any]:
    """How many of the published places are left by each condition: what is missing."""
    counts = match_counts(
        locality=application.locality,
        birth_year=application.birth_year,
        languages=application.languages,
        now=now,
    )
    everything = board(now=now)
    return {
        "application": application,
        "counts": counts,
        "available": len(everything.available(waiting([application]))),
    }
