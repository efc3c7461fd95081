"""A complaint without an account: a phone, a code that proves it, the form; by the same way the answer is read.

Whoever is signed in goes to the cabinet. An account's number is a number like any other here: the code proves it, and
nothing of the account is shown or changed.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import CodeForm
from accounts.models import Profile, SmsCode
from accounts.progress import Complaining, complaining_of, keep_complaining
from accounts.views import code_step
from applications.complaints.whose import Sender
from applications.views.complaint_pages import VISITOR, one_page, sent_by, write_page
from notifications.clock import read_clock

COMPLAINT: Final = SmsCode.Purpose.COMPLAINT
# What a page that leads here says of the complaint; it is kept over the code.
_ABOUT: Final = ("about", "kindergarten")
_ASKED: Final = "complaint_about"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """By which phone; whoever has proven one just now writes. Families who are signed in write in the cabinet."""
    about = {name: request.GET[name] for name in (*_ABOUT, "application") if name in request.GET}
    if request.user.is_authenticated and Profile.objects.filter(user=request.user).exists():
        address = reverse("applications:new_complaint")
        return redirect(f"{address}?{urlencode(about)}" if about else address)
    if about:
        request.session[_ASKED] = {name: value[:100] for name, value in about.items() if name in _ABOUT}
    kept = complaining_of(request.session)
    if kept.is_verified(now=read_clock()):
        return redirect("applications:complain_write")
    return code_step.ask_for_phone(
        request,
        kept,
        keep=keep_complaining,
        purpose=COMPLAINT,
        template="applications/complain_phone.html",
        code_page="applications:complain_code",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    now, kept = read_clock(), complaining_of(request.session)
    if kept.is_verified(now=now):
        return redirect("applications:complain_write")
    if not kept.phone or kept.verified_at:
        return redirect("applications:complain")
    if "resend" in request.POST:
        if code_step.resend(request, phone=kept.phone, purpose=COMPLAINT, now=now):
            keep_complaining(request.session, replace(kept, sent_at=now.isoformat()))
        return redirect("applications:complain_code")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and code_step.check(request, form, phone=kept.phone, purpose=COMPLAINT, now=now):
        # Somebody who knew this session before must not read with it.
        request.session.cycle_key()
        keep_complaining(request.session, replace(kept, verified_at=now.isoformat()))
        return redirect("applications:complain_write")
    context = code_step.page(form, phone=kept.phone, sent_at=kept.sent_at, now=now)
    return render(request, "applications/complain_code.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """The form, and what was sent from this phone before; whoever leaves has the next person prove a phone."""
    now = read_clock()
    sender = _sender(request, now=now)
    if sender is not None and "leave" in request.POST:
        sender = None
        keep_complaining(request.session, Complaining())
        request.session.pop(_ASKED, None)
    if sender is None:
        return redirect("applications:complain")
    return write_page(
        request,
        sender,
        VISITOR,
        "applications/complain_write.html",
        asked=request.session.get(_ASKED, {}),
        now=now,
        sent=sent_by(sender, now=now),
        one=VISITOR.one,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def complaint(request: HttpRequest, pk: UUID) -> HttpResponse:
    now = read_clock()
    sender = _sender(request, now=now)
    if sender is None:
        return redirect("applications:complain")
    return one_page(request, sender, VISITOR, pk, now=now)


def _sender(request: HttpRequest, *, now: datetime) -> Sender | None:
    kept = complaining_of(request.session)
    return Sender(phone=kept.phone) if kept.is_verified(now=now) else None
