"""The public pages of the catalogue and of the reviews."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import parent_required
from accounts.file_response import file_response
from accounts.models import Profile, User
from accounts.typed import refilled
from accounts.way_back import page_of_ours
from bulletin import nearness, on_map, selectors
from bulletin.chosen_place import chosen_locality
from bulletin.closings import running
from bulletin.comparing import compared
from bulletin.demand import demand_of
from bulletin.did_you_mean import Suggestion, did_you_mean
from bulletin.forms import ALL_PLACES, CatalogueFilterForm, ReviewForm
from bulletin.mercator import Bounds, Frame, frame_around, frame_of, read_bounds
from bulletin.models import Kindergarten, Photo, Review
from bulletin.moment import Moment
from bulletin.nearness import may_ask_where, point_of, read_point
from bulletin.openings import openings, with_openings
from bulletin.profiles import profile_of
from bulletin.services import TooManyReviewsError, submit_review
from bulletin.shortlists import COMPARED, FAVOURITES, SHORTLISTS, remember, slugs_in
from bulletin.tiles import ground, tile_at
from notifications.clock import estimate_clock, read_clock
from notifications.pressing import pressed_on
from notifications.replica import reads_replica

PAGE_SIZE = 20
# The map as it is drawn, in units that a screen scales: on a phone a mark is still as large as a finger needs.
MAP_SIZE = {"width": 480, "height": 400}
# Around a visitor: some three kilometres from edge to edge.
NEAR_ZOOM = 14
SCALE_BAR = 110
TILE_KEPT_SECONDS = 7 * 24 * 60 * 60
# Of one kindergarten, with its surroundings.
PLACE_SIZE, PLACE_ZOOM = {"width": 480, "height": 260}, 15
# How far from the edge a mark is whole, and clear of the scale, in the units of the map.
EDGE = 44
REVIEWS_ON_A_CARD = 3
# Counting twelve thousand takes as long as all the rest of the page, and most families look at the same few parts.
_extents: Moment[on_map.Extent] = Moment(room=100, seconds=60)
_marks: Moment[list[on_map.Mark]] = Moment(room=100, seconds=60)


@require_safe
@reads_replica
def kindergartens(request: HttpRequest) -> HttpResponse:
    """The catalogue; an invalid filter is left out with a note."""
    filters = CatalogueFilterForm(request.GET, locality=chosen_locality(request))
    now = estimate_clock()
    found = selectors.kindergartens(**filters.values, now=now)
    here = point_of(request) if filters.is_by_distance else None
    ordered = on_map.nearest_first(found, here) if here else found
    page = _kindergartens_on_page(request, ordered, here=here, told=partial(selectors.with_offer, now=now))
    with_openings(page.object_list, now=now)
    context = {
        "filters": filters,
        "page": page,
        "is_near": here is not None,
        "far": on_map.far_away(found, here) if here else None,
        "suggestions": [] if page.object_list else _suggestions(filters, request.GET),
        "wider": [] if page.object_list else _wider(filters, request.GET),
        **_shortlists(request),
    }
    return may_ask_where(render(request, "bulletin/kindergartens.html", context))


@pressed_on("bulletin:kindergartens")
def near(request: HttpRequest) -> HttpResponse:
    """Take note of where the visitor is, and show the nearest first, in the catalogue or on the map; or forget it."""
    back = urlsplit(page_of_ours(request, request.POST.get("next", "")) or reverse("bulletin:kindergartens"))
    query = QueryDict(back.query, mutable=True)
    for name in ("sort", "page", "bounds", "zoom"):
        query.pop(name, None)
    point = read_point(request.POST.get("latitude", ""), request.POST.get("longitude", ""))
    if point:
        query["sort"] = "near"
    response = redirect(urlunsplit(("", "", back.path, query.urlencode(), "")))
    if point:
        nearness.remember(response, point)
    else:
        nearness.forget(response)
    return response


def _suggestions(filters: CatalogueFilterForm, given: QueryDict) -> list[Suggestion]:
    """Where nothing was found: names like the one that was typed, under the other filters."""
    others = filters.values | {"search": ""}
    among = selectors.kindergartens(**others, now=estimate_clock())
    return did_you_mean(filters.values["search"], among, given=given)


def _wider(filters: CatalogueFilterForm, given: QueryDict) -> list[dict[str, Any]]:
    """Where nothing was found: each filter without which something would be, and how much."""
    wider = []
    for one in filters.narrowing():
        found = selectors.kindergartens(**one.others, now=estimate_clock()).count()
        if found:
            address = given.copy()
            for name in (one.name, "page", "bounds", "zoom"):
                address.pop(name, None)
            if one.name == "place":
                address["place"] = ALL_PLACES
            wider.append({"label": one.label, "found": found, "query": address.urlencode()})
    return wider


@require_http_methods(["GET", "HEAD", "POST"])
@reads_replica
def kindergarten_map(request: HttpRequest) -> HttpResponse:
    """What the catalogue finds, on a map and as a list of what the map shows.

    `bounds` in the address is the part of the map; `zoom` tells of a larger map on a screen that draws it itself, and
    then exactly the bounds are listed. It costs a fixed number of statements. What is drawn was true in this minute of
    the clock; the list is read now.

    Around a visitor who said where they are the nearest come first. A POST draws the part that its body names, and
    lists what the address does: so that a map that moves from somebody's home writes it into no address.
    """
    now = read_clock()
    filters = CatalogueFilterForm(request.GET, locality=chosen_locality(request))
    found = selectors.kindergartens(**filters.values, now=now)
    which = tuple(filters.values.items())
    extent = _extents.get(which, now=now, make=lambda: on_map.extent(found))
    here = point_of(request) if filters.is_by_distance else None
    asked = read_bounds(request.GET.get("bounds", ""))
    far = on_map.far_away(found, here) if here else None
    # Around who is far away there is nothing to see: they see what was found.
    home = None if far else here
    around = frame_around(home, zoom=NEAR_ZOOM, **MAP_SIZE).inner if home else extent.first
    looked_at = request.POST or request.GET
    context: dict[str, Any] = {"filters": filters, "extent": extent}
    listed, count = found, extent.count
    if extent.bounds and (part := read_bounds(looked_at.get("bounds", "")) or asked or around):
        frame, shown = _frame(part, looked_at.get("zoom", ""))
        context |= _drawn(frame) | {"ways": _ways(request, frame), "home": _home(home, frame)}
        context["shown"] = shown
        marks = _marks.get(
            (which, shown, frame), now=now, make=lambda: on_map.marks(found, shown, frame, now=now)
        )
        context["marks"] = [{"mark": mark, "url": _mark_url(request, mark)} for mark in marks]
        if asked and request.method != "POST":
            listed, count = on_map.within(found, shown), sum(mark.count for mark in marks)
    context |= {
        "asked": asked,
        "whole_query": _query(request, bounds=extent.bounds)
        if extent.stray and not asked and not here
        else "",
        "suggestions": [] if extent.count else _suggestions(filters, request.GET),
        "wider": [] if extent.count else _wider(filters, request.GET),
        "is_unread": "bounds" in request.GET and asked is None,
        "page": _kindergartens_on_page(
            request,
            on_map.nearest_first(listed, here) if here else listed,
            count=count,
            here=here,
            told=partial(on_map.with_availability, now=now),
        ),
        "is_near": here is not None,
        "far": far,
        "catalogue_query": _query(request, bounds=None),
    }
    return may_ask_where(render(request, "bulletin/map.html", context))


def _frame(part: Bounds, zoom: str) -> tuple[Frame, Bounds]:
    """The frame for a part of the map, and what is shown in it."""
    frame = frame_of(part, **MAP_SIZE)
    if not re.fullmatch(r"\d{1,2}", zoom, re.ASCII):
        return frame, frame.bounds
    # A screen has room for twice as much at most.
    closer = min(max(int(zoom) - frame.zoom, 0), 1)
    return frame.moved(closer=closer), part


def _drawn(frame: Frame) -> dict[str, Any]:
    """The frame and its scale."""
    metres, pixels = frame.scale_bar(longest=SCALE_BAR)
    under = ground()
    tiles = frame.tiles if under else []
    return {
        "frame": frame,
        "ground": under,
        "tiles": [
            (under.address(frame.zoom, x, y), round(left), round(top)) for x, y, left, top in tiles if under
        ],
        "scale": on_map.in_words(metres),
        "scale_pixels": round(pixels),
        "scale_top": frame.height - 22,
    }


def _home(here: nearness.Point | None, frame: Frame) -> dict[str, Any] | None:
    """Where the visitor is, as the drawn map and the one that moves have it."""
    if here is None:
        return None
    x, y = frame.place(*here)
    return {"x": round(x), "y": round(y), "at": "{},{}".format(*here)}


def _ways(request: HttpRequest, frame: Frame) -> dict[str, str]:
    """Where the buttons of the map lead; at the last zoom there is none that goes on."""
    moved = {
        "closer": frame.moved(closer=1),
        "farther": frame.moved(closer=-1),
        "west": frame.moved(right=-0.5),
        "east": frame.moved(right=0.5),
        "north": frame.moved(down=-0.5),
        "south": frame.moved(down=0.5),
    }
    return {way: _query(request, bounds=one.inner) for way, one in moved.items() if one != frame}


def _mark_url(request: HttpRequest, mark: on_map.Mark) -> str:
    return mark.kindergarten.get_absolute_url() if mark.kindergarten else _query(request, bounds=mark.bounds)


def _query(request: HttpRequest, *, bounds: Bounds | None) -> str:
    """The address of the same list in another part of the map, or on all of it."""
    query = request.GET.copy()
    for name in ("bounds", "zoom", "page"):
        query.pop(name, None)
    if bounds is not None:
        query["bounds"] = str(bounds)
    return f"?{query.urlencode(safe=',')}"


@require_safe
def map_tile(request: HttpRequest, z: int, x: int, y: int) -> HttpResponse:
    """A tile of the portal's own file, kept by browsers for a week; 404 where there is none."""
    tile = tile_at(z, x, y)
    if tile is None:
        raise Http404
    response = HttpResponse(tile.content, content_type=tile.media_type)
    response["Cache-Control"] = f"public, max-age={TILE_KEPT_SECONDS}"
    response["ETag"] = etag = quote_etag(sha256(tile.content).hexdigest()[:32])
    return cast(HttpResponse, get_conditional_response(request, etag=etag, response=response))


