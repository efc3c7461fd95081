"""A page that many visitors open in the same second is rendered once for all of them."""

import re
import secrets
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from bulletin.moment import Moment
from notifications.clock import estimate_clock

# Placeholders in a shared page for the visitor's own token, for the instant of sending, and for what this reader alone
# may read. Nobody outside the process knows them, so nobody can smuggle them into a page.
_TOKEN = secrets.token_hex(32)
_INSTANT = secrets.token_hex(32)
_OWN_PART = secrets.token_hex(32)
_OWN = re.compile(f"({_TOKEN}|{_INSTANT}|{_OWN_PART})".encode())


class _Reader(NamedTuple):
    """All that a shared page may know about its reader; templates see it as `user`."""

    is_authenticated: bool


# Each page in pieces; the visitor's own values go between them.
_pages: Moment[list[bytes]] = Moment(room=100)


def shared_page(
    request: HttpRequest,
    template: str,
    *,
    key: Hashable,
    is_signed_in: bool,
    now: datetime,
    context: Callable[[], dict[str, Any]],
    own_part: SafeString | None = None,
) -> HttpResponse:
    """A page that is the same for everyone with this `key`, rendered once a second for each address, host and language.

    `key` holds whatever else the page depends on: the chosen place, the signed-in user's counts. Forms get the
    visitor's own token, and the clock gets the instant of sending. The template knows only `is_signed_in` about the
    reader; `own_part` is this reader's alone, stands where the template names it, and is kept by nobody. A visitor with
    a message to read gets a page of their own. No proxy may cache the response: it contains a token and depends on the
    cookies that the key was read from.
    """
    reader = {"user": _Reader(is_signed_in)}
    if len(get_messages(request)):
        response = render(request, template, context() | reader | {"own_part": own_part or ""})
    else:
        alike = reader | {"csrf_token": _TOKEN, "server_instant": _INSTANT, "own_part": _OWN_PART}
        pieces = _pages.get(
            # A page names its own absolute address.
            (get_language(), request.scheme, request.get_host(), request.get_full_path(), is_signed_in, key),
            now=now,
            make=lambda: _OWN.split(render_to_string(template, context() | alike, request).encode()),
        )
        own = {
            _TOKEN.encode(): get_token(request).encode(),
            _INSTANT.encode(): timezone.localtime(estimate_clock()).isoformat().encode(),
            _OWN_PART.encode(): (own_part or "").encode(),
        }
        response = HttpResponse(b"".join(own.get(piece, piece) for piece in pieces))
    response.headers["Cache-Control"] = "private"
    return response
