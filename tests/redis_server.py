"""A Redis of a test's own, which it may stop: the one of all tests must go on."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import redis

from balabaqsha.servers.programs import redis_program


class OwnRedis:
    """An empty server behind a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run until it answers."""
        command = [str(redis_program()), "--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.url)
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert self._process.poll() is None, "the server ended before it answered"
        client.close()

    def stop(self) -> None:
        """Kill it; what it held is lost."""
        assert self._process
        self._process.kill()
        self._process.wait()
        self._socket.unlink(missing_ok=True)

    def pause(self) -> None:
        """Let it take connections and answer none."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)


def short_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder whose sockets have names that are short enough."""
    return tempfile.TemporaryDirectory(prefix="redis-")
