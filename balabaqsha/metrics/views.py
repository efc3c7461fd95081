"""The address that programs read metrics from; no session opens it, and without a token it is not there."""

from secrets import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from balabaqsha.metrics.told import told


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in Prometheus' text format within two seconds, also while the database or Redis hangs.

    For whoever sends `METRICS_TOKEN` as a bearer (RFC 6750). 401 with another one; 404 where none is set.
    """
    if not settings.METRICS_TOKEN:
        return HttpResponse(
            "There are no metrics here.\n", status=404, content_type="text/plain; charset=utf-8"
        )
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_right = compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not is_right:
        return HttpResponse(
            "A bearer token is needed.\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return HttpResponse(told(), content_type=CONTENT_TYPE_LATEST)
