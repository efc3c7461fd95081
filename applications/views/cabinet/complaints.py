"""A family's complaints: sent, answered, carried on."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import parent_required
from applications.complaints.whose import Sender
from applications.views.complaint_pages import CABINET, one_page, sent_by, write_page
from applications.views.people import parent
from notifications.clock import estimate_clock, read_clock


@require_safe
@parent_required
def complaint_list(request: HttpRequest) -> HttpResponse:
    sent = sent_by(Sender(user=parent(request)), now=estimate_clock())
    return render(request, "applications/complaints.html", {"sent": sent, "one": CABINET.one})


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def new_complaint(request: HttpRequest) -> HttpResponse:
    """The form; the page that leads here says in the address what it is about."""
    return write_page(
        request,
        Sender(user=parent(request)),
        CABINET,
        "applications/complaint_new.html",
        asked=request.GET,
        now=read_clock(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def complaint(request: HttpRequest, pk: UUID) -> HttpResponse:
    return one_page(request, Sender(user=parent(request)), CABINET, pk, now=read_clock())
