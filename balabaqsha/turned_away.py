"""What the portal answers to its web server's gateway (`balabaqsha.serving`)."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.decorators import largest_body
from balabaqsha.admin_site import staff_site
from balabaqsha.serving.contract import ACCOUNT_HEADER, LARGEST_HEADER, QUESTION, REFUSAL, Refusal

STATUS: Final = {Refusal.LARGE: 413, Refusal.SLOW: 408, Refusal.CROWDED: 503}
RETRY_AFTER_SECONDS: Final = 60


class GatewayMiddleware:
    """Says how large a body a page accepts, and in words why a request was turned away.

    It stands before the check of the csrf token, for which there is no body yet. No view is called.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if QUESTION in request.META:
            return _allowance(request, view)
        refusal = request.META.get(REFUSAL)
        return _turned_away(request, view, Refusal(refusal)) if refusal in STATUS else None


def _allowance(request: HttpRequest, view: Callable[..., HttpResponse]) -> HttpResponse:
    at_work = request.resolver_match is not None and request.resolver_match.app_name == "admin"
    largest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if at_work else largest_body(view)
    if largest is None:
        return _turned_away(request, view, Refusal.LARGE)
    if not (staff_site.has_permission(request) if at_work else request.user.is_authenticated):
        login_url = "admin:login" if at_work else settings.LOGIN_URL
        return redirect_to_login(request.get_full_path(), login_url=login_url)
    return HttpResponse(
        status=204, headers={LARGEST_HEADER: str(largest), ACCOUNT_HEADER: str(request.user.pk)}
    )


def _turned_away(request: HttpRequest, view: Callable[..., HttpResponse], refusal: Refusal) -> HttpResponse:
    largest = largest_body(view)
    context = {"refusal": refusal.value, "megabytes": largest and largest // 1024**2}
    answer = render(request, "turned_away.html", context, status=STATUS[refusal])
    if refusal is Refusal.CROWDED:
        answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer
