"""How large a request's body may be and how long it may take. Nothing is read before its size is allowed."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Final, Protocol, TypeVar, cast

from granian.rsgi import ProtocolClosed, ProtocolError

from balabaqsha.serving.contract import Refusal

T = TypeVar("T")

# What any page accepts from anybody: the longest text form, several times over.
SMALL_BYTES: Final = 64 * 1024
# When a body is due after its head; a large one later, by what a slow line needs for its announced size.
GRACE_SECONDS: Final = 15.0
BYTES_A_SECOND: Final = 32 * 1024
# Smaller pieces than this are not a slow line: each of them costs us more than the sender.
PIECE_BYTES: Final = 512
SPARE_PIECES: Final = 1024
# Larger bodies wait on disk; how many at once for each process, and for each account.
LARGE_AT_ONCE: Final = 16
LARGE_OF_ONE_ACCOUNT: Final = 1
IN_MEMORY_BYTES: Final = 1024 * 1024


class Refused(Exception):
    """The request is turned away."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Gone(Exception):
    """The sender has gone; nobody is waiting for an answer."""


class Incoming(Protocol):
    """The body of a request: whole (`await incoming()`) or piece by piece, until there is none."""

    async def __call__(self) -> bytes: ...

    def __aiter__(self) -> Any: ...


@dataclass(frozen=True)
class Allowance:
    """How large a body a page accepts from an account, beyond what every page accepts."""

    largest: int
    account: str


def announced(headers: Any) -> int | None:
    """How many bytes the head announces; None if it does not say (chunked), 0 if there is no body."""
    if "transfer-encoding" in headers:
        return None
    return int(headers.get("content-length") or 0)


def seconds_for(length: int) -> float:
    """How many seconds a whole body of this many bytes may take."""
    return GRACE_SECONDS + length / BYTES_A_SECOND


async def receive(incoming: Incoming, *, length: int | None) -> bytes:
    """A body that any page accepts: at most `SMALL_BYTES`, in memory. Raises `Refused`, `Gone`."""
    if length is not None:
        return await _in_time(incoming(), length)
    body = BytesIO()
    await _in_time(_copy(incoming, body, largest=SMALL_BYTES), SMALL_BYTES)
    return body.getvalue()


async def receive_large(incoming: Incoming, *, length: int) -> BinaryIO:
    """A body of an allowed length, in a file that is gone when it is closed. Raises `Refused`, `Gone`, `OSError`."""
    body = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))  # noqa: SIM115 - the caller's
    try:
        if await _in_time(_copy(incoming, body, largest=length), length) < length:
            raise Gone
    except BaseException:
        body.close()
        raise
    body.seek(0)
    return body


async def _in_time(reading: Awaitable[T], length: int) -> T:
    try:
        async with asyncio.timeout(seconds_for(length)):
            return await reading
    except TimeoutError:
        raise Refused(Refusal.SLOW) from None
    except (ProtocolClosed, ProtocolError):
        raise Gone from None


async def _copy(incoming: Incoming, body: BinaryIO, *, largest: int) -> int:
    """Write what comes into `body`; returns how much that was."""
    received, pieces, ended = 0, 0, False
    async for piece in incoming:
        # granian gives an empty piece at the end; an earlier one means that the sender has gone.
        if ended:
            raise Gone
        ended = not piece
        received, pieces = received + len(piece), pieces + 1
        if received > largest:
            raise Refused(Refusal.LARGE)
        if pieces > SPARE_PIECES + received / PIECE_BYTES:
            raise Refused(Refusal.SLOW)
        body.write(piece)
    return received


class LargeBodies:
    """The large bodies being received by this process."""

    def __init__(self) -> None:
        self._of_account: Counter[str] = Counter()

    @contextmanager
    def one_more(self, account: str) -> Iterator[None]:
        """Count one while it is read and worked on. Raises `Refused` where there are too many already."""
        if self._of_account.total() >= LARGE_AT_ONCE or self._of_account[account] >= LARGE_OF_ONE_ACCOUNT:
            raise Refused(Refusal.CROWDED)
        self._of_account[account] += 1
        try:
            yield
        finally:
            self._of_account[account] -= 1
            self._of_account += Counter()  # forgets who has none left
