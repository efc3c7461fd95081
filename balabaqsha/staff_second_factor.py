"""Where an employee without an authenticator app sets one up: after a reset, before anything else in the workplace."""

from base64 import b32encode
from typing import Any

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from accounts import second_factor
from accounts.audit import client_address
from accounts.models import User
from notifications.clock import read_clock


class AppCodeForm(forms.Form):
    token = forms.CharField(
        label=_("One-time code"),
        help_text=_("The six digits that the app shows after it has read the picture or the key."),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


def must_set_up_app(user: User | AnonymousUser) -> bool:
    """Whether the employee came in with an emergency code and has no app: nothing else is open to them."""
    if not settings.STAFF_SECOND_FACTOR or not isinstance(user, User):
        return False
    device: Any = getattr(user, "otp_device", None)
    return getattr(device, "name", "") == second_factor.AFTER_RESET


@never_cache
def set_up_app(request: HttpRequest) -> HttpResponse:
    """Show the owner the key of a new app and take its first code. Whoever has an app sees no key here."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    if second_factor.has_app(user.pk):
        messages.info(
            request,
            gettext(
                "Your authenticator app is set up. If the phone is lost or new, ask the system administrator to reset "
                "the second factor."
            ),
        )
        return HttpResponseRedirect(reverse("admin:index"))
    app = second_factor.app_to_set_up(user, request.session)
    form = AppCodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        device = second_factor.set_up_app(
            user,
            form.cleaned_data["token"],
            session=request.session,
            address=client_address(request),
            now=read_clock(),
        )
        if device is not None:
            django_otp.login(request, device)
            messages.success(
                request, gettext("The authenticator app is set up. From now on it opens the workplace.")
            )
            return HttpResponseRedirect(reverse("admin:index"))
        form.add_error("token", gettext("This is not the code that the app shows now. Enter the next one."))
    context = {
        **admin.site.each_context(request),
        "title": gettext("Set up the authenticator app"),
        "form": form,
        "key": " ".join(_fours(b32encode(app.bin_key).decode())),
        "picture": SafeString(segno.make(app.config_url).svg_inline(scale=5, border=4, light="#fff")),
        "reset": second_factor.last_reset(user),
    }
    return TemplateResponse(request, "admin/set_up_app.html", context)


def _fours(key: str) -> list[str]:
    return [key[at : at + 4] for at in range(0, len(key), 4)]
