"""The bulletin as a file and as a feed."""

import hashlib
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.way_back import whole_address
from applications.csv_file import csv_response, file_name
from applications.views.public.feed import Written, atom, heading, row
from bulletin.chosen_place import chosen_locality
from bulletin.forms import ALL_PLACES, BulletinFilterForm
from bulletin.models import Vacancy
from bulletin.moment import Moment
from bulletin.selectors import localities, published_vacancies
from notifications.clock import estimate_clock

FEED_SIZE = 50
# For so long a proxy or a news reader need not ask again.
KEPT_SECONDS = 60

_feeds: Moment[Written] = Moment(room=100)


@require_safe
def bulletin_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The list as a file, with the same filters; "available to me" gives everything, since a file has no family.

    404 if a filter means nothing.
    """
    now = estimate_clock()
    filters = _understood(BulletinFilterForm(request.GET, locality=chosen_locality(request)))
    place = filters.values["locality"]
    name = file_name("bulletin", place.slug if place else ALL_PLACES, day=localdate(now))
    rows = (row(vacancy, now=now) for vacancy in _listed(filters, now=now).iterator(chunk_size=500))
    return csv_response(filename=name, heading=heading(), rows=rows)


@require_safe
def bulletin_atom(request: HttpRequest) -> HttpResponse:
    """The newest vacancies as an Atom feed, with the same filters: the address alone decides what is in it.

    404 if a filter means nothing. Written once a second for all who ask. Who has it as it is gets 304 (`ETag`,
    `Last-Modified`).
    """
    now = estimate_clock()
    # News readers have no cookie of a chosen place, and proxies may keep one answer for all.
    places = localities()
    filters = _understood(BulletinFilterForm(request.GET, locality=places[0] if places else None))
    query = _canonical(filters)
    page = whole_address(request, f"{reverse('applications:bulletin')}?{query}")
    address = whole_address(request, f"{reverse('applications:bulletin_atom')}?{query}")

    def write() -> Written:
        newest = _listed(filters, now=now).order_by("-published_at", "id")[:FEED_SIZE]
        author = _("Education department")
        return atom(newest, title=_title(filters), author=author, page=page, address=address, now=now)

    feed = _feeds.get(address, now=now, make=write)
    response = HttpResponse(feed.text, content_type="application/atom+xml; charset=utf-8")
    etag = f'"{hashlib.sha256(feed.text.encode()).hexdigest()[:32]}"'
    updated_at = int(feed.updated_at.timestamp())
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(updated_at)
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    found = get_conditional_response(request, etag=etag, last_modified=updated_at, response=response)
    return found or response


def _title(filters: BulletinFilterForm) -> str:
    """What the feed is called among others of the same reader: the bulletin, and what narrows it."""
    narrowed = [
        str(dict(getattr(field, "choices", ())).get(str(chosen), chosen))
        for name, chosen in _decisive(filters).items()
        if (field := filters.fields[name]) and name != "status" and chosen
    ]
    return " · ".join([_("Bulletin of vacant places"), *narrowed])


def _canonical(filters: BulletinFilterForm) -> str:
    """The query that decides what is in the feed: the same for every way to write it, and nothing that it ignores."""
    return urlencode({name: chosen for name, chosen in _decisive(filters).items() if chosen})


def _decisive(filters: BulletinFilterForm) -> dict[str, Any]:
    """What every filter but the order is, by the names in addresses."""
    chosen = filters.values
    place = chosen.pop("locality")
    rest = {name: chosen[name] for name in filters.fields if name in chosen and name != "sort"}
    return {"place": place.slug if place else ALL_PLACES, **rest, "status": _status(filters)}


def _understood(filters: BulletinFilterForm) -> BulletinFilterForm:
    """The filters, or 404 if one of them means nothing: unlike the page, neither a feed nor a file can say so.

    A place that is no more would turn into the whole city, told to somebody who follows one place. A birth year that is
    no longer offered still means something, and finds nothing.
    """
    if set(filters.left_out) - {"sort"}:
        raise Http404
    return filters


def _listed(filters: BulletinFilterForm, *, now: datetime) -> QuerySet[Vacancy]:
    """What anybody would see under the filters."""
    return published_vacancies(**filters.values | {"status": _status(filters)}, now=now)


def _status(filters: BulletinFilterForm) -> str:
    return "open" if filters.values["status"] == "open" else "all"
