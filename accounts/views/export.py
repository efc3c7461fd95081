"""A copy of one's own data: asking for it, how far it is, downloading it.

The password is confirmed by one page and the file comes from another address: a page that answers with a file stays
as it is in the browser, with its error of before, the typed password and a button that has been pressed.
"""

from datetime import datetime, timedelta
from typing import Final, cast

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.data import exporting
from accounts.decorators import parent_whatever_agreed
from accounts.forms import OwnPasswordForm
from accounts.models import DataExport, User
from accounts.owner_proofs import is_as_it_was, stamp_of
from accounts.views.own_password import is_confirmed
from notifications.clock import read_clock

FILE_NAME = "balabaqsha-data.zip"
# So long after the password the copy can be downloaded, as often as need be.
CONFIRMED_FOR: Final = timedelta(minutes=10)
_CONFIRMED: Final = "copy_confirmed_as"


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def export(request: HttpRequest) -> HttpResponse:
    """The page of one's copy. The password is asked for both to make it and to download it."""
    user, now = cast(User, request.user), read_clock()
    newest = exporting.newest_of(user)
    ready = newest is not None and exporting.is_downloadable(newest, now=now)
    form = OwnPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and is_confirmed(request, form, now=now):
        if newest is not None and ready:
            request.session[_CONFIRMED] = [str(newest.pk), (now + CONFIRMED_FOR).isoformat(), stamp_of(user)]
            return redirect("accounts:export")
        try:
            exporting.ask(user, address=audit.client_address(request), now=now)
        except exporting.TooSoon as soon:
            at = date_format(localtime(soon.free_at), "SHORT_DATETIME_FORMAT")
            form.add_error(
                None, _("One copy a day. The next one can be asked for at: %(time)s") % {"time": at}
            )
        else:
            return redirect("accounts:export")
    state = newest.state if newest is not None else ""
    free = exporting.free_at(newest)
    context = {
        "form": form,
        "export": newest,
        "is_ready": ready,
        "confirmed_until": _confirmed_until(request, newest, now=now) if ready else None,
        "is_under_way": state in (DataExport.State.WAITING, DataExport.State.WORKING),
        "has_failed": state == DataExport.State.FAILED,
        "until": newest.ready_at + exporting.KEPT_FOR if newest is not None and newest.ready_at else None,
        "free_at": free if free is not None and now < free else None,
    }
    return render(request, "accounts/export.html", context)


@require_safe
@parent_whatever_agreed
def export_file(request: HttpRequest) -> HttpResponse:
    """The copy itself, for some minutes after the password; otherwise the page that asks for it."""
    user, now = cast(User, request.user), read_clock()
    newest = exporting.newest_of(user)
    if newest is not None and exporting.is_downloadable(newest, now=now):
        if _confirmed_until(request, newest, now=now):
            try:
                # Django sends any response; the decorators' types know only one kind.
                return cast(HttpResponse, _file(newest, request, user))
            except FileNotFoundError:
                messages.warning(request, _("The copy is no longer kept. Ask for a new one tomorrow"))
        else:
            messages.info(request, _("Confirm with your password once more"))
    return redirect("accounts:export")


def _confirmed_until(request: HttpRequest, newest: DataExport | None, *, now: datetime) -> datetime | None:
    """Until when the owner may download `newest` without the password; None if it is to be confirmed first.

    Like every proof of an owner it falls when the password or the number changes (`accounts.owner_proofs`).
    """
    copy, until, stamp = request.session.get(_CONFIRMED) or ("", "", "")
    if newest is None or copy != str(newest.pk) or not is_as_it_was(cast(User, request.user), stamp):
        return None
    ends = datetime.fromisoformat(until)
    return ends if now < ends else None


def _file(ready: DataExport, request: HttpRequest, user: User) -> HttpResponseBase:
    response = FileResponse(
        ready.file.open("rb"), as_attachment=True, filename=FILE_NAME, content_type="application/zip"
    )
    response["Cache-Control"] = "private, no-store"
    exporting.note_download(user, address=audit.client_address(request), now=read_clock())
    return response
