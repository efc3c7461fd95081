"""A call ends by its deadline, whatever the peer does: these peers would go on for ever."""

import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from notifications.peers import wire
from notifications.peers.wire import LONGEST_ANSWER, Answer, Broken, exchange
from tests.notifications.peers.servers import (
    HEAD,
    answers,
    drips,
    is_silent,
    keys,
    peer,
    pours,
    read_request,
    says,
)

SECONDS = 0.3
# Only for a call that would never end, so that the test fails instead of hanging.
FOR_EVER = 20


def call(url, *, seconds=SECONDS, body=b"{}"):
    """The answer, or the code of what went wrong."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(exchange, url, body=body, headers={"X-Asks": "us"}, seconds=seconds)
        return future.result(timeout=FOR_EVER)


def outcome(url, **options):
    try:
        return call(url, **options)
    except Broken as error:
        return str(error)


# The beginning of a record of 16 KB.
TLS_RECORD = b"\x16\x03\x03\x40\x00"


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(is_silent, id="nothing"),
        pytest.param(drips(b"", b"H"), id="status line"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\nX-Long: "), id="a header"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\n", b"X-One: more\r\n"), id="headers"),
        pytest.param(drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="100 Continue"),
        pytest.param(drips(HEAD + b"Content-Length: 60000\r\n\r\n"), id="body"),
        pytest.param(drips(HEAD + b"\r\n"), id="body without a length"),
        pytest.param(drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), id="chunks"),
        pytest.param(drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1"), id="length of a chunk"),
        pytest.param(
            drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-One: more\r\n"), id="trailers"
        ),
    ],
)
def test_a_peer_that_drips(behave):
    with peer(behave) as slow:
        assert outcome(slow.url) == "TimeoutError"
        assert slow.goes_on
        assert slow.calls == 1


@pytest.mark.parametrize("behave", [is_silent, drips(TLS_RECORD)])
def test_a_peer_that_drips_in_the_handshake(behave):
    with peer(behave, reads=False) as slow:
        assert outcome(f"https://localhost:{slow.port}/ask") == "TimeoutError"
        assert slow.goes_on


def test_a_peer_that_takes_no_more_connections():
    """Its queue is full: the kernel lets everybody else wait."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        assert outcome(f"http://127.0.0.1:{listener.getsockname()[1]}/") == "TimeoutError"


def test_a_peer_that_does_not_read():
    with peer(is_silent, reads=False) as deaf:
        assert outcome(deaf.url, body=b"x" * 50_000_000) == "TimeoutError"
        assert deaf.goes_on


def test_a_name_that_is_never_found(monkeypatch):
    """The system's look-up can't be interrupted; nobody waits for it longer than for the whole call."""
    asked, over = threading.Event(), threading.Event()

    def getaddrinfo(*args, **kwargs):
        asked.set()
        over.wait()
        raise socket.gaierror

    monkeypatch.setattr(wire.socket, "getaddrinfo", getaddrinfo)
    try:
        assert outcome("http://registry.example/") == "TimeoutError"
        assert asked.is_set()
        assert not over.is_set()
    finally:
        over.set()


def test_an_address_that_is_silent_leaves_the_next_one_its_share(monkeypatch):
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        with peer(answers(b"here")) as good:
            addresses = [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
                for port in (listener.getsockname()[1], good.port)
            ]
            monkeypatch.setattr(wire.socket, "getaddrinfo", lambda *args, **kwargs: addresses)
            assert outcome("http://registry.example/", seconds=2) == Answer(200, b"here")


