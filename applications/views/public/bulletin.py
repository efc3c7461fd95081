"""The bulletin of vacant places as this family sees it: the list, its filters and its tabs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from applications.bidding.board import Board, MineFirst, board, holds, waiting
from applications.bidding.eligibility import state_refusal
from applications.bidding.onlooker import Onlooker, look
from applications.models import Application
from applications.states import ApplicationState
from applications.views.listings import listings_of
from applications.views.people import live_applications
from bulletin.chosen_place import PLACE_COOKIE, chosen_locality
from bulletin.did_you_mean import Suggestion, did_you_mean
from bulletin.forms import BulletinFilterForm
from bulletin.models import Kindergarten, Locality
from bulletin.moment import Moment
from bulletin.selectors import (
    Listing,
    listings,
    localities,
    match_counts,
    published_vacancies,
    running_pauses,
)
from bulletin.shared_page import shared_page
from notifications.clock import estimate_clock
from notifications.replica import reads_replica
from notifications.selectors import unread_count

PAGE_SIZE = 20
TEMPLATE = "applications/bulletin.html"


@dataclass(frozen=True)
class Search:
    """What an address of the bulletin asks for: the list for everyone, and the one for the family's own place."""

    filters: BulletinFilterForm
    everyone: Board
    mine: Board

    @property
    def status(self) -> str:
        return str(self.filters.values["status"])

    @property
    def is_by_readiness(self) -> bool:
        """Whether what this family can apply for should come first."""
        return str(self.filters.values["sort"]) == "ready"


@dataclass(frozen=True)
class Shown:
    """What one visitor sees of a search: a page of indices, those marked as available, the tabs' counts."""

    search: Search
    page: Page[int]
    indices: tuple[int, ...]
    marked: frozenset[int]
    counts: dict[str, int]

    @property
    def listed(self) -> Board:
        return self.search.mine if self.search.status == "me" else self.search.everyone


_searches: Moment[Search] = Moment(room=100)


@require_safe
@reads_replica
def bulletin(request: HttpRequest) -> HttpResponse:
    """The public list with its filters; «Маған қолжетімді» needs a family.

    What many see alike is read and rendered once a second, so a place that was just taken or given back may be out of
    date for that long. This page grants nothing: pressing the button asks the database.
    """
    now = estimate_clock()
    onlooker = _onlooker(request, now=now)
    place = request.COOKIES.get(PLACE_COOKIE)
    if not onlooker.is_signed_in:
        return shared_page(
            request,
            TEMPLATE,
            key=place,
            is_signed_in=False,
            now=now,
            context=lambda: _context(request, onlooker, _shown(request, onlooker, now=now), now=now),
        )
    shown = _shown(request, onlooker, now=now)
    if shown.search.status == "me" and not shown.indices:
        return render(request, TEMPLATE, _nothing_for_me(request, shown, now=now))
    key = (
        place,
        onlooker.places,
        onlooker.wishes,
        onlooker.unread,
        shown.counts["me"],
        shown.indices,
        shown.marked,
    )
    return shared_page(
        request,
        TEMPLATE,
        key=key,
        is_signed_in=True,
        now=now,
        context=lambda: _context(request, onlooker, shown, now=now),
    )


def _shown(request: HttpRequest, onlooker: Onlooker, *, now: datetime) -> Shown:
    search = _search(request, onlooker, now=now)
    mine = search.mine.available(onlooker.waiting)
    everyone = search.everyone
    suiting = mine if search.mine is everyone else everyone.available(onlooker.waiting)
    in_all = len(everyone.vacancies)
    listed = MineFirst(suiting, size=in_all) if search.is_by_readiness else range(in_all)
    lists: dict[str, Sequence[int]] = {"all": listed, "open": everyone.open, "me": mine}
    page = Paginator(lists[search.status], PAGE_SIZE).get_page(request.GET.get("page"))
    indices = tuple(page.object_list)
    if search.status == "me":
        marked = frozenset(indices)
    else:
        marked = frozenset(index for index in indices if holds(suiting, index))
    counts = {name: len(listed) for name, listed in lists.items()}
    return Shown(search, page, indices, marked, counts)


def _context(request: HttpRequest, onlooker: Onlooker, shown: Shown, *, now: datetime) -> dict[str, Any]:
    vacancies = shown.listed.vacancies
    shown_listings = listings_of(
        [vacancies[at] for at in shown.indices],
        mine={vacancies[at] for at in shown.marked},
        seekers=onlooker.waiting,
        now=now,
    )
    return _frame(request, shown, is_signed_in=onlooker.is_signed_in) | {
        "listings": shown_listings,
        "unread_notices": onlooker.unread,
        "next": None if shown_listings else _next_opening(shown.search.filters, now=now),
        "suggestions": [] if shown_listings else _suggestions(request, shown.search.filters, now=now),
    }


