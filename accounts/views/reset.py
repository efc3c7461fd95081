"""A forgotten password: phone, then the code and the IIN, then a new password.

An unknown number goes through the same pages and never gets a code. Holding the phone is not enough, since it may have
been found or its number reassigned: the visitor must also know whose account it is.
"""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import limits, services
from accounts.audit import client_address
from accounts.devices import remember_device
from accounts.forms import NewPasswordForm, OwnerForm
from accounts.journal_actions import Action
from accounts.models import SmsCode
from accounts.owner_proofs import owner_of_number
from accounts.passwords import normalise_password
from accounts.phones import display_phone
from accounts.progress import Reset, forget, keep_reset, reset_of, session_secret
from accounts.views import code_step
from notifications.clock import read_clock

RESET = SmsCode.Purpose.RESET


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Whose password it is. Opened again later, it starts over with another number."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    return code_step.ask_for_phone(
        request,
        reset_of(request.session),
        keep=keep_reset,
        purpose=RESET,
        template="accounts/reset_phone.html",
        code_page="accounts:reset_code",
    )


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    now = read_clock()
    reset = reset_of(request.session)
    if reset.is_verified(now=now):
        return redirect("accounts:reset_new")
    if not reset.phone or reset.verified_at:
        return _go_back(request, reset)
    if "resend" in request.POST:
        if code_step.resend(request, phone=reset.phone, purpose=RESET, now=now):
            keep_reset(request.session, replace(reset, sent_at=now.isoformat()))
        return redirect("accounts:reset_code")
    form = OwnerForm(request.POST if request.method == "POST" else None)
    owner = owner_of_number(reset.phone) if form.is_valid() else None
    if form.is_valid() and _is_owner(request, form, reset, now=now):
        if owner is None:
            return _begin_again(request)
        # Somebody who knew this session before must not set the password with it.
        request.session.cycle_key()
        keep_reset(request.session, reset.proven_by(owner, now=now))
        return redirect("accounts:reset_new")
    context = code_step.page(form, phone=reset.phone, sent_at=reset.sent_at, now=now)
    return render(request, "accounts/reset_code.html", context)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """Set it once, within ten minutes of the code; all sessions of the account end."""
    now = read_clock()
    reset = reset_of(request.session)
    if not reset.is_verified(now=now):
        return _go_back(request, reset)
    user = reset.owner
    if user is None:
        return _begin_again(request)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, user=user)
    # Without renewing the hash, by which the account would be another one.
    if form.is_valid() and check_password(normalise_password(form.cleaned_data["password"]), user.password):
        form.add_error("password", _("This is your present password: sign in with it, or enter another one"))
    elif form.is_valid():
        try:
            services.change_password(
                user,
                password=form.cleaned_data["password"],
                action=Action.PASSWORD_RESET,
                address=client_address(request),
                now=now,
            )
        except services.ChangedMeanwhile:
            return _begin_again(request)
        forget(request.session)
        messages.success(request, _("The password is changed. Sign in with the new one"))
        response = redirect("accounts:login")
        remember_device(response, request, user)
        return response
    context = {"form": form, "phone": display_phone(reset.phone)}
    return render(request, "accounts/reset_new.html", context)


def _is_owner(request: HttpRequest, form: OwnerForm, reset: Reset, *, now: datetime) -> bool:
    """Whether the form holds the right code and knows whose account it is; otherwise it says so, not which."""
    tries = [(limits.RESET_PER_SESSION, session_secret(request.session))]
    allowed = limits.allow_all([], watched=tries, now=now)
    if not allowed.ok:
        form.add_error(None, code_step.too_many(allowed.retry_at, now=now))
        return False
    try:
        is_right = code_step.check(
            request,
            form,
            phone=reset.phone,
            purpose=RESET,
            proves_more=lambda: services.is_owner(reset.phone, form.cleaned_data["proof"], now=now),
            now=now,
        )
    except services.TooManyTries as refusal:
        # Only somebody who read the code on this phone gets here.
        form.add_error(None, code_step.too_many(refusal.retry_at, now=now))
        return False
    if not is_right:
        limits.allow_all(tries, now=now)
    return is_right


def _begin_again(request: HttpRequest) -> HttpResponse:
    """The account was changed, or blocked, since the code was sent."""
    forget(request.session)
    messages.warning(request, code_step.changed_meanwhile())
    return redirect("accounts:reset")


def _go_back(request: HttpRequest, reset: Reset) -> HttpResponse:
    """To the first step that is not done or has expired."""
    if not reset.verified_at:
        return redirect("accounts:reset_code" if reset.phone else "accounts:reset")
    keep_reset(request.session, Reset())
    messages.warning(
        request, _("The time for a new password is over: ten minutes after the code. Request a new code")
    )
    return redirect("accounts:reset")
