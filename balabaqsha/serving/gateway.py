"""Between granian and a WSGI application: a request gets a thread once its whole body has arrived in time.

granian hands a WSGI application the open body, so a sender that sends nothing holds the reading thread. Here bodies are
read on the event loop of the process, which can wait for as many as there are connections.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from balabaqsha.serving import lanes, sockets, wsgi
from balabaqsha.serving.bodies import (
    SMALL_BYTES,
    Allowance,
    Gone,
    LargeBodies,
    Refused,
    announced,
    receive,
    receive_large,
)
from balabaqsha.serving.contract import (
    ACCOUNT_HEADER,
    LARGEST_HEADER,
    PAGE_THREADS,
    PROBED_PATHS,
    QUESTION,
    READY_AT,
    REFUSAL,
    Refusal,
)
from balabaqsha.serving.pulse import EVERY_SECONDS, Pulse
from notifications import patience

logger = logging.getLogger(__name__)

# Every form with a password has such a field; what hashes without one waits for its turn in the hasher.
PASSWORD_FIELD: Final = b"password"
# Only a form of this type carries files, and a small one may take as long as a large one.
FORM_WITH_FILES: Final = "multipart/"


def load(target: str, *, beats: Path) -> Any:
    """The gateway to the WSGI application `module:name`, which beats in that folder; granian takes functions only."""
    patience.wait_at_most(patience.WEB_SECONDS)
    module, _, name = target.partition(":")
    return Gateway(getattr(import_module(module), name), Pulse(beats))


class Gateway:
    """An RSGI application, one for each process."""

    def __init__(self, application: wsgi.Application, pulse: Pulse) -> None:
        self._application = application
        self._pulse = pulse
        self._large = LargeBodies()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._beat()
        # By then granian listens.
        loop.call_soon(sockets.end_silent_connections)
        self._pages = lanes.Lane("page", threads=PAGE_THREADS)
        self._health = lanes.Lane("health", threads=lanes.HEALTH_THREADS)
        self._passwords = lanes.Lane(
            "password",
            threads=lanes.PASSWORD_THREADS,
            waiting=lanes.PASSWORDS_WAITING,
            seconds=lanes.PASSWORD_SECONDS,
            refusal=Refusal.PASSWORDS,
        )
        self._files = lanes.Lane(
            "file", threads=lanes.FILE_THREADS, waiting=lanes.FILES_WAITING, seconds=lanes.FILE_SECONDS
        )

    def _beat(self) -> None:
        self._pulse.beat()
        self._next_beat = self._loop.call_later(EVERY_SECONDS, self._beat)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._next_beat.cancel()
        self._pulse.end()
        self._pages.close()
        self._health.close()
        self._passwords.close()
        self._files.close()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        try:
            length = announced(scope.headers)
            if length == 0:
                lane = self._health if scope.path in PROBED_PATHS else self._pages
                await lane.run(self._work(scope, protocol, BytesIO(), 0))
            elif length is None or length <= SMALL_BYTES:
                await self._serve_small(scope, protocol, await receive(protocol, length=length))
            else:
                await self._serve_large(scope, protocol, length)
        except Refused as refused:
            await self._turn_away(scope, protocol, refused.refusal)
        except Gone:
            protocol.response_empty(400, [])

    async def _serve_small(self, scope: Any, protocol: Any, body: bytes) -> None:
        lane = self._lane_with_body(scope)
        if lane is self._pages and PASSWORD_FIELD in body:
            lane = self._passwords
        try:
            await lane.run(self._work(scope, protocol, BytesIO(body), len(body)))
        except Refused as refused:
            await self._turn_away(scope, protocol, refused.refusal, body=body)

    async def _serve_large(self, scope: Any, protocol: Any, length: int) -> None:
        allowance = await self._pages.run(partial(self._ask, scope, protocol))
        if allowance is None:
            return
        if length > allowance.largest:
            raise Refused(Refusal.LARGE)
        with self._large.one_more(allowance.account):
            try:
                body = await receive_large(protocol, length=length)
            except OSError:
                logger.exception("A body of %s bytes can't be kept", length)
                raise Refused(Refusal.CROWDED) from None
            with body:
                await self._lane_with_body(scope).run(self._work(scope, protocol, body, length))

    def _lane_with_body(self, scope: Any) -> lanes.Lane:
        has_files = (scope.headers.get("content-type") or "").lstrip().lower().startswith(FORM_WITH_FILES)
        return self._files if has_files else self._pages

    async def _turn_away(self, scope: Any, protocol: Any, refusal: Refusal, *, body: bytes = b"") -> None:
        told = {REFUSAL: refusal.value}
        await self._pages.run(self._work(scope, protocol, BytesIO(body), len(body), told))

    def _work(
        self, scope: Any, protocol: Any, body: BinaryIO, length: int, told: dict[str, str] | None = None
    ) -> Callable[[], None]:
        """What a thread has to do for a request whose whole body is there, with the time at which it was."""
        facts = {READY_AT: time.monotonic()} | (told or {})
        return partial(self._answer, scope, protocol, body, length, facts)

    # In a thread of a lane.

    def _answer(
        self,
        scope: Any,
        protocol: Any,
        body: BinaryIO,
        length: int,
        told: dict[str, Any],
    ) -> None:
        environ = wsgi.environ_of(scope, body=body, length=length) | told
        wsgi.send(wsgi.call(self._application, environ), protocol, self._loop)

    def _ask(self, scope: Any, protocol: Any) -> Allowance | None:
        """What the application allows; None if it sent a response itself."""
        environ = wsgi.environ_of(scope, body=BytesIO(), length=0) | {QUESTION: "body"}
        answer = wsgi.call(self._application, environ)
        largest = answer.header(LARGEST_HEADER)
        if largest is None:
            wsgi.send(answer, protocol, self._loop)
            return None
        answer.close()
        return Allowance(int(largest), answer.header(ACCOUNT_HEADER) or "")
