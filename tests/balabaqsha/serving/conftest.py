"""A web server of its own for a test, served as the portal is."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.patience import PATIENCE, until

CHECKOUT = Path(__file__).resolve().parents[3]
# Runs before the server, to give it other numbers: `python -c PRELUDE port`.
SERVE = """
import sys
from balabaqsha.serving import bodies, lanes, server
{prelude}
plan = server.plan({{"WEB_WORKERS": "1", "LOG_FORMAT": "line"}})
server.serve(plan, host="127.0.0.1", port=int(sys.argv[1]), app={app!r})
"""


class Served:
    """A running web server, its port, and what it printed so far."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self.log, self.calls, self.release_file = (folder / name for name in ("log", "calls", "release"))

    @property
    def called(self) -> list[str]:
        """The paths whose view was called, in turn."""
        return self.calls.read_text().split() if self.calls.exists() else []

    def release(self) -> None:
        """Let /hold/ answer, now and later."""
        self.release_file.touch()

    def wait_until_called(self, path: str, *, times: int) -> None:
        until(lambda: self.called.count(path) >= times, lambda: self.called)

    def connect(self, *, timeout: float = PATIENCE) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(self, request: bytes) -> bytes:
        """Send bytes on a connection of its own and read until it is closed."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    got = b""
    while piece := connection.recv(65536):
        got += piece
    return got


def read_answer(connection: socket.socket) -> bytes:
    """One answer that says its length, from a connection that stays open."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        assert piece, got
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lengths[0].partition(b":")[2]) - len(body) if lengths else 0
    while left > 0:
        piece = connection.recv(65536)
        assert piece, got
        got, left = got + piece, left - len(piece)
    return got


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Serve = Callable[..., Served]


@contextmanager
def serving(folder: Path) -> Iterator[Serve]:
    """Starts servers, each with a folder of its own in this one; they are ended in the end."""
    running: list[Served] = []

    def start(app: str = "tests.balabaqsha.serving.application:application", *, prelude: str = "") -> Served:
        port, own = free_port(), folder / str(len(running))
        own.mkdir()
        code = SERVE.format(prelude=prelude, app=app)
        with (own / "log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", code, str(port)],
                cwd=CHECKOUT,
                env=os.environ | {"PYTHONPATH": str(CHECKOUT), "TEST_FOLDER": str(own)},
                stdout=output,
                stderr=output,
            )
        served = Served(process, port, own)
        running.append(served)
        wait_until_open(served)
        return served

    yield start
    for served in running:
        served.release()
        served.process.send_signal(signal.SIGTERM)
        try:
            served.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            served.process.kill()
            served.process.wait()


@pytest.fixture
def serve(tmp_path) -> Iterator[Serve]:
    """Start a server: `serve(app, prelude="server.IDLE_SECONDS = 1")`; it is ended after the test."""
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def running_server(tmp_path_factory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as start:
        yield start()


@pytest.fixture
def served(running_server) -> Served:
    """A server that the tests of a module share: they leave no thread of it at work. Nothing was called yet."""
    running_server.calls.unlink(missing_ok=True)
    return running_server


def wait_until_open(served: Served) -> None:
    def is_open() -> bool:
        assert served.process.poll() is None, served.log.read_text()
        with suppress(OSError):
            served.connect().close()
            return True
        return False

    until(is_open, served.log.read_text)
