"""What falls due, for the family's own calendar: the list, each day as a file, the address that a calendar reads."""

from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import limits
from accounts.audit import client_address
from accounts.decorators import parent_required
from accounts.way_back import whole_address
from applications.calendar_address import (
    address_made_at,
    address_of,
    make_address,
    take_address_away,
)
from applications.families.calendar_file import calendar_file
from applications.families.due import Due, DueKind
from applications.families.due_days import dues_of, dues_of_family, histories_of
from applications.families.situation import situation_of
from applications.models import Application
from applications.views.people import own_application, parent
from notifications.clock import estimate_clock, read_clock
from notifications.pressing import pressed_on

_TYPE: Final = "text/calendar; charset=utf-8"
# The name under which the address holds what opens it: after the question mark, since the access log holds paths.
_GIVEN_AS: Final = "key"
_RETRY_SECONDS: Final = 3600


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def due_days(request: HttpRequest) -> HttpResponse:
    """Everything that falls due, soonest first, and how to read it in one's own calendar.

    The page that shows a new address hands it on when its reader changes the language: it is shown again while it is
    theirs and opens something.
    """
    secret = request.POST.get(_GIVEN_AS, "")
    made = address_of(secret) if secret else None
    return _page(request, secret=secret if made is not None and made.user == request.user else "")


@never_cache
@pressed_on("applications:calendar")
@parent_required
def make(request: HttpRequest) -> HttpResponse:
    """Make an address to subscribe to, in place of a former one. It is shown this once."""
    secret = make_address(parent(request), address=client_address(request), now=read_clock())
    return _page(request, secret=secret)


@pressed_on("applications:calendar")
@parent_required
def take_away(request: HttpRequest) -> HttpResponse:
    """Let the address open nothing any more."""
    if take_address_away(parent(request), address=client_address(request), now=read_clock()):
        messages.success(request, _("The address is taken away. Calendars that read it get nothing more."))
    return redirect("applications:calendar")


@require_safe
@parent_required
def one_day(request: HttpRequest, pk: UUID, kind: str, about: UUID) -> HttpResponse:
    """One entry as a file. What is over or has ended meanwhile leads to the application, which says where it stands."""
    if kind not in DueKind.values:
        raise Http404
    now = estimate_clock()
    application = own_application(request, pk, now=now)
    dues = [
        due
        for due in dues_of(situation_of(application, now=now), vacancy=about)
        if (due.kind, due.about) == (kind, about)
    ]
    if not dues:
        messages.info(request, _("This day is over, or it no longer counts. Here is how things stand now."))
        return redirect(application)
    response = HttpResponse(_file(request, dues), content_type=_TYPE)
    response["Content-Disposition"] = f'attachment; filename="balabaqsha-{dues[0].digits}-{kind}.ics"'
    return response


@require_safe
def subscribed(request: HttpRequest) -> HttpResponseBase:
    """Everything that falls due for whoever made the address. What is over or has ended is no longer there.

    A calendar shows what the address holds now and drops the rest, so nothing is marked as cancelled.
    """
    made, now = address_of(request.GET.get(_GIVEN_AS, "")), read_clock()
    if made is None:
        raise Http404
    # A new address is counted anew: whoever had the former one has used up nothing of it.
    if not limits.allow(limits.CALENDAR_PER_ADDRESS, made.digest, now=now).ok:
        return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(_RETRY_SECONDS)})
    body = _file(request, dues_of_family(made.user, now=now))
    etag = quote_etag(sha256(body).hexdigest())
    response = HttpResponse(body, content_type=_TYPE)
    response["ETag"] = etag
    # Whoever keeps it asks each time whether it still holds, and no shared cache keeps it.
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex"
    return get_conditional_response(request, etag=etag, response=response) or response


def _page(request: HttpRequest, *, secret: str = "") -> HttpResponse:
    user, now = parent(request), estimate_clock()
    path = f"{reverse('applications:subscribed_calendar')}?{_GIVEN_AS}={secret}"
    address = whole_address(request, path) if secret else ""
    dues = sorted(dues_of_family(user, now=now), key=lambda due: due.when.isoformat())
    names = _names_of(due.application for due in dues)
    context = {
        "rows": [{"due": due, "child": names[due.application]} for due in dues],
        "address": address,
        "shown_once": {"name": _GIVEN_AS, "value": secret} if secret else None,
        # Telephones hand such an address to their calendar instead of downloading a file.
        "webcal": "webcal://" + address.partition("://")[2] if address else "",
        "made_at": address_made_at(user),
    }
    return render(request, "applications/calendar.html", context)


def _names_of(applications: Iterable[UUID]) -> dict[UUID, str]:
    """Whom each is for, by its key: only the page says so, as calendars lie with other companies."""
    of_page = Application.objects.filter(pk__in=set(applications)).select_related("child")
    return {one.pk: one.child.full_name for one in of_page}


def _file(request: HttpRequest, dues: Iterable[Due]) -> bytes:
    listed = list(dues)
    return calendar_file(
        listed,
        histories=histories_of(due.application for due in listed),
        name=_("Balabaqsha: last days and openings"),
        zone=get_default_timezone(),
        whole=partial(whole_address, request),
    )
