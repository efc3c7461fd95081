"""Wrong data: a parent says what is wrong, and reads by when it is answered, and the answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import limits
from accounts.audit import client_address
from accounts.decorators import parent_required
from accounts.models import Objection
from accounts.typed import refilled
from accounts.views.code_step import too_many
from applications.moves import Refused
from applications.objections import (
    ANSWER_WORKING_DAYS,
    child_of,
    children_to_choose,
    objections_of,
    send_objection,
)
from applications.views.cabinet.forms import ObjectionForm
from applications.views.people import parent
from notifications.clock import estimate_clock, read_clock

_TAGS = {
    Objection.Answer.MENDED: ("success", "check-circle"),
    Objection.Answer.STANDS: ("neutral", "minus"),
    Objection.Answer.NOT_OURS: ("neutral", "minus"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def objections(request: HttpRequest) -> HttpResponse:
    """The form, and what was sent before; `child` in the address chooses the child."""
    now, user = read_clock(), parent(request)
    form = ObjectionForm(
        request.POST if request.method == "POST" else None,
        children=children_to_choose(user),
        initial=_initial(request.GET.get("child", "")),
    )
    form = refilled(request, form)
    if form.is_bound and form.is_valid():
        allowed = limits.allow(limits.OBJECTIONS_PER_ACCOUNT, str(user.pk), now=now)
        try:
            if allowed.ok:
                sent = send_objection(user, **form.cleaned_data, address=client_address(request), now=now)
                messages.success(request, _("Sent. Below stands by when it is answered."))
                return redirect("applications:objection", sent.pk)
            form.add_error(None, too_many(allowed.retry_at, now=now))
        except Refused as refused:
            form.add_error(None, str(refused))
    context = {
        "form": form,
        "days": ANSWER_WORKING_DAYS,
        "sent": [
            {"objection": one, "name": capfirst(one.get_about_display()), **_state(one, now=now)}
            for one in objections_of(user)
        ],
    }
    return render(request, "applications/objections.html", context)


@require_safe
@parent_required
def objection(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One of one's own: what was sent, the day of the answer, the answer."""
    now = estimate_clock()
    own = objections_of(parent(request)).filter(pk=pk).first()
    if own is None:
        raise Http404
    child = child_of(own)
    rows: list[dict[str, Any]] = [
        {"label": _("Which data is wrong"), "value": capfirst(own.get_about_display())},
        *([{"label": _("Child"), "value": child.full_name}] if child is not None else []),
        {"label": _("What is wrong"), "value": own.wrong},
        {"label": _("What would be right"), "value": own.right},
        {"label": _("Sent"), "at": own.sent_at},
    ]
    return render(
        request, "applications/objection.html", {"objection": own, "rows": rows, **_state(own, now=now)}
    )


def _initial(child: str) -> dict[str, Any]:
    """A child that is not the reader's own is no choice of the list, and is left out by it."""
    return {"about": Objection.About.CHILD, "child": child} if child else {}


def _state(one: Objection, *, now: datetime) -> dict[str, Any]:
    if one.answer:
        tone, icon = _TAGS[Objection.Answer(one.answer)]
        return {"state": capfirst(one.get_answer_display()), "tone": tone, "icon": icon}
    if one.is_late(now=now):
        return {"state": _("The answer is late"), "tone": "warning", "icon": "alert"}
    return {"state": _("Waits for an answer"), "tone": "info", "icon": "clock"}
