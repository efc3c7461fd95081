"""Closing one's account, and opening it again within thirty days."""

from datetime import datetime
from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.data import leaving
from accounts.data.parts import parts
from accounts.decorators import parent_whatever_agreed
from accounts.forms import OwnPasswordForm
from accounts.models import User
from accounts.views.own_password import is_confirmed
from accounts.visits import store
from notifications.clock import read_clock
from notifications.locks import Busy


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@parent_whatever_agreed
def leave(request: HttpRequest) -> HttpResponse:
    """What closing the account costs, what stays, and the password that confirms it."""
    user, now = cast(User, request.user), read_clock()
    if user.is_staff:
        return render(request, "accounts/leave.html", {"is_staff": True})
    form = OwnPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and is_confirmed(request, form, now=now):
        try:
            leaving.leave(user, address=audit.client_address(request), now=now)
        except Busy:
            form.add_error(
                None, _("Somebody is changing your applications at this moment. Try again in a minute")
            )
        else:
            logout(request)
            messages.success(request, _("Your account is closed. Sign in within 30 days to open it again"))
            return redirect("home")
    context = {
        "form": form,
        "losses": [one for part in parts() for one in part.losses(user, now=now)],
        "stays": [one for part in parts() for one in part.stays(user, now=now)],
    }
    return render(request, "accounts/leave.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def come_back(request: HttpRequest) -> HttpResponse:
    """The only page of a closed account: until when it can be opened again, and the password that does so.

    An open session alone is not enough: the owner may have closed the account because somebody else has one. Who has no
    password came in by a provider of identity, and anew.
    """
    user, now = cast(User, request.user), read_clock()
    if user.leaving_since is None:
        return redirect("accounts:profile" if hasattr(user, "profile") else "home")
    has_password = user.has_usable_password()
    if not has_password and not _signed_in_since(request, user.leaving_since):
        logout(request)
        return redirect_to_login(request.path)
    form = OwnPasswordForm(request.POST if request.method == "POST" else None) if has_password else Form()
    is_proven = request.method == "POST" and (not has_password or is_confirmed(request, form, now=now))
    if is_proven and leaving.come_back(user, address=audit.client_address(request), now=now):
        messages.success(request, _("Your account is open again"))
        return redirect("applications:cabinet")
    context = {
        "form": form,
        "until": leaving.comes_back_until(user),
        "may_come_back": leaving.may_come_back(user, now=now),
    }
    return render(request, "accounts/come_back.html", context)


def _signed_in_since(request: HttpRequest, moment: datetime) -> bool:
    session = store(request.session)
    return session.is_familys and session.signed_in_at >= moment
