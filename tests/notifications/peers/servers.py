"""Peers that misbehave, on real sockets of this machine."""

import re
import socket
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# How long a peer waits between two bytes: often enough that no limit of one read is ever reached.
PAUSE = 0.02


class Peer:
    """What a test may know of a server, and how it ends whatever the server is still doing."""

    def __init__(self, listener):
        self.listener = listener
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/ask"
        self.calls = 0
        self.arrived = threading.Semaphore(0)
        self.over = threading.Event()

    @property
    def goes_on(self):
        """It was not the peer that ended a call: it would go on for ever."""
        return not self.over.is_set()


@contextmanager
def secured(connection, tls):
    with connection:
        if tls is None:
            yield connection
        else:
            with tls.wrap_socket(connection, server_side=True) as secure:
                yield secure


def read_request(connection):
    """The whole request, or as much as comes: what is left unread would tear the answer away."""
    text = b""
    while True:
        head, blank, body = text.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if blank and len(body) >= int(length[1] if length else 0):
            return text
        piece = connection.recv(65536)
        if not piece:
            return text
        text += piece


@contextmanager
def peer(behave, *, tls=None, reads=True):
    """A server; `behave(connection, peer)` is what it does with each connection once it has read the request.

    With `tls`, a context, only those connections count whose handshake went well.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = Peer(listener)
        threads = []

        def handle(connection):
            with suppress(OSError), secured(connection, tls) as connection:
                if reads:
                    read_request(connection)
                one.calls += 1
                one.arrived.release()
                behave(connection, one)

        def accept():
            while True:
                try:
                    connection, _address = listener.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=handle, args=[connection]))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield one
        finally:
            one.over.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def drips(start, drop=b"x"):
    """Says `start` at once, and then `drop` again and again, for ever."""

    def behave(connection, peer):
        connection.sendall(start)
        while not peer.over.wait(PAUSE):
            connection.sendall(drop)

    return behave


def pours(start, flood):
    """The same as fast as it can."""

    def behave(connection, peer):
        connection.sendall(start)
        while peer.goes_on:
            connection.sendall(flood)

    return behave


def answers(body=b"{}", *, status=200, more=b""):
    """A good peer."""

    def behave(connection, peer):
        head = b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n%b\r\n" % (status, len(body), more)
        connection.sendall(head + body)

    return behave


def says(answer):
    """Says this and hangs up."""

    def behave(connection, peer):
        connection.sendall(answer)

    return behave


def is_silent(connection, peer):
    peer.over.wait()


def keys(folder):
    """A certificate for localhost that signs itself, and its key, in one file of PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "peer.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
