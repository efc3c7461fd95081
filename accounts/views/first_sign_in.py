"""The first sign-in of a person whom an employee has registered: login number and code from the paper, then a password.

Whatever is wrong, the answer is the same. Wrong ones count as wrong passwords of the network do.
"""

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import first_sign_in, limits
from accounts.audit import client_address
from accounts.devices import remember_device
from accounts.forms import FirstPasswordForm, PaperForm
from accounts.progress import OnPaper, forget, keep_paper, paper_of
from accounts.views import code_step
from accounts.views.limited import limited
from notifications.clock import read_clock


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def paper(request: HttpRequest) -> HttpResponse:
    """What stands on the paper."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    form = PaperForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now, address = read_clock(), client_address(request)
        allowed = limits.may_check_password(address=address, device="", now=now)
        if not allowed.ok:
            return limited(request, allowed.retry_at, way="sign_in")
        login = form.cleaned_data["login"]
        owner = first_sign_in.owner_of_paper(login, form.cleaned_data["code"], now=now)
        if owner is not None:
            request.session.cycle_key()
            mark = first_sign_in.mark_of(owner.first_sign_in)
            keep_paper(request.session, OnPaper(mark=mark).proven_by(owner, now=now))
            return redirect("accounts:first_password")
        limits.password_was_wrong(address=address, device="", now=now)
        form.add_error(
            None,
            _(
                "The login number or the code is wrong, or the paper is no longer valid: it has ten days and five "
                "tries. The contact centre prints a new one: %(phone)s"
            )
            % {"phone": settings.CONTACT_PHONES[0]},
        )
    return render(request, "accounts/first_paper.html", {"form": form})


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Set the first password, within ten minutes; the paper is used up by it."""
    now: datetime = read_clock()
    held = paper_of(request.session)
    owner = held.owner if held.is_verified(now=now) else None
    if owner is None:
        if held.is_verified(now=now):
            messages.warning(request, code_step.changed_meanwhile())
            forget(request.session)
        return redirect("accounts:first_sign_in")
    form = FirstPasswordForm(request.POST if request.method == "POST" else None, user=owner)
    if form.is_valid():
        user = first_sign_in.first_password(
            held,
            held.mark,
            password_hash=make_password(form.cleaned_data["password"]),
            address=client_address(request),
            now=now,
        )
        forget(request.session)
        if user is None:
            return redirect("accounts:first_sign_in")
        messages.success(request, _("The password is set. Sign in with the login number and the password"))
        response = redirect("accounts:login")
        remember_device(response, request, user)
        return response
    return render(request, "accounts/first_password.html", {"form": form, "login": owner.login})
