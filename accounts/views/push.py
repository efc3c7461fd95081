"""Notices on the screens of a parent's devices: which these are, and turning them on and off."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import push as devices
from accounts.audit import client_address
from accounts.decorators import parent_required
from accounts.devices import device_hash
from accounts.forms import PushForm
from accounts.models import User
from accounts.visits import note_device
from notifications.clock import read_clock
from notifications.pressing import pressed_on


@never_cache
@require_safe
@parent_required
def push(request: HttpRequest) -> HttpResponse:
    """The devices, and the button for this one, which a script shows where the browser can."""
    if not devices.is_offered():
        raise Http404
    user, here = cast(User, request.user), device_hash(request)
    found = devices.devices_of(user)
    here_too = [one for one in found if here and one.device_hash == here]
    context = {
        "rows": [{"device": one, "is_this": one in here_too} for one in found],
        "is_on_here": any(one.gone_at is None for one in here_too),
        "key": devices.key_for_browsers(),
    }
    return render(request, "accounts/push.html", context)


@pressed_on("accounts:ways")
@parent_required
def push_on(request: HttpRequest) -> HttpResponse:
    """Turn this device on, by what its browser says."""
    form = PushForm(request.POST)
    if not devices.is_offered():
        raise Http404
    if not form.is_valid():
        messages.error(
            request, _("This browser is of no use for that. Try another one, or choose another way")
        )
        return redirect("accounts:push")
    user = cast(User, request.user)
    devices.turn_on(
        request,
        user,
        endpoint=form.cleaned_data["endpoint"],
        keys=form.cleaned_data["keys"],
        now=read_clock(),
    )
    note_device(request)
    messages.success(request, _("This device shows your notices now. Try it: send yourself a test message"))
    return redirect("accounts:ways")


@pressed_on("accounts:ways")
@parent_required
def push_off(request: HttpRequest) -> HttpResponse:
    """Turn the device named in the form off."""
    user = cast(User, request.user)
    try:
        asked = UUID(request.POST.get("device", ""))
    except ValueError:
        asked = None
    if asked and devices.turn_off(user, asked, address=client_address(request), now=read_clock()):
        messages.success(request, _("That device shows your notices no more"))
    return redirect("accounts:push")
