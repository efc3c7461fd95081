"""What was sent from a form of the workplace after the session had ended: nothing is done, and nothing is lost.

What was typed is shown to the browser that sent it, to be copied, and is kept nowhere: whoever signs in next there may
be somebody else. Only a form of ours gets that far: what another site sends is refused before.
"""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext

from accounts.way_back import page_of_ours

# No form of ours has more fields in which one writes.
_MOST: Final = 20
# Never shown, whatever stands in them.
_SECRET: Final = ("password", "token", "code", "secret")


def typed_in(sent: QueryDict) -> list[str]:
    """What somebody wrote into a form: texts of several words. Choices, dates and keys are chosen anew. Pure."""
    texts = [
        text
        for name, values in sent.lists()
        if not name.startswith("_") and not any(word in name for word in _SECRET)
        for text in values
        if len(text.split()) > 1
    ]
    return list(dict.fromkeys(texts))[:_MOST]


def signed_out_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The answer to a form that was sent too late: what happened, what was typed, and the way back to the form."""
    wanted = page_of_ours(request, request.get_full_path()) or reverse("admin:index")
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": gettext("You are signed out"),
        "texts": typed_in(request.POST),
        "sign_in": f"{reverse('admin:login')}?{urlencode({'next': wanted})}",
    }
    response = TemplateResponse(request, "admin/signed_out.html", context, status=HTTPStatus.FORBIDDEN)
    add_never_cache_headers(response)
    return response
