"""The page of the workplace that says how messages do: what waits, how gateways do, what arrives, what it costs."""

from datetime import datetime
from typing import Final, cast

from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from redis.exceptions import RedisError

from notifications import gateways, overview
from notifications.clock import estimate_clock
from notifications.models import Mail, Message, PushMessage, TelegramMessage

_COUNTED_EVERY_SECONDS: Final = 600
SEES_MESSAGES: Final = "notifications.view_message"


@never_cache
@require_GET
def messages_page(request: HttpRequest) -> HttpResponse:
    """Counts of all families together, for who may see messages."""
    if not request.user.has_perm(SEES_MESSAGES):
        raise PermissionDenied
    now = estimate_clock()
    ways: list[tuple[str, type[Message] | type[Mail] | type[TelegramMessage] | type[PushMessage]]] = [
        ("SMS", Message),
        (gettext("E-mail"), Mail),
        ("Telegram", TelegramMessage),
        (gettext("On the screen"), PushMessage),
    ]
    costs = _costs(now)
    context = {
        **admin.site.each_context(request),
        "title": gettext("How messages do"),
        "now": now,
        "waiting": [(name, overview.waiting(model, now=now)) for name, model in ways],
        "gateways": gateways.standings(now=now),
        "arrivals": overview.arrivals(now=now),
        "failures": overview.failures(now=now),
        "costs": costs,
        "cost_in_all": overview.in_all(costs),
    }
    return TemplateResponse(request, "admin/messages.html", context)


def _costs(now: datetime) -> list[overview.Cost]:
    """What the month has cost so far. A city's month has half a million SMS, so they are counted every ten minutes."""
    since = month_of(now)
    try:
        return cast(
            "list[overview.Cost]",
            cache.get_or_set(
                f"sms-costs-{since:%Y-%m}",
                lambda: overview.costs(since=since, until=now),
                timeout=_COUNTED_EVERY_SECONDS,
            ),
        )
    except RedisError:
        return overview.costs(since=since, until=now)


def month_of(now: datetime) -> datetime:
    """The beginning of the month, in the portal's zone."""
    return localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
