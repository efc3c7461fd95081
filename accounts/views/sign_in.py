"""Signing in and out. Whatever is wrong with a sign-in, the answer and its time are the same."""

from datetime import datetime, timedelta
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import audit, limits
from accounts.audit_actions import Action
from accounts.forms import SignInForm
from accounts.models import User
from notifications.clock import estimate_clock, read_clock


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Parents sign in here; employees with the right password are sent to the admin, where the code is asked too."""
    target = _next(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now = read_clock()
        allowed = limits.allow(
            limits.LOGIN_PER_ADDRESS, limits.address_key(audit.client_address(request)), now=now
        )
        if not allowed.ok:
            return _too_many(request, allowed.retry_at)
        user = authenticate(request, username=form.username, password=form.cleaned_data["password"])
        if isinstance(user, User):
            return _enter(request, user, target=target, now=now)
        form.add_error(None, ValidationError(_("The phone number or the password is wrong"), code="sign_in"))
    return render(request, "accounts/login.html", {"form": form, "next": request.GET.get("next", "")})


@require_http_methods(["GET", "HEAD", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """Only a POST signs out, so that no foreign link can; whoever types the address lands on the home page."""
    user = request.user
    if request.method == "POST" and isinstance(user, User):
        audit.record(
            Action.SIGNED_OUT,
            now=read_clock(),
            actor=user,
            subject=user,
            address=audit.client_address(request),
        )
        logout(request)
        messages.success(request, _("You have signed out"))
    return redirect(settings.LOGOUT_REDIRECT_URL)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The answer of django-axes after too many wrong passwords (`AXES_LOCKOUT_CALLABLE`), also in the admin."""
    attempt = (
        AccessAttempt.objects.filter(
            username=(credentials or {}).get("username"), ip_address=audit.client_address(request)
        )
        .order_by("-attempt_time")
        .first()
    )
    pause: timedelta = get_cool_off(request)
    return _too_many(request, (attempt.attempt_time if attempt else estimate_clock()) + pause)


def _enter(request: HttpRequest, user: User, *, target: str, now: datetime) -> HttpResponse:
    if user.is_staff and not hasattr(user, "profile"):
        messages.info(request, _("Employees sign in here, with the code of their second factor"))
        return redirect("admin:login")
    login(request, user)
    audit.record(Action.SIGNED_IN, now=now, actor=user, subject=user, address=audit.client_address(request))
    return redirect(target)


def _next(request: HttpRequest) -> str:
    """Where to go after signing in: `next`, if it is a page of this site, else the cabinet."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return target
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _too_many(request: HttpRequest, retry_at: datetime | None) -> HttpResponse:
    return render(request, "429.html", {"retry_at": retry_at}, status=429)