def _suggestions(request: HttpRequest, filters: BulletinFilterForm, *, now: datetime) -> list[Suggestion]:
    """Where nothing was found: kindergartens with a name like the one that was typed, whose places are listed."""
    asked = {name: value for name, value in filters.values.items() if name not in ("status", "sort")}
    listed = published_vacancies(**asked | {"search": ""}, now=now).order_by()
    among = Kindergarten.objects.filter(pk__in=listed.values("group__kindergarten"))
    return did_you_mean(asked["search"], among, given=request.GET)


def _next_opening(filters: BulletinFilterForm, *, now: datetime) -> Listing | None:
    """What opens next under the filters, or else in their place; for a list that holds nothing."""
    asked = {name: value for name, value in filters.values.items() if name not in ("status", "sort")}
    for chosen in (asked, {"locality": asked["locality"]}):
        for found in listings(published_vacancies(**chosen, status="soon", now=now)[:1], now=now):
            return found
    return None


def _onlooker(request: HttpRequest, *, now: datetime) -> Onlooker:
    user_id, stamp = request.session.get(SESSION_KEY), request.session.get(HASH_SESSION_KEY)
    if not user_id or not stamp:
        return Onlooker()
    known = look(user_id=user_id, password_stamp=stamp, now=now)
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
    """Everything that decides what a search finds."""
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
        if request.GET.get("place") and "place" not in filters.left_out:
            shared = own = chosen
        else:
            # Each tab counts what it would list; only the family's own tab uses the family's home.
            shared, own = chosen | {"locality": place}, chosen | {"locality": home}
        everyone = board(now=now, **shared)
        return Search(filters, everyone, mine=everyone if own == shared else board(now=now, **own))

    return _searches.get(_asked(request, onlooker), now=now, make=make)


def _home(onlooker: Onlooker, *, otherwise: Locality | None) -> Locality | None:
    """The one place where the family's applications are, whatever is chosen at the top of the page; None if several."""
    if not onlooker.places:
        return otherwise
    places = [place for place in localities() if place.pk in onlooker.places]
    return places[0] if len(places) == 1 else None


def _frame(request: HttpRequest, shown: Shown, *, is_signed_in: bool) -> dict[str, Any]:
    """The context around the list."""
    filters = shown.search.filters
    return {
        "filters": filters,
        "status": shown.search.status,
        "page": shown.page,
        "tabs": _tabs(request, shown, is_signed_in=is_signed_in),
        # How many the family could apply for on the tab that it is not on.
        "mine": shown.counts["me"] if is_signed_in and shown.search.status != "me" else 0,
        "mine_url": _tab_url(request, "me"),
        "pauses": running_pauses(filters.values["locality"]),
        "query": _feed_query(filters),
    }


def _tabs(request: HttpRequest, shown: Shown, *, is_signed_in: bool) -> list[dict[str, Any]]:
    labels = {"all": _("All"), "open": _("Available to all"), "me": _("Available to me")}
    tabs = []
    for name, label in labels.items():
        url = _tab_url(request, name)
        count = shown.counts[name] if is_signed_in or name != "me" else None
        current = name == shown.search.status
        tabs.append({"label": label, "url": url, "current": current, "count": count})
    return tabs


def _tab_url(request: HttpRequest, name: str) -> str:
    """The first page of a tab, under the same filters."""
    query = request.GET.copy()
    query.pop("page", None)
    query["status"] = name
    return f"?{query.urlencode()}"


def _feed_query(filters: BulletinFilterForm) -> str:
    """The filters in force as a query that shows the same to everyone: the place is named, empty values are not."""
    shown = {name: value for name in filters.fields if (value := filters.data.get(name)) and name != "sort"}
    return urlencode(shown)


def _nothing_for_me(request: HttpRequest, shown: Shown, *, now: datetime) -> dict[str, Any]:
    """Which condition leaves no place, for each child: a page for one family, never shared."""
    family = live_applications(request, now=now)
    return _frame(request, shown, is_signed_in=True) | {
        "listings": [],
        "family": family,
        "hindered": [_hindered(one) for one in family if state_refusal(one)],
        "criteria": [_criteria(one, now=now) for one in family if not state_refusal(one)],
    }


def _criteria(application: Application, *, now: datetime) -> dict[str, Any]:
    """How many published places remain after each condition."""
    counts = match_counts(
        locality=application.locality,
        birth_year=application.birth_year,
        languages=application.languages,
        now=now,
    )
    here = board(locality=application.locality, now=now)
    soon = published_vacancies(
        locality=application.locality, birth_year=application.birth_year, status="soon", now=now
    ).filter(group__language__in=application.languages)
    return {
        "application": application,
        "next": next(iter(listings(soon[:1], now=now)), None),
        "counts": counts,
        "available": len(here.available(waiting([application]))),
    }


def _hindered(application: Application) -> dict[str, Any]:
    """Why an application that does not wait can't have any place now; for one on the stop-list also until when."""
    stop = None
    if application.state == ApplicationState.STOP_LISTED:
        stop = application.stops.filter(lifted_at=None).first()
    return {
        "application": application,
        "refusal": state_refusal(application),
        "last_day": application.locality.last_day(stop.until) if stop else None,
    }