@require_safe
@reads_replica
def kindergarten(request: HttpRequest, slug: str) -> HttpResponse:
    """One kindergarten: what it tells of itself, its groups, vacancies now and before, its newest reviews.

    However much there is, it costs a fixed number of statements.
    """
    now = estimate_clock()
    found = get_object_or_404(Kindergarten.objects.select_related("locality", "profile"), slug=slug)
    timezone.activate(found.locality.zone)
    vacancies = selectors.published_vacancies(now=now).filter(group__kindergarten=found)
    reviews = selectors.published_reviews(kindergarten=found)
    listed = selectors.listings(vacancies, now=now)
    groups = list(selectors.groups_of(found, now=now))
    opening = openings(listed, of=lambda vacancy: vacancy.group_id)
    for group in groups:
        vars(group)["opening"] = opening.get(group.pk)
    context = {
        "kindergarten": found,
        "profile": profile_of(found),
        "groups": groups,
        "photos": selectors.published_photos(found),
        "demand": demand_of(found, now=now),
        "place": _place(found, now=now),
        "closings": running(found),
        "today": found.locality.day(now),
        "listings": listed,
        "reviews": reviews[:REVIEWS_ON_A_CARD],
        "review_count": reviews.count(),
        **_shortlists(request),
    }
    return render(request, "bulletin/kindergarten.html", context)


