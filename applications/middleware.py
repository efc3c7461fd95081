"""The answer of a page that waited too long for a lock, and what is noted before a page reads its request."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import User
from applications.access.family import Withheld
from applications.access.handing_in import note_handing_in
from applications.disputes.halts import dispute_of
from applications.moves import Refused
from applications.refusals import Refusal
from notifications.clock import estimate_clock, read_clock

RETRY_AFTER_SECONDS = 5


class BusyMiddleware:
    """503 and a way back if a page had to change something that somebody else held locked.

    Pages end what ran out before they show it (`access.settling`), and show nothing that is still to be ended.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Any other refusal that a view did not expect is an error of ours."""
        if not (isinstance(exception, Refused) and exception.reason == Refusal.BUSY):
            return None
        answer = render(request, "applications/busy.html", status=503)
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer


class WithheldMiddleware:
    """403 and the reason where a page would tell a disputed guardian where the child is given a place."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Withheld):
            return None
        application = exception.application
        context = {"application": application, "dispute": dispute_of(application, now=estimate_clock())}
        return render(request, "applications/withheld.html", context, status=403)


class PlaceTimeMiddleware:
    """Lets a page tell times as they are in the place that it is about (`timezone.activate`), and no other page.

    Where no page chose a place it is the portal's own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(None):
            return self.get_response(request)


class HandingInMiddleware:
    """Notes when papers for an extension begin to arrive.

    It stands before everything that reads the body: the CSRF check, and the gateway's question whether a large body is
    allowed at all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if request.method == "POST" and match is not None and match.view_name == "applications:extend":
            user = request.user
            if isinstance(user, User):
                note_handing_in(user, kwargs["pk"], now=read_clock())
        return None
