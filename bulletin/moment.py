"""What thousands ask in the same second is worked out once: the memory for it, and the pages that are served from it.

Every process has its own memory. It lasts to the end of the second that the page shows, so what is read from it was
true in that second; nothing is ever granted by it.
"""

import re
import secrets
from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language

from notifications.clock import estimate_clock

V = TypeVar("V")

# Whoever asks as of an earlier second took long to get here: that second is over, and the present one's values stay.
# From further back the clock was set, and time begins anew.
LATE_SECONDS = 10

# Stand in a shared page where each visitor's own token, and the instant of sending, belong. Nobody outside of the
# process knows them, so nobody can have them put in elsewhere.
_TOKEN = secrets.token_hex(32)
_INSTANT = secrets.token_hex(32)
_OWN = re.compile(f"({_TOKEN}|{_INSTANT})".encode())


class _Reader(NamedTuple):
    """All that a shared page may know of who reads it: templates ask it of `user`."""

    is_authenticated: bool


class _Slot(Generic[V]):
    """The place of one value; whoever asks while another thread works it out waits for it."""

    def __init__(self) -> None:
        self.making = Lock()
        self.values: list[V] = []

    def get(self, make: Callable[[], V]) -> V:
        with self.making:
            if not self.values:
                self.values.append(make())
            return self.values[0]


class Moment(Generic[V]):
    """Values by key that hold until the second of the clock ends. Safe to share among threads."""

    def __init__(self, *, room: int) -> None:
        """At most `room` values are kept: the keys come from addresses, and those from anybody."""
        self._room = room
        self._finding = Lock()
        self._second = 0
        self._slots: dict[Hashable, _Slot[V]] = {}

    def get(self, key: Hashable, *, now: datetime, make: Callable[[], V]) -> V:
        """What `make` returned for `key` in the second of `now`, or returns now."""
        slot = self._slot(key, int(now.timestamp())) if settings.REMEMBER_FOR_A_SECOND else None
        if slot is None:
            return make()
        try:
            return slot.get(make)
        except Exception:
            # What can't be made (a place that does not exist) shall not take the room of what can.
            self._drop(key, slot)
            raise

    def _slot(self, key: Hashable, second: int) -> _Slot[V] | None:
        """Where the value of that second belongs; None where it is not kept."""
        with self._finding:
            if 0 < self._second - second <= LATE_SECONDS:
                return None
            if second != self._second:
                self._second, self._slots = second, {}
            if key not in self._slots and len(self._slots) >= self._room:
                return None
            return self._slots.setdefault(key, _Slot())

    def _drop(self, key: Hashable, slot: _Slot[V]) -> None:
        with self._finding:
            if self._slots.get(key) is slot:
                del self._slots[key]


# Each page in pieces, between which stands what is each visitor's own.
_pages: Moment[list[bytes]] = Moment(room=100)


def shared_page(
    request: HttpRequest,
    template: str,
    *,
    key: Hashable,
    is_signed_in: bool,
    now: datetime,
    context: Callable[[], dict[str, Any]],
) -> HttpResponse:
    """A page that is the same for everyone with this `key`, rendered once a second for each address and language.

    `key` holds whatever else the page depends on: the chosen place, the counts of whoever is signed in. Forms get the
    visitor's own token, the clock gets the instant of sending; of the reader the template knows nothing but
    `is_signed_in`. Whoever has a message to read gets a page of their own. No proxy may keep the answer: to it belong a
    token and the cookies that the key was read from.
    """
    reader = {"user": _Reader(is_signed_in)}
    if len(get_messages(request)):
        response = render(request, template, context() | reader)
    else:
        alike = reader | {"csrf_token": _TOKEN, "server_instant": _INSTANT}
        pieces = _pages.get(
            (get_language(), request.get_full_path(), is_signed_in, key),
            now=now,
            make=lambda: _OWN.split(render_to_string(template, context() | alike, request).encode()),
        )
        own = {
            _TOKEN.encode(): get_token(request).encode(),
            _INSTANT.encode(): timezone.localtime(estimate_clock()).isoformat().encode(),
        }
        response = HttpResponse(b"".join(own.get(piece, piece) for piece in pieces))
    response.headers["Cache-Control"] = "private"
    return response