def _place(kindergarten: Kindergarten, *, now: datetime) -> dict[str, Any] | None:
    """Where it is, and who is near; None for one that is not on the map."""
    point = kindergarten.point
    if point is None:
        return None
    frame = frame_around(point, zoom=PLACE_ZOOM, **PLACE_SIZE)
    neighbours = []
    for neighbour in on_map.nearby(kindergarten, now=now):
        x, y = frame.place(*neighbour.point)
        # Half a mark at the edge, or one under the scale, tells nothing.
        is_drawn = EDGE <= x <= frame.width - EDGE and EDGE <= y <= frame.height - EDGE
        neighbours.append({"neighbour": neighbour, "x": round(x), "y": round(y), "is_drawn": is_drawn})
    return {
        "x": frame.width // 2,
        "y": frame.height // 2,
        "neighbours": neighbours,
        "bounds": frame_around(point, zoom=PLACE_ZOOM, **MAP_SIZE).inner,
        **_drawn(frame),
    }


@require_safe
def favourites(request: HttpRequest) -> HttpResponse:
    """The kindergartens that this visitor marked, the last first."""
    slugs = slugs_in(request, FAVOURITES)[::-1]
    now = estimate_clock()
    marked = selectors.kindergartens_at(slugs, now=now)
    with_openings(marked, now=now)
    context = {"kindergartens": marked, **_shortlists(request)}
    return render(request, "bulletin/favourites.html", context)


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Up to four kindergartens side by side."""
    now = estimate_clock()
    chosen = selectors.kindergartens_at(slugs_in(request, COMPARED), now=now)
    with_openings(chosen, now=now)
    context = {"kindergartens": chosen, "rows": compared(chosen, now=now), **_shortlists(request)}
    return render(request, "bulletin/compare.html", context)


@pressed_on("bulletin:kindergartens")
def change_shortlist(request: HttpRequest) -> HttpResponse:
    """Put a kindergarten on one of the visitor's lists, or take it off, and go back to where they were."""
    back = page_of_ours(request, request.POST.get("next", "")) or reverse("bulletin:kindergartens")
    response = redirect(back)
    action, name, slug = [*request.POST.get("press", "").split(" "), "", "", ""][:3]
    shortlist = SHORTLISTS.get(name)
    if shortlist is None or action not in ("add", "remove"):
        return response
    slugs = [one for one in slugs_in(request, shortlist) if one != slug]
    if action == "add":
        if len(slugs) >= shortlist.most:
            messages.error(
                request, _("So many at most: %(most)s. Take one off first.") % {"most": shortlist.most}
            )
            return response
        if Kindergarten.objects.filter(slug=slug.replace("\0", "")).exists():
            slugs.append(slug)
    remember(response, shortlist, slugs)
    return response