class TestAnswers:
    def test_a_good_one(self):
        with peer(answers(b'{"a": 1}')) as good:
            assert outcome(good.url, seconds=FOR_EVER) == Answer(200, b'{"a": 1}')

    def test_what_is_sent(self):
        seen = []

        def listens(connection, one):
            seen.append(read_request(connection))
            answers()(connection, one)

        with peer(listens, reads=False) as one:
            url = f"http://127.0.0.1:{one.port}/a/b?c=d#e"
            assert outcome(url, seconds=FOR_EVER, body=b"q=1").status == 200
        head, _blank, body = seen[0].decode().partition("\r\n\r\n")
        assert head.splitlines()[0] == "POST /a/b?c=d HTTP/1.1"
        assert {f"Host: 127.0.0.1:{one.port}", "Connection: close", "X-Asks: us", "Content-Length: 3"} <= set(
            head.splitlines()
        )
        assert body == "q=1"

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, status):
        with peer(answers(b"elsewhere")) as other:
            location = b"Location: %b\r\n" % other.url.encode()
            with peer(answers(b"", status=status, more=location)) as one:
                assert outcome(one.url, seconds=FOR_EVER).status == status
            assert (one.calls, other.calls) == (1, 0)

    def test_the_longest_that_is_read(self):
        with peer(answers(b"x" * LONGEST_ANSWER)) as one:
            assert len(outcome(one.url, seconds=FOR_EVER).body) == LONGEST_ANSWER
        with peer(answers(b"x" * (LONGEST_ANSWER + 1))) as one:
            assert outcome(one.url, seconds=FOR_EVER) == "answer is too long"

    @pytest.mark.parametrize(
        ("start", "flood"),
        [
            (HEAD + b"\r\n", b"x" * 65536),
            (HEAD + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65536),
            (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        ],
    )
    def test_an_endless_body(self, start, flood):
        with peer(pours(start, flood)) as endless:
            assert outcome(endless.url, seconds=FOR_EVER) == "answer is too long"
            assert endless.goes_on

    @pytest.mark.parametrize("flood", [b"X-More: 1\r\n", b"x" * 65536])
    def test_an_endless_head(self, flood):
        with peer(pours(b"HTTP/1.1 200 OK\r\nX-Long: ", flood)) as endless:
            assert outcome(endless.url, seconds=FOR_EVER) in ("HTTPException", "LineTooLong")
            assert endless.goes_on

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"\0\0\0\0",
            HEAD + b"Content-Length: 5\r\n\r\n{}",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        ],
    )
    def test_one_that_is_none(self, answer):
        with peer(says(answer)) as broken:
            assert isinstance(outcome(broken.url, seconds=FOR_EVER), str)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "/persons/find",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "http://",
            "http://[::1",
            "http://a:b/",
        ],
    )
    def test_an_address_that_is_none(self, url):
        assert outcome(url, seconds=FOR_EVER) == "address is not http"

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1/a b\r\nX: y", f"http://{'a' * 70}.example/"])
    def test_an_address_that_can_not_be_asked(self, url):
        assert isinstance(outcome(url, seconds=FOR_EVER), str)

    def test_nobody_listens(self):
        assert outcome("http://127.0.0.1:1/", seconds=FOR_EVER) == "ConnectionRefusedError"


class TestSecure:
    @pytest.fixture
    def pem(self, tmp_path):
        return keys(tmp_path)

    @pytest.fixture
    def trusting(self, pem, monkeypatch):
        """We trust the peer's certificate."""
        real = wire.tls_context

        def tls(papers):
            context = real.__wrapped__(papers)
            context.load_verify_locations(pem)
            return context

        monkeypatch.setattr(wire, "tls_context", tls)

    @pytest.fixture
    def secure(self, pem):
        """`secure(behave)`: a peer that speaks TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)

        return partial(peer, tls=context)

    def test_a_good_one(self, secure, trusting):
        with secure(answers(b"safe")) as good:
            url = f"https://localhost:{good.port}/ask"
            assert outcome(url, seconds=FOR_EVER) == Answer(200, b"safe")

    def test_a_body_that_drips(self, secure, trusting):
        with secure(drips(HEAD + b"Content-Length: 60000\r\n\r\n")) as slow:
            assert outcome(f"https://localhost:{slow.port}/ask", seconds=1) == "TimeoutError"
            assert slow.calls == 1
            assert slow.goes_on

    def test_one_whom_nobody_vouches_for(self, secure):
        with secure(answers(b"safe")) as one:
            url = f"https://localhost:{one.port}/ask"
            assert outcome(url, seconds=FOR_EVER) == "SSLCertVerificationError"
            assert one.calls == 0

    def test_another_ones_certificate(self, secure, trusting):
        with secure(answers(b"safe")) as one:
            url = f"https://127.0.0.1:{one.port}/ask"
            assert outcome(url, seconds=FOR_EVER) == "SSLCertVerificationError"
            assert one.calls == 0
