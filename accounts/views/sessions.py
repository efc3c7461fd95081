"""Where a parent is signed in: the list, «sign out» one by one or everywhere, and «go on» of the page about to end."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.decorators import parent_whatever_agreed
from accounts.models import User
from accounts.visits import end_all, end_one, reading_along, store, visits_of
from notifications.clock import read_clock
from notifications.pressing import pressed_on


@require_safe
@parent_whatever_agreed
def sessions(request: HttpRequest) -> HttpResponse:
    """Each running session: with what, from where, since when and last used when."""
    user = cast(User, request.user)
    visits = visits_of(user, this=request.session.session_key, now=read_clock())
    context = {"visits": visits, "others": len(visits) > 1, "reading_along": reading_along(user)}
    return render(request, "accounts/sessions.html", context)


@pressed_on("accounts:sessions")
@parent_whatever_agreed
def end_session(request: HttpRequest) -> HttpResponse:
    """End the session named in the form; without a name all others, and with `all` this one as well."""
    user, now, address = cast(User, request.user), read_clock(), audit.client_address(request)
    if "all" in request.POST:
        end_all(user, but=request.session.session_key, address=address, now=now)
        logout(request)
        messages.success(request, _("You are signed out on all devices"))
        return redirect("accounts:login")
    if "session" in request.POST:
        if end_one(user, request.POST["session"], address=address, now=now):
            messages.success(request, _("That device is signed out"))
        else:
            messages.info(request, _("That device had been signed out already"))
    else:
        end_all(user, but=request.session.session_key, address=address, now=now)
        messages.success(request, _("All other devices are signed out"))
    # Whoever ended the session of this very page is led to the sign-in from there.
    return redirect("accounts:sessions")


@never_cache
@require_safe
def go_on(request: HttpRequest) -> HttpResponse:
    """For the script that warns before the end: notes the use at once, and tells whether the session lives on."""
    session = store(request.session)
    lives = session.is_familys and session.note_use(now=read_clock())
    return JsonResponse({"lives": lives})
