"""«Stop»: phone, code, what was done lately, «I don't know this person». No password is asked, and nobody is signed in.

An unknown number goes through the same pages and never gets a code. A signed-in user needs no code.
"""

from dataclasses import replace
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import limits, stops
from accounts.audit import client_address
from accounts.forms import CodeForm
from accounts.models import SmsCode, User
from accounts.owner_proofs import owner_of_number
from accounts.progress import Stop, forget, keep_stop, stop_of
from accounts.views import code_step
from notifications.clock import read_clock

STOP = SmsCode.Purpose.STOP


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Whose children it is about. Opened again later, it starts over with another number."""
    if request.user.is_authenticated:
        return redirect("accounts:stop_choose")
    return code_step.ask_for_phone(
        request,
        stop_of(request.session),
        keep=keep_stop,
        purpose=STOP,
        template="accounts/stop_phone.html",
        code_page="accounts:stop_code",
        more={"kinds": stops.kinds()},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    now = read_clock()
    stop = stop_of(request.session)
    if request.user.is_authenticated or stop.is_verified(now=now):
        return redirect("accounts:stop_choose")
    if not stop.phone or stop.verified_at:
        return _go_back(request, stop)
    if "resend" in request.POST:
        if code_step.resend(request, phone=stop.phone, purpose=STOP, now=now):
            keep_stop(request.session, replace(stop, sent_at=now.isoformat()))
        return redirect("accounts:stop_code")
    form = CodeForm(request.POST if request.method == "POST" else None)
    owner = owner_of_number(stop.phone) if form.is_valid() else None
    if form.is_valid() and code_step.check(request, form, phone=stop.phone, purpose=STOP, now=now):
        if owner is None:
            return _begin_again(request)
        # Somebody who knew this session before must not act with it.
        request.session.cycle_key()
        keep_stop(request.session, stop.proven_by(owner, now=now))
        return redirect("accounts:stop_choose")
    context = code_step.page(form, phone=stop.phone, sent_at=stop.sent_at, now=now)
    return render(request, "accounts/stop_code.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """What was done lately: choose one, read about it, and stop it."""
    now = read_clock()
    if isinstance(request.user, User) and request.user.leaving_since is not None:
        return redirect("accounts:come_back")
    user = _who(request, now=now)
    if user is None:
        stop = stop_of(request.session)
        return _begin_again(request) if stop.is_verified(now=now) else _go_back(request, stop)
    if "finish" in request.POST:
        forget(request.session)
        return redirect("home")
    kind = stops.kind_of(request.POST.get("kind", ""))
    if kind is None:
        return _choices(request, user, now=now)
    if "confirm" in request.POST:
        return _stop(request, user, kind, now=now)
    key = request.POST.get("key", "")
    choice = next((one for one in kind.choices(user, now=now) if one.key == key and not one.state), None)
    if choice is None:
        return _choices(request, user, now=now)
    return render(request, "accounts/stop_confirm.html", {"kind": kind, "choice": choice})


def _choices(request: HttpRequest, user: User, *, now: datetime) -> HttpResponse:
    is_signed_in = request.user.is_authenticated
    shown = []
    for kind in stops.kinds():
        choices = kind.choices(user, now=now)
        advice = kind.advice(user, is_signed_in=is_signed_in, now=now)
        if choices or advice or kind.nothing:
            shown.append({"kind": kind, "choices": choices, "advice": advice})
    context = {"shown": shown, "is_by_code": not is_signed_in}
    return render(request, "accounts/stop_choose.html", context)


def _stop(request: HttpRequest, user: User, kind: stops.Stoppable, *, now: datetime) -> HttpResponse:
    allowed = limits.allow(limits.STOPS_PER_ACCOUNT, str(user.pk), now=now)
    if not allowed.ok:
        said = code_step.too_many(allowed.retry_at, now=now)
        messages.warning(request, f"{said}. {code_step.who_helps()}")
        return redirect("accounts:stop_choose")
    try:
        said = kind.stop(user, request.POST.get("key", ""), address=client_address(request), now=now)
    except stops.NotStopped as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, said)
    return redirect("accounts:stop_choose")


def _begin_again(request: HttpRequest) -> HttpResponse:
    """The account was changed, or blocked, since the code was sent."""
    forget(request.session)
    messages.warning(request, code_step.changed_meanwhile())
    return redirect("accounts:stop")


def _go_back(request: HttpRequest, stop: Stop) -> HttpResponse:
    """To the first step that is not done or has expired."""
    if stop.phone and not stop.verified_at:
        return redirect("accounts:stop_code")
    if stop.verified_at:
        keep_stop(request.session, Stop())
        messages.warning(
            request, _("The time to stop something is over: ten minutes after the code. Request a new code")
        )
    return redirect("accounts:stop")


def _who(request: HttpRequest, *, now: datetime) -> User | None:
    """The signed-in user, or the owner of the account that a code has just proven, as it still is."""
    if isinstance(request.user, User):
        return request.user
    stop = stop_of(request.session)
    return stop.owner if stop.is_verified(now=now) else None
