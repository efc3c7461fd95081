"""The inbox: what the portal has told this person."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, translate_url
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from notifications.clock import read_clock
from notifications.models import Notice
from notifications.pressing import pressed_on
from notifications.selectors import inbox_of, unread_count
from notifications.services import mark_all_read, mark_read, mark_seen

PAGE_SIZE = 20


@require_GET
@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    """The notices, newest first. What is shown is read from now on; this once it is still marked as new."""
    page = Paginator(inbox_of(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    # One query, whose rows keep the mark that `mark_seen` takes from the database.
    page.object_list = list(page.object_list)
    if not _is_prefetched(request):
        mark_seen(page.object_list, now=read_clock())
    context = {"page": page, "unread": unread_count(request.user), "tabs": _tabs()}
    return render(request, "notifications/inbox.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def open_notice(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Redirect to what the notice is about; a POST also marks it read."""
    notice = get_object_or_404(inbox_of(request.user), pk=pk)
    if request.method == "POST":
        mark_read(notice, now=read_clock())
    return redirect(target_of(notice))


@pressed_on("notifications:inbox")
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    count = mark_all_read(request.user, now=read_clock())
    if count:
        text = ngettext("Marked as read: %(count)s notice", "Marked as read: %(count)s notices", count)
        messages.success(request, text % {"count": count})
    return redirect("notifications:inbox")


def _is_prefetched(request: HttpRequest) -> bool:
    """Whether a browser fetches the page beforehand, so that nobody may ever look at it."""
    return request.headers.get("Sec-Purpose", "").startswith("prefetch")


def target_of(notice: Notice) -> str:
    """The address that the notice links to, in the language of the page; the inbox if there is none."""
    if not notice.link:
        return reverse("notifications:inbox")
    language = get_language()
    # It is stored without a language, so only the default language can resolve it.
    with override("kk"):
        return translate_url(notice.link, language)


def _tabs() -> list[dict[str, object]]:
    return [
        {"label": _("Inbox"), "url": reverse("notifications:inbox"), "current": True},
        {"label": _("User's journal"), "url": reverse("accounts:journal"), "current": False},
    ]
