"""What only a web process knows: its requests, counted in its own memory, so that no page asks anybody for it.

Each process has a file for its counters, mapped into its memory, which whichever process is scraped reads too. They are
in a folder that the web server makes as it starts (`serving.server`); without one a process knows its own counters.
"""

import os
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

from applications.views.cabinet.press import PRESSES
from balabaqsha.serving.contract import METRICS_FOLDER, QUESTION, READY_AT

_NO_VIEW: Final = "none"
_STATIC: Final = "static"
# A page takes some 30 ms; a second is slow, and after ten nobody waits any more.
_SECONDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# When each series began is a second series, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]
_own = CollectorRegistry()
REQUESTS = Counter(
    "balabaqsha_requests",
    "Requests answered, by view and class of status.",
    ["view", "status"],
    registry=_own,
)
SECONDS = Histogram(
    "balabaqsha_request_seconds",
    "From the whole request to the beginning of its answer, with the wait for a thread.",
    ["view"],
    buckets=_SECONDS,
    registry=_own,
)
_own.register(PRESSES)


def registry() -> CollectorRegistry:
    """What all web processes of this machine have counted since the server was started."""
    if METRICS_FOLDER not in os.environ:
        return _own
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]
    return of_all


class CountingMiddleware:
    """Counts every request by the name of its view. It comes first, and is not there without `METRICS_TOKEN`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = request.META.get(READY_AT, time.monotonic())
        response = self.get_response(request)
        # What the gateway asks before it takes a large body is no request of anybody.
        if QUESTION not in request.META:
            view = _view_of(request)
            REQUESTS.labels(view, f"{response.status_code // 100}xx").inc()
            SECONDS.labels(view).observe(time.monotonic() - began)
        return response


def _view_of(request: HttpRequest) -> str:
    """A name of ours, of which there are so many, whatever strangers ask for."""
    if request.resolver_match:
        return request.resolver_match.view_name
    return _STATIC if request.path_info.startswith(settings.STATIC_URL) else _NO_VIEW
