"""The page after too many tries: when to try again, and what can be done meanwhile."""

from datetime import datetime, timedelta
from typing import Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import http_date

from notifications.clock import estimate_clock

# What was tried: it decides which alternative the page offers.
Way = Literal["sign_in", "look_up", "queue", "paper"]


def limited(request: HttpRequest, retry_at: datetime | None, *, way: Way) -> HttpResponse:
    """The answer to an attempt that `accounts.limits` did not allow: 429, or 503 while nothing can be counted."""
    status = 429 if retry_at else 503
    shown = whole_minute(retry_at) if retry_at else None
    context = {"retry_at": shown, "minutes": _minutes_until(shown), "way": way}
    answer = render(request, "429.html", context, status=status)
    if shown:
        answer.headers["Retry-After"] = http_date(shown.timestamp())
    return answer


def _minutes_until(moment: datetime | None) -> int:
    """How many minutes are left, counted up; nothing to wait for is 0."""
    return 0 if moment is None else max(0, -((estimate_clock() - moment) // timedelta(minutes=1)))


def whole_minute(moment: datetime) -> datetime:
    """The first whole minute not before `moment`: pages show no seconds, and nobody must be told to come too early."""
    begun = moment.replace(second=0, microsecond=0)
    return begun if begun == moment else begun + timedelta(minutes=1)
