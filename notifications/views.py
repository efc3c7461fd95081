"""The inbox: what the portal has told this person, and what of it they have put away."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, translate_url
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from notifications import services
from notifications.clock import read_clock
from notifications.forms import InboxFilter
from notifications.kinds import Topic
from notifications.models import Notice
from notifications.pressing import pressed_on
from notifications.selectors import inbox_of, names_of_known, unread_count
from notifications.targets import label_of
from notifications.traces import ways_of

PAGE_SIZE = 20
# In the session until the inbox is shown again: what was put away last, and when.
_PUT_AWAY: Final = "notices_put_away"


@require_GET
@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    """The notices, newest first. What is shown is read from now on; this once it is still marked as new."""
    return _shelf(request, is_archive=False)


@require_GET
@login_required
def archive(request: HttpRequest) -> HttpResponse:
    """The notices that were put away, newest first."""
    return _shelf(request, is_archive=True)


def _shelf(request: HttpRequest, *, is_archive: bool) -> HttpResponse:
    filters = _filters(request)
    shelf = inbox_of(request.user).filter(archived_at__isnull=not is_archive)
    page = Paginator(filters.search(shelf), PAGE_SIZE).get_page(request.GET.get("page"))
    # One query, whose rows keep the mark that `mark_seen` takes from the database.
    page.object_list = notices = list(page.object_list)
    now = read_clock()
    traces = ways_of(notices, now=now)
    context: dict[str, Any] = {
        "page": page,
        "rows": [
            {
                "notice": one,
                "leads_to": label_of(one.link) if one.link else "",
                "traces": traces.get(one.pk),
            }
            for one in notices
        ],
        "filters": filters,
        "is_archive": is_archive,
        "is_other_empty": not notices
        and not inbox_of(request.user).filter(archived_at__isnull=is_archive).exists(),
        "tabs": _tabs("archive" if is_archive else "inbox"),
    }
    if not _is_prefetched(request):
        services.mark_seen(notices, now=now)
        context["put_away"] = request.session.pop(_PUT_AWAY, None)
    context["unread"] = 0 if is_archive else unread_count(request.user)
    return render(request, "notifications/inbox.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def open_notice(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Redirect to what the notice is about; a POST also marks it read."""
    notice = get_object_or_404(inbox_of(request.user), pk=pk)
    if request.method == "POST":
        services.mark_read(notice, now=read_clock())
    return redirect(target_of(notice))


@pressed_on("notifications:inbox")
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    count = services.mark_all_read(request.user, now=read_clock())
    if count:
        text = ngettext("Marked as read: %(count)s notice", "Marked as read: %(count)s notices", count)
        messages.success(request, text % {"count": count})
    return redirect("notifications:inbox")


@pressed_on("notifications:inbox")
@login_required
def put_away(request: HttpRequest) -> HttpResponse:
    """Archive the notice `notice`, or without it everything read that the filters show. The inbox offers to undo it."""
    now, filters = read_clock(), _filters(request)
    shown = inbox_of(request.user).filter(archived_at=None)
    one = _one_of(shown, request)
    everything = filters.search(shown).exclude(read_at=None)
    count = services.put_away(everything if one is None else one, now=now)
    if count:
        request.session[_PUT_AWAY] = {"count": count, "at": now.isoformat()}
    return redirect(reverse("notifications:inbox") + filters.query)


@pressed_on("notifications:archive")
@login_required
def put_back(request: HttpRequest) -> HttpResponse:
    """Take the notice `notice` out of the archive, or without it everything that was put away at the instant `at`."""
    archived, filters = inbox_of(request.user).exclude(archived_at=None), _filters(request)
    one = _one_of(archived, request)
    count = services.put_back(_gone_together(archived, request) if one is None else one)
    if count:
        text = ngettext("Back in the inbox: %(count)s notice", "Back in the inbox: %(count)s notices", count)
        messages.success(request, text % {"count": count})
    return redirect(
        reverse("notifications:inbox" if one is None else "notifications:archive") + filters.query
    )


def target_of(notice: Notice) -> str:
    """The address that the notice links to, in the language of the page; the inbox if there is none."""
    if not notice.link:
        return reverse("notifications:inbox")
    language = get_language()
    # It is stored without a language, so only the default language can resolve it.
    with override("kk"):
        return translate_url(notice.link, language)


def _filters(request: HttpRequest) -> InboxFilter:
    """As the address asks or, for a button, as the page said on which it was pressed."""
    asked = request.POST if request.method == "POST" else request.GET
    topics = [topic for topic in Topic if topic is not Topic.WORK]
    return InboxFilter(asked, topics=topics, children=names_of_known(request.user.pk))


def _one_of(notices: QuerySet[Notice], request: HttpRequest) -> QuerySet[Notice] | None:
    """That of `notices` which the form names, if it names one. Raises `Http404` for what is no name at all."""
    if "notice" not in request.POST:
        return None
    try:
        return notices.filter(pk=UUID(request.POST["notice"]))
    except ValueError:
        raise Http404 from None


def _gone_together(notices: QuerySet[Notice], request: HttpRequest) -> QuerySet[Notice]:
    """Those that were put away at the instant which the form names. Raises `Http404` for what is no instant."""
    try:
        at = parse_datetime(request.POST.get("at", ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Http404
    return notices.filter(archived_at=at)


def _is_prefetched(request: HttpRequest) -> bool:
    """Whether a browser fetches the page beforehand, so that nobody may ever look at it."""
    return request.headers.get("Sec-Purpose", "").startswith("prefetch")


def _tabs(current: str) -> list[dict[str, object]]:
    return [
        {"label": _("Inbox"), "url": reverse("notifications:inbox"), "current": current == "inbox"},
        {"label": _("Archive"), "url": reverse("notifications:archive"), "current": current == "archive"},
        {"label": _("User's journal"), "url": reverse("accounts:journal"), "current": False},
    ]
