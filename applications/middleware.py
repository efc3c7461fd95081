"""What a page answers that had to wait too long for its turn."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from applications.refusals import Refusal
from applications.transitions import Refused

RETRY_AFTER_SECONDS = 5


class BusyMiddleware:
    """503 and a way back where a page itself had to change something, and somebody else held it locked.

    Pages end what ran out before they show it (`transitions.settle`), and show nothing that has not been ended.
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
