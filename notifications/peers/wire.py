"""One question over one connection. It ends by its deadline, whatever the other side does.

The timeouts of `http.client`, `urllib`, `requests` and `httpx` apply to one read: a peer that sends a byte now and then
can hold a call as long as it likes. Here each wait gets what is left of the whole call (docs/adr/0011-calls-out.md).
"""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

LONGEST_ANSWER: Final = 64 * 1024


class Broken(Exception):
    """No whole answer came. The text is a short code: addresses and bodies hold keys, phones and names.

    Without `was_asked` the question surely never left; with it, the peer may have taken it.
    """

    def __init__(self, code: str, *, was_asked: bool = False) -> None:
        super().__init__(code)
        self.was_asked = was_asked


@dataclass(frozen=True)
class Answer:
    """What the peer said, with any status; redirects too, since none is followed."""

    status: int
    body: bytes


@dataclass(frozen=True)
class Papers:
    """Who we are and whom we trust over TLS, as paths of PEM files; empty: nobody, and the system's authorities.

    `certificate` holds our certificate and its key, `authorities` those who may vouch for the peer. With
    `is_open_internet` no address of one's own machine or network is asked: the host is a stranger's word.
    """

    certificate: str = ""
    authorities: str = ""
    is_open_internet: bool = False


PUBLIC: Final = Papers()


class Deadline:
    """The end of a call, by the machine's monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds left. Raises `TimeoutError` when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def parse_address(url: str) -> SplitResult:
    """The parts of an http or https address. Raises `Broken`."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise Broken("address is not http")
    return parts


def exchange(
    url: str,
    *,
    method: str = "POST",
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
    papers: Papers = PUBLIC,
) -> Answer:
    """Send `body` and return the whole answer within `seconds` in all; an answer of at most `LONGEST_ANSWER` bytes.

    That includes looking up the name, connecting, TLS, sending, head and body. Redirects are not followed, and proxies
    from the environment are not used. Raises `Broken`, nothing else.
    """
    parts = parse_address(url)
    was_asked = False
    try:
        with closing(_Connection(parts, Deadline(seconds), papers)) as connection:
            connection.connect()
            was_asked = True
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body or None, dict(headers) | {"Connection": "close"})
            with connection.getresponse() as response:
                content = response.read(LONGEST_ANSWER + 1)
                is_cut_off = bool(response.length)
    except (OSError, ValueError, http.client.HTTPException) as error:
        # OSError for the network and TLS, ValueError for an invalid address, HTTPException for a broken answer.
        raise Broken(type(error).__name__, was_asked=was_asked) from None
    if len(content) > LONGEST_ANSWER:
        raise Broken("answer is too long", was_asked=True)
    if is_cut_off:
        raise Broken("answer is cut off", was_asked=True)
    return Answer(response.status, content)


class _Punctual(socket.socket):
    """A socket whose every wait ends by the deadline of the whole call."""

    deadline: Deadline

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.deadline.left())
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.deadline.left())
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(self.deadline.left())
        super().sendall(*args, **kwargs)


class _PunctualTLS(_Punctual, ssl.SSLSocket):
    """The same over TLS."""


class _Connection(http.client.HTTPConnection):
    """A connection for one call."""

    def __init__(self, parts: SplitResult, deadline: Deadline, papers: Papers) -> None:
        self._is_secure = parts.scheme == "https"
        # The port that need not be in the Host header.
        self.default_port = http.client.HTTPS_PORT if self._is_secure else http.client.HTTP_PORT
        super().__init__(parts.hostname or "", parts.port or self.default_port)
        self._deadline = deadline
        self._papers = papers

    def connect(self) -> None:
        """Try the addresses of the host in turn until one answers, then TLS."""
        sock = self._reach()
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = self._secure(sock) if self._is_secure else sock
        except BaseException:
            sock.close()
            raise

    def _reach(self) -> _Punctual:
        failure: OSError = TimeoutError()
        addresses = _look_up(self.host, self.port, deadline=self._deadline)
        if self._papers.is_open_internet:
            addresses = [one for one in addresses if ip_address(one[4][0]).is_global]
            failure = ConnectionRefusedError()
        for turn, (family, kind, protocol, _name, address) in enumerate(addresses):
            sock = _Punctual(family, kind, protocol)
            sock.deadline = self._deadline
            try:
                # A silent address leaves the others their share of the time.
                sock.settimeout(self._deadline.left() / (len(addresses) - turn))
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure

    def _secure(self, sock: _Punctual) -> _PunctualTLS:
        secure = tls_context(self._papers).wrap_socket(
            sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        assert isinstance(secure, _PunctualTLS)
        try:
            secure.deadline = self._deadline
            secure.settimeout(self._deadline.left())
            # Many reads and writes share this timeout.
            secure.do_handshake()
        except BaseException:
            secure.close()
            raise
        return secure


@lru_cache
def tls_context(papers: Papers) -> ssl.SSLContext:
    """How TLS is spoken with these papers; they are read once. Raises `OSError` if they can't be, or don't fit."""
    context = ssl.create_default_context(cafile=papers.authorities or None)
    if papers.certificate:
        # Without a password: it would be asked for on a terminal that nobody sits at.
        context.load_cert_chain(papers.certificate, password=_no_password)
    context.sslsocket_class = _PunctualTLS
    return context


def _no_password() -> str:
    raise OSError("the key is encrypted")


def _look_up(host: str, port: int, *, deadline: Deadline) -> list[Any]:
    """The addresses of a host.

    The system's look-up can't be interrupted. So a thread does it, and nobody waits for the thread beyond the deadline.
    It ends when the system gives up (usually after half a minute), and the breaker keeps such threads few.
    """
    found: SimpleQueue[list[Any] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error)

    Thread(target=ask, name="look-up", daemon=True).start()
    try:
        addresses = found.get(timeout=deadline.left())
    except Empty:
        raise TimeoutError from None
    if isinstance(addresses, Exception):
        raise addresses
    return addresses
