"""The inbox of the workplace: what an employee was told of work that waits."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, Window
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import User
from notifications.clock import read_clock
from notifications.forms import InboxFilter
from notifications.models import Notice
from notifications.selectors import inbox_of, unread_count
from notifications.services import mark_seen
from notifications.targets import label_of
from notifications.views import target_of

PAGE_SIZE = 20
# How many of the unread ones the start page shows.
MOST_ON_START = 3


@never_cache
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """The notices, newest first, each with the list that it is about. What is shown is read from now on."""
    # All that is told here has one topic, and what was put away in the cabinet is still work.
    filters = InboxFilter(request.GET, topics=[])
    page = Paginator(filters.search(inbox_of(request.user)), PAGE_SIZE).get_page(request.GET.get("page"))
    notices = list(page.object_list)
    rows = [_row(one) for one in notices]
    mark_seen(notices, now=read_clock())
    context = {
        **admin.site.each_context(request),
        "title": gettext("Messages to you"),
        "rows": rows,
        "page": page,
        "filters": filters,
    }
    return TemplateResponse(request, "admin/inbox.html", context)


def unread(request: HttpRequest) -> Any:
    """How many notices the employee has not read: counted once a page, and only where it is shown."""
    return SimpleLazyObject(lambda: unread_count(request.user))


def newest_unread(user: User) -> tuple[list[dict[str, Any]], int]:
    """The newest messages that the employee has not read, and how many there are in all; one query.

    For the start page, which does not count as reading.
    """
    rows = inbox_of(user).filter(read_at=None).annotate(number=Window(Count("pk")))
    newest = list(rows[:MOST_ON_START])
    return [_row(one) for one in newest], newest[0].number if newest else 0


def _row(notice: Notice) -> dict[str, Any]:
    if not notice.link:
        return {"notice": notice, "url": ""}
    return {"notice": notice, "url": target_of(notice), "leads_to": label_of(notice.link)}
