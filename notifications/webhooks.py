"""Where SMS gateways call the portal to say that they know more about a message.

Whoever calls proves who they are, and is believed nothing that can be asked about (`reports`). An answer is a status
and a word; calling twice, or in any order, changes nothing more.
"""

import json
import logging
from typing import Final

from django.core.cache import cache
from django.db import Error
from django.http import HttpRequest, HttpResponse, RawPostDataException
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from redis.exceptions import RedisError

from notifications.clock import read_clock
from notifications.models import Message
from notifications.reports import ask_soon, message_of, take
from notifications.sms import kannel, mobizon
from notifications.sms.base import Report

logger = logging.getLogger(__name__)

# A report has some hundred bytes.
LARGEST_BODY: Final = 8 * 1024
# Of all reports together; what is turned away is asked about in its time.
MOST_IN_A_MINUTE: Final = 1200


@csrf_exempt
@never_cache
@require_POST
def mobizon_report(request: HttpRequest) -> HttpResponse:
    """The webhook of Mobizon: the message that it names is asked about within seconds."""
    try:
        if len(request.headers.get("Content-Length", "0")) > 6 or len(request.body) > LARGEST_BODY:
            return _answer(413)
        event = json.loads(request.body)
    except (ValueError, RecursionError, RawPostDataException):
        # The last: a form, which a middleware has read.
        return _answer(400)
    number = mobizon.read_report(event)
    if not number:
        return _answer(403)
    if _is_crowded():
        return _answer(429)
    try:
        ask_soon(f"{mobizon.MobizonBackend.name}:{number}", now=read_clock())
    except Error:
        return _away()
    return _answer(200)


@csrf_exempt
@never_cache
@require_GET
def kannel_report(request: HttpRequest) -> HttpResponse:
    """The address that we gave our Kannel for the report about one SMS; it calls with GET alone."""
    report = kannel.read_report(request.GET.get("report", ""), status=request.GET.get("status", ""))
    if report is None:
        return _answer(404)
    try:
        message = message_of(report.message)
        if message is not None and message.state == Message.State.SENDING:
            # It was faster than the worker that handed the message over: it calls again.
            return _answer(503)
        if message is not None and message.provider_id == report.provider_id:
            take(message, Report(report.arrival), now=read_clock())
    except Error:
        return _away()
    return _answer(200)


def _is_crowded() -> bool:
    try:
        cache.add("sms-reports", 0, timeout=60)
        return cache.incr("sms-reports") > MOST_IN_A_MINUTE
    except (RedisError, ValueError):
        return False


def _away() -> HttpResponse:
    logger.warning("A report about an SMS could not be written; its gateway calls again, or is asked.")
    return _answer(503)


def _answer(status: int) -> HttpResponse:
    return HttpResponse(
        "OK" if status == 200 else "", status=status, content_type="text/plain; charset=utf-8"
    )