def _shortlists(request: HttpRequest) -> dict[str, list[str]]:
    return {one.name: slugs_in(request, one) for one in SHORTLISTS.values()}


@require_safe
def photo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A published photo, as large as it is kept."""
    return _photo_file(request, pk, "image")


@require_safe
def photo_small(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A published photo as the gallery shows it."""
    return _photo_file(request, pk, "thumbnail")


def _photo_file(request: HttpRequest, pk: UUID, size: str) -> HttpResponse:
    """Kept for a minute, then asked for again: a family may have taken back its consent."""
    found = get_object_or_404(Photo, pk=pk, state=Photo.State.PUBLISHED)
    try:
        response = file_response(getattr(found, size), name=found.caption, shown=True)
    except FileNotFoundError:
        raise Http404 from None
    response["Cache-Control"] = "public, max-age=60, must-revalidate"
    # What is stored under a name never changes.
    response["ETag"] = etag = quote_etag(sha256(getattr(found, size).name.encode()).hexdigest()[:32])
    return cast(HttpResponse, get_conditional_response(request, etag=etag, response=response))


@require_http_methods(["GET", "HEAD", "POST"])
def reviews(request: HttpRequest) -> HttpResponse:
    """The published reviews (of one kindergarten: `?kindergarten=slug`), and the form for a parent's own."""
    if request.method == "POST":
        return _write_review(request)
    about = Kindergarten.objects.filter(slug=request.GET.get("kindergarten", "").replace("\0", "")).first()
    initial = {"kindergarten": about}
    form = refilled(request, ReviewForm(initial=initial)) if _is_parent(request) else None
    return _reviews_page(request, about=about, form=form)


@parent_required
def _write_review(request: HttpRequest) -> HttpResponse:
    form = refilled(request, ReviewForm(request.POST))
    if form.is_valid():
        author = cast(User, request.user)
        try:
            submit_review(author=author, **form.cleaned_data, now=read_clock())
        except TooManyReviewsError:
            form.add_error(
                None, _("Your earlier reviews still wait for moderation. Please write again later.")
            )
        else:
            messages.success(request, _("Thank you. Your review will appear after moderation."))
            return redirect("bulletin:reviews")
    return _reviews_page(request, about=None, form=form)


def _reviews_page(
    request: HttpRequest, *, about: Kindergarten | None, form: ReviewForm | None
) -> HttpResponse:
    own: QuerySet[Review] | None = None
    if form is not None:
        own = selectors.reviews_of(cast(User, request.user)).exclude(state=Review.State.PUBLISHED)[:5]
    context: dict[str, Any] = {
        "form": form,
        "about": about,
        "own": own,
        "page": _page(request, selectors.published_reviews(kindergarten=about)),
        "sign_in_url": f"{reverse('accounts:login')}?next={request.path}",
    }
    return render(request, "bulletin/reviews.html", context)


def _is_parent(request: HttpRequest) -> bool:
    return request.user.is_authenticated and Profile.objects.filter(user=request.user).exists()


def _kindergartens_on_page(
    request: HttpRequest,
    found: QuerySet[Kindergarten],
    *,
    told: Callable[[QuerySet[Kindergarten]], QuerySet[Kindergarten]],
    here: nearness.Point | None = None,
    count: int | None = None,
) -> Page[Kindergarten]:
    """The page asked for, each row with what `told` adds; on a late page it would be worked out for all before it.

    `here`: where the visitor is, and each is so far `away`. `count`: how many were found, where the caller knows.
    """
    page = _page(request, found.values_list("pk", flat=True), count=count)
    rows = told(Kindergarten.objects.order_by()).in_bulk(list(page.object_list))
    page.object_list = [rows[pk] for pk in page.object_list if pk in rows]
    if here:
        for one in page.object_list:
            vars(one)["away"] = on_map.away(one, here)
    return page


def _page(request: HttpRequest, rows: QuerySet[Any], *, count: int | None = None) -> Page[Any]:
    """The page asked for, or the nearest one if it does not exist."""
    paginator = Paginator(rows, PAGE_SIZE)
    if count is not None:
        paginator.count = count
    return paginator.get_page(request.GET.get("page"))
