"""The page of the workplace that says what is missing before the city can open."""

from typing import Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from balabaqsha.ready.questions import Colour, findings, verdict
from balabaqsha.ready.reading import read_known
from notifications.clock import read_clock

# Officials and administrators prepare the city.
PREPARE: Final = "bulletin.add_kindergarten"


@never_cache
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """Each question with its answer and remedy, what is missing first."""
    if not request.user.has_perm(PREPARE):
        raise PermissionDenied
    now = read_clock()
    found = findings(read_known(now=now))
    order = [Colour.RED, Colour.UNKNOWN, Colour.GREEN]
    context = {
        **admin.site.each_context(request),
        "title": gettext("Ready to open?"),
        "findings": sorted(found, key=lambda one: order.index(one.colour)),
        "colour": verdict(found),
        "now": now,
    }
    return TemplateResponse(request, "admin/ready.html", context)
