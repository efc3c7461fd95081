"""Who may wait for a peer, and for how long.

A peer is identified by its scheme, host and port. Each process keeps its own record of one (how many threads wait for
it, how often it failed): a process that has not asked yet finds out for itself.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Final

from django.conf import settings

from notifications.peers.breaker import Breaker
from notifications.peers.wire import PUBLIC, Answer, Broken, Papers, exchange, parse_address

logger = logging.getLogger(__name__)

FAILURES: Final = 3
# Longer than any call may last.
REST_SECONDS: Final = 30.0


class Unavailable(Exception):
    """No usable answer. The text is a short code: addresses and bodies hold keys, phones and names.

    `was_asked` says whether the peer may have taken the question all the same.
    """

    def __init__(self, code: str, *, was_asked: bool = False) -> None:
        super().__init__(code)
        self.was_asked = was_asked


class NotAsked(Unavailable):
    """Nothing was sent: too many threads are waiting for the peer, or it rests after failures. Ask later."""


@dataclass
class Peer:
    """What this process remembers about a peer."""

    waiting: BoundedSemaphore
    breaker: Breaker = field(default_factory=lambda: Breaker(failures=FAILURES, rest=REST_SECONDS))


_peers: dict[tuple[str, str, int | None], Peer] = {}
_finding = Lock()


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
    papers: Papers = PUBLIC,
    at_once: int = 0,
    name: str = "",
) -> Answer:
    """POST `body` and return the answer, whatever its status, within `seconds`. Never call it in a transaction.

    `papers` is whom we trust and who we are over TLS, `name` what the log calls the peer; its host without it.

    Raises `NotAsked` at once, without sending anything, when `at_once` threads of this process wait for the peer
    (`settings.THREADS_PER_PEER` without it; the first call for a peer decides), or when it rests: after three calls in
    a row without an answer, or with a status of 500 or more, it is asked once in half a minute until it answers. Raises
    `Unavailable` when no whole answer came.
    """
    return _call(
        "POST", url, body=body, headers=headers, seconds=seconds, papers=papers, at_once=at_once, name=name
    )


def get(url: str, *, headers: Mapping[str, str], seconds: float) -> Answer:
    """The same with GET, for an address that holds nothing of anybody."""
    return _call("GET", url, body=b"", headers=headers, seconds=seconds, papers=PUBLIC)


def _call(
    method: str,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
    papers: Papers,
    at_once: int = 0,
    name: str = "",
) -> Answer:
    try:
        parts = parse_address(url)
    except Broken as error:
        raise Unavailable(str(error)) from None
    with _finding:
        most = BoundedSemaphore(at_once or settings.THREADS_PER_PEER)
        peer = _peers.setdefault((parts.scheme, parts.hostname or "", parts.port), Peer(most))
    if not peer.waiting.acquire(blocking=False):
        raise NotAsked("busy")
    try:
        return _ask(
            peer,
            method,
            url,
            body=body,
            headers=headers,
            seconds=seconds,
            papers=papers,
            name=name or parts.hostname or "",
        )
    finally:
        peer.waiting.release()


def _ask(
    peer: Peer,
    method: str,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
    papers: Papers,
    name: str,
) -> Answer:
    if not peer.breaker.admits(now=time.monotonic()):
        raise NotAsked("resting")
    try:
        answer = exchange(
            url, method=method, body=body, headers=headers, seconds=min(seconds, REST_SECONDS), papers=papers
        )
    except Broken as error:
        _note(peer, name, trouble=str(error))
        raise Unavailable(str(error), was_asked=error.was_asked) from None
    _note(peer, name, trouble=f"HTTP {answer.status}" if answer.status >= 500 else "")
    return answer


def _note(peer: Peer, name: str, *, trouble: str) -> None:
    if peer.breaker.note(went_well=not trouble, now=time.monotonic()):
        logger.error("%s gives no usable answer (%s) and is left alone for %d s", name, trouble, REST_SECONDS)
