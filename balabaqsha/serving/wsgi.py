"""From a granian request to WSGI, and from a WSGI response back to granian."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Any, BinaryIO, Final

from granian.rsgi import ProtocolClosed, ProtocolError

Environ = dict[str, Any]
Header = tuple[str, str]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# A response announced to be at most this long is sent in one piece, so that no thread waits for a slow reader.
WHOLE_BYTES: Final = 1024 * 1024
PIECE_BYTES: Final = 64 * 1024


def environ_of(scope: Any, *, body: BinaryIO, length: int) -> Environ:
    """The WSGI environment of a request whose body, of this many bytes, has arrived."""
    server, port = _address(scope.server)
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.0" if scope.http_version == "1" else f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": _address(scope.client)[0],
        "CONTENT_LENGTH": str(length),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    for name, value in scope.headers.items():
        _add_header(environ, name, value)
    if "HTTP_HOST" not in environ and scope.authority:
        environ["HTTP_HOST"] = scope.authority
    return environ


def _add_header(environ: Environ, name: str, value: str) -> None:
    # X_Forwarded_For would turn into X-Forwarded-For, which only a proxy may set.
    if name in {"content-length", "transfer-encoding"} or "_" in name:
        return
    key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
    if key in environ:
        value = f"{environ[key]}{'; ' if name == 'cookie' else ','}{value}"
    environ[key] = value


def _address(text: str) -> tuple[str, str]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), port


class FileWrapper:
    """The wrapper with which an application sends a file (PEP 3333)."""

    def __init__(self, file: BinaryIO, block_size: int = PIECE_BYTES) -> None:
        self.file = file
        self.block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(self.block_size), b"")

    def close(self) -> None:
        self.file.close()

    @property
    def whole(self) -> str | None:
        """The path of the file on disk, if it is one that has not been read from yet."""
        name = getattr(self.file, "name", None)
        if isinstance(self.file, BufferedReader) and isinstance(name, str) and os.path.isabs(name):
            return None if self.file.tell() else name
        return None


@dataclass
class Answer:
    """A response that an application has begun; `close` it."""

    status: int
    headers: list[Header]
    pieces: Iterable[bytes]

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def close(self) -> None:
        """Tell the application that it is over."""
        if close := getattr(self.pieces, "close", None):
            close()


def call(application: Application, environ: Environ) -> Answer:
    """Ask the application, which like Django calls `start_response` before it returns."""
    begun: list[tuple[str, list[Header]]] = []

    def start_response(status: str, headers: list[Header], exc_info: object = None) -> None:
        begun[:] = [(status, headers)]

    pieces = application(environ, start_response)
    [(status, headers)] = begun
    return Answer(int(status[:3]), headers, pieces)


def send(answer: Answer, protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
    """Send a response from a thread other than the loop's, and close it. It ends early if the reader has gone."""
    try:
        path = answer.pieces.whole if isinstance(answer.pieces, FileWrapper) else None
        length = answer.header("content-length")
        if path is not None:
            protocol.response_file(answer.status, answer.headers, path)
        elif length is not None and int(length) <= WHOLE_BYTES:
            protocol.response_bytes(answer.status, answer.headers, b"".join(answer.pieces))
        else:
            _stream(answer, protocol, loop)
    finally:
        answer.close()


def _stream(answer: Answer, protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
    transport = protocol.response_stream(answer.status, answer.headers)

    async def pass_on(piece: bytes) -> None:
        await transport.send_bytes(piece)

    for piece in _gathered(answer.pieces):
        try:
            asyncio.run_coroutine_threadsafe(pass_on(piece), loop).result()
        except (ProtocolClosed, ProtocolError):
            return


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= PIECE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)
