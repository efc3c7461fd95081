"""The bulletin as a file and as a feed."""

from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.way_back import whole_address
from applications.csv_file import csv_response
from applications.views.public.feed import atom, heading, row
from bulletin.chosen_place import chosen_locality
from bulletin.forms import BulletinFilterForm
from bulletin.models import Vacancy
from bulletin.selectors import published_vacancies
from notifications.clock import estimate_clock

FEED_SIZE = 50


@require_safe
def bulletin_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The list as a file, with the same filters; "available to me" gives everything, since a file has no family."""
    now = estimate_clock()
    vacancies = _public_list(request, now=now)
    rows = (row(vacancy, now=now) for vacancy in vacancies.iterator(chunk_size=500))
    return csv_response(filename="bulletin.csv", heading=heading(), rows=rows)


@require_safe
def bulletin_atom(request: HttpRequest) -> HttpResponse:
    """The newest vacancies as an Atom feed, with the same filters."""
    now = estimate_clock()
    newest = _public_list(request, now=now).order_by("-published_at", "id")[:FEED_SIZE]
    feed = atom(
        newest,
        title=_("Bulletin of vacant places"),
        page=whole_address(request, reverse("applications:bulletin")),
        address=whole_address(request, request.get_full_path()),
        now=now,
    )
    return HttpResponse(feed, content_type="application/atom+xml; charset=utf-8")


def _public_list(request: HttpRequest, *, now: datetime) -> QuerySet[Vacancy]:
    """What anybody would see under the filters of the address."""
    chosen = BulletinFilterForm(request.GET, locality=chosen_locality(request)).values
    status = "open" if chosen["status"] == "open" else "all"
    return published_vacancies(**chosen | {"status": status}, now=now)
