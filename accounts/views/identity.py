"""Signing in through a provider of identity: out to its page, and back with a code that stands for a signed answer.

What ties the two together is an encrypted cookie of the browser, for ten minutes and one return: nobody can be led into
somebody else's account by a link. The server keeps of a visit that it has led back, until the ten minutes are over.
"""

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from accounts import limits, services
from accounts.devices import known_device
from accounts.identity_provider import NotProven, get_provider
from accounts.journal_actions import Action
from accounts.numbers import moves
from accounts.views.sign_in import enter_and_go, wanted_page
from accounts.way_back import whole_address
from notifications.cipher import decrypt, encrypt
from notifications.clock import read_clock

LASTS: Final[timedelta] = limits.IDENTITY_RETURN.window
# Longer is no provider's code.
LONGEST_CODE: Final = 8_000


@dataclass(frozen=True)
class Leaving:
    """A visit to the provider that this browser has begun. `until` is ISO 8601."""

    state: str
    nonce: str
    back: str
    target: str
    until: str


@never_cache
@require_safe
def identity(request: HttpRequest) -> HttpResponse:
    """Leave for the provider's page."""
    provider = get_provider()
    if provider is None:
        raise Http404
    target = wanted_page(request)
    if request.user.is_authenticated:
        return redirect(target)
    leaving = Leaving(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        back=whole_address(request, reverse("accounts:identity_back")),
        target=target,
        until=(read_clock() + LASTS).isoformat(),
    )
    response = redirect(provider.start(state=leaving.state, nonce=leaving.nonce, back=leaving.back))
    response.set_cookie(
        settings.IDENTITY_COOKIE_NAME,
        encrypt(json.dumps(asdict(leaving))),
        max_age=LASTS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


@never_cache
@sensitive_variables()
@require_safe
def identity_back(request: HttpRequest) -> HttpResponse:
    """Come back: whoever is proven signs in to the account with their IIN. Every fault has the same answer."""
    provider = get_provider()
    if provider is None:
        raise Http404
    if request.user.is_authenticated:
        return redirect(wanted_page(request))
    leaving, now = _read(request), read_clock()
    code = request.GET.get("code", "")
    try:
        if leaving is None or not _is_back(request, leaving, now=now) or not 0 < len(code) <= LONGEST_CODE:
            raise NotProven("no way back")
        # Before anything is asked: of any number of returns at once, one goes on. After ten minutes the cookie is over.
        if not limits.allow(limits.IDENTITY_RETURN, leaving.nonce, now=now).ok:
            raise NotProven("came back before")
        proven = provider.finish(code, nonce=leaving.nonce, back=leaving.back, now=now)
    except NotProven:
        messages.warning(
            request,
            _("You were not signed in: the service gave no usable answer. Try again, or use your password"),
        )
        return _done(redirect("accounts:login"))
    user = services.account_with_iin(proven.iin)
    if user is None:
        return _done(render(request, "accounts/identity_unknown.html", {"name": proven.name}))
    # The provider took its time.
    now = read_clock()
    moves.settle(user.username, now=now)
    user.refresh_from_db()
    response = enter_and_go(
        request,
        user,
        is_known=bool(known_device(request, user.username)),
        target=leaving.target,
        action=Action.SIGNED_IN_BY_IDENTITY,
        now=now,
    )
    return _done(response)


def _is_back(request: HttpRequest, leaving: Leaving, *, now: datetime) -> bool:
    state = request.GET.get("state", "")
    is_same = state.isascii() and hmac.compare_digest(state, leaving.state)
    return is_same and now < datetime.fromisoformat(leaving.until)


def _read(request: HttpRequest) -> Leaving | None:
    try:
        return Leaving(**json.loads(decrypt(request.COOKIES.get(settings.IDENTITY_COOKIE_NAME, ""))))
    except (InvalidToken, TypeError, ValueError):
        # No cookie, a forged one, or one from another version of the portal.
        return None


def _done(response: HttpResponse) -> HttpResponse:
    """A way back leads back once."""
    response.delete_cookie(settings.IDENTITY_COOKIE_NAME, samesite="Lax")
    return response
