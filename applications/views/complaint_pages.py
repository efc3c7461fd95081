"""What the pages of complaints do alike for families in the cabinet and for visitors with a proven phone."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import limits
from accounts.audit import client_address
from accounts.typed import refilled
from accounts.views.code_step import too_many
from applications.complaints.turns import close_complaint, say_not_solved, send_complaint
from applications.complaints.whose import Sender
from applications.models import Application, Complaint
from applications.moves import Refused
from applications.rules.in_force import rules_at
from applications.views.complaint_forms import ComplaintForm, NotSolvedForm
from bulletin.chosen_place import chosen_locality
from bulletin.models import Kindergarten, Locality

Stage = Complaint.Stage
TAGS: Final = {
    Stage.WAITING: ("info", "clock"),
    Stage.LATE: ("warning", "alert"),
    Stage.ANSWERED: ("success", "check-circle"),
    Stage.FOLLOWED: ("info", "clock"),
    Stage.CLOSED: ("neutral", "minus"),
}


class Pages(NamedTuple):
    """The names of the pages of one kind of sender, and their layout."""

    one: str
    all: str
    layout: str


CABINET: Final = Pages("applications:complaint", "applications:complaints", "layout_cabinet.html")
VISITOR: Final = Pages(
    "applications:complaint_of_visitor", "applications:complain_write", "layout_public.html"
)


class Shown(NamedTuple):
    """A complaint with what followed it, as its sender sees it now."""

    complaint: Complaint
    stage: Complaint.Stage
    tone: str
    icon: str


def shown(complaint: Complaint, *, now: datetime) -> Shown:
    stage = complaint.stage(now=now)
    return Shown(complaint, stage, *TAGS[stage])


def sent_by(sender: Sender, *, now: datetime) -> list[Shown]:
    """Each complaint once, the newest first, as far as it has come."""
    return [shown(getattr(one, "second", one), now=now) for one in sender.complaints().filter(first=None)]


def open_about(sender: Sender, application: Application, *, now: datetime) -> list[Shown]:
    """Those about `application` that are not closed."""
    sent = sent_by(sender, now=now)
    return [
        one for one in sent if one.complaint.application_id == application.pk and one.stage != Stage.CLOSED
    ]


def write_page(
    request: HttpRequest,
    sender: Sender,
    pages: Pages,
    template: str,
    *,
    asked: Mapping[str, str],
    now: datetime,
    **more: Any,
) -> HttpResponse:
    """The form; `about`, `application` (a number) and `kindergarten` (a slug) in `asked` fill it. Never trust them."""
    applications = sender.applications()
    named = applications.filter(number=asked.get("application", "")).first()
    kindergarten = Kindergarten.objects.filter(slug=asked.get("kindergarten", "")).first()
    if kindergarten is None and named is not None:
        kindergarten = _kindergarten_of(named)
    initial: dict[str, Any] = {
        "about": asked.get("about", ""),
        "application": named or (applications.first() if applications.count() == 1 else None),
        "kindergarten": kindergarten,
        "locality": _place_of(named, kindergarten) or chosen_locality(request),
    }
    # To find a kindergarten sends nothing: what was written comes back, and nothing of it is judged.
    is_sent = request.method == "POST" and "find" not in request.POST
    if request.method == "POST" and not is_sent:
        initial = request.POST.dict()
    form = refilled(
        request,
        ComplaintForm(
            request.POST if is_sent else None,
            initial=initial,
            applications=applications,
            phones=sender.phones,
        ),
    )
    if form.is_valid():
        sent = _send(request, sender, form, now=now)
        if sent is not None:
            said = _("The complaint is accepted. Its number: %(number)s") % {"number": sent.number}
            messages.success(request, said)
            return redirect(pages.one, sent.pk)
    place = chosen_locality(request)
    context = {"form": form, "days": rules_at(place, now).complaint_working_days, **more}
    return render(request, template, context)


def _kindergarten_of(application: Application) -> Kindergarten | None:
    """That of its newest bid."""
    newest = application.bids.select_related("vacancy__group__kindergarten").order_by("-placed_at").first()
    return newest.vacancy.group.kindergarten if newest else None


def _place_of(application: Application | None, kindergarten: Kindergarten | None) -> Locality | None:
    """Whose officials answer, as in `send_complaint`."""
    return application.locality if application else kindergarten.locality if kindergarten else None


def _send(request: HttpRequest, sender: Sender, form: ComplaintForm, *, now: datetime) -> Complaint | None:
    allowed = limits.allow(limits.COMPLAINTS_PER_SENDER, sender.key, now=now)
    if not allowed.ok:
        form.add_error(None, too_many(allowed.retry_at, now=now))
        return None
    data = form.cleaned_data
    try:
        return send_complaint(
            sender,
            about=data["about"],
            text=data["text"],
            locality=data["locality"],
            application=data.get("application"),
            kindergarten=data.get("kindergarten"),
            language=get_language() or "kk",
            address=client_address(request),
            now=now,
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return None


def one_page(request: HttpRequest, sender: Sender, pages: Pages, pk: UUID, *, now: datetime) -> HttpResponse:
    """One complaint, its answers, and what can be said to the first one."""
    own = sender.complaints().filter(Q(pk=pk) | Q(second=pk), first=None).first()
    if own is None:
        raise Http404
    timezone.activate(own.locality.zone)
    form = NotSolvedForm(request.POST if "not_solved" in request.POST else None, phones=sender.phones)
    act = _act_of(request, form)
    if act is not None:
        try:
            messages.success(request, act(own, actor=sender.user, address=client_address(request), now=now))
        except Refused as refused:
            messages.warning(request, str(refused))
        return redirect(pages.one, own.pk)
    last = getattr(own, "second", own)
    context = {
        "layout": pages.layout,
        "all_url": reverse(pages.all),
        "may_leave": sender.user is None,
        "turns": [shown(one, now=now) for one in dict.fromkeys([own, last])],
        "now_shown": shown(last, now=now),
        "form": refilled(request, form),
        "rows": _rows(own),
    }
    return render(request, "applications/complaint.html", context)


def _act_of(request: HttpRequest, form: NotSolvedForm) -> Callable[..., str] | None:
    """What was pressed: it does that, and says so."""

    def close(own: Complaint, **said: Any) -> str:
        close_complaint(own, **said)
        return _("The complaint is closed.")

    def carry_on(own: Complaint, **said: Any) -> str:
        say_not_solved(own, text=form.cleaned_data["text"], **said)
        return _("Sent to another official.")

    if request.method == "POST" and "solved" in request.POST:
        return close
    return carry_on if form.is_valid() else None


def _rows(own: Complaint) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"label": _("Number"), "value": own.number},
        {"label": _("About what"), "value": capfirst(own.get_about_display())},
        {"label": _("Locality"), "value": own.locality.name},
    ]
    if own.kindergarten is not None:
        rows.append({"label": _("Kindergarten"), "value": own.kindergarten.name})
    if own.application is not None:
        rows.append({"label": _("Application"), "value": own.application.number})
    return rows
