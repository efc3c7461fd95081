"""What thousands ask in the same second is worked out once: the memory for it, and the pages that are served from it.

Every process has its own memory. It lasts to the end of the second that the page shows, so what is read from it was
true in that second; nothing is ever granted by it.
"""

import secrets
from collections.abc import Callable, Hashable
from datetime import datetime
from threading import Lock
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language

V = TypeVar("V")

# Stands in a shared page where each visitor's own token belongs. Nobody outside of the process knows it.
_TOKEN = secrets.token_hex(32)


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
        self._kept: tuple[int, dict[Hashable, _Slot[V]]] = (0, {})

    def get(self, key: Hashable, *, now: datetime, make: Callable[[], V]) -> V:
        """What `make` returned for `key` in the second of `now`, or returns now."""
        if not settings.REMEMBER_FOR_A_SECOND:
            return make()
        slots = self._slots(int(now.timestamp()))
        if key not in slots and len(slots) >= self._room:
            return make()
        return slots.setdefault(key, _Slot()).get(make)

    def _slots(self, second: int) -> dict[Hashable, _Slot[V]]:
        if self._kept[0] != second:
            self._kept = (second, {})
        return self._kept[1]


_pages: Moment[bytes] = Moment(room=100)


def shared_page(
    request: HttpRequest,
    template: str,
    *,
    key: Hashable,
    now: datetime,
    context: Callable[[], dict[str, Any]],
) -> HttpResponse:
    """A page that is the same for everyone with this `key`, rendered once a second for each address and language.

    `key` holds whatever else the page depends on: the chosen place, who is signed in as far as it shows. Forms get the
    visitor's own token. Whoever has a message to read gets a page of their own.
    """
    if len(get_messages(request)):
        return render(request, template, context())
    page = _pages.get(
        (get_language(), request.get_full_path(), key),
        now=now,
        make=lambda: render_to_string(template, context() | {"csrf_token": _TOKEN}, request).encode(),
    )
    return HttpResponse(page.replace(_TOKEN.encode(), get_token(request).encode()))
