"""Redis of this checkout."""

import signal
import socket
from pathlib import Path

from balabaqsha.servers.programs import redis_program
from balabaqsha.servers.server import Server


class Redis(Server):
    """Redis: the broker of Celery and the cache. A snapshot is kept over restarts."""

    name = "Redis"
    data_name = "redis"
    stop_signals = (signal.SIGTERM,)

    @property
    def socket(self) -> Path:
        """The socket file."""
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def pid_file(self) -> Path:
        return self.sockets / "redis.pid"

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
            except OSError:
                return False

    def command(self) -> list[str]:
        program = redis_program()
        # The pid file and the socket double as the marks by which a running server is recognised.
        place = ["--unixsocket", str(self.socket), "--pidfile", str(self.pid_file()), "--dir", str(self.data)]
        manner = ["--port", "0", "--daemonize", "no", "--unixsocketperm", "700", "--save", "60", "1"]
        return [str(program), *manner, *place]

    def prepare(self) -> None:
        self._own_folder(self.data)
        self.pid_file().unlink(missing_ok=True)
