"""Several processes use a server; the last to let go stops it."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from balabaqsha.servers.server import Server


class Hold:
    """This process's use of a server, as a shared file lock that even a killed process releases."""

    def __init__(self, server: Server, users: IO[bytes]) -> None:
        self.server = server
        self._users = users

    @classmethod
    def take(cls, server: Server) -> Self:
        """Make sure that the server runs, and hold it."""
        server.var.mkdir(parents=True, exist_ok=True)
        with _change_lock(server):
            try:
                server.ensure_running()
            except BaseException:
                if server.child is not None:
                    server.stop()
                raise
            users = _users_file(server).open("ab")
            fcntl.flock(users, fcntl.LOCK_SH)
        return cls(server, users)

    def fileno(self) -> int:
        """The locked file, for a child: the lock is released when the last process that has it open ends."""
        return self._users.fileno()

    def release(self) -> None:
        """Release it; stop the server if no other process holds it and it was not told to stay."""
        with _change_lock(self.server):
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alone = True
            except BlockingIOError:
                alone = False
            if alone and not _stays(self.server):
                self.server.stop()
            elif self.server.child is not None:
                _left_running.append(self.server.child)
            self._users.close()


# Servers that we started and that keep running for others: dropping a running Popen causes a warning.
_left_running: list[subprocess.Popen[bytes]] = []


def keep(server: Server) -> None:
    """Start a server and let it stay when its last holder is done."""
    hold = Hold.take(server)
    _stay_file(server).write_text(f"{server.pid()}\n")
    hold.release()


def end_keep(server: Server) -> bool:
    """Undo `keep`. Returns False if the server still runs because it is held; the last holder stops it."""
    _stay_file(server).unlink(missing_ok=True)
    if server.pid():
        Hold.take(server).release()
    return server.pid() is None


def _stays(server: Server) -> bool:
    try:
        return _stay_file(server).read_text().strip() == str(server.pid())
    except FileNotFoundError:
        return False


def _stay_file(server: Server) -> Path:
    return server.data.with_name(server.data.name + ".stay")


def _users_file(server: Server) -> Path:
    return server.data.with_name(server.data.name + ".users")


@contextmanager
def _change_lock(server: Server) -> Iterator[None]:
    """One process at a time starts or stops a server."""
    with server.data.with_name(server.data.name + ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
