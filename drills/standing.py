"""The portal with servers of its own, kept standing as systemd would: what dies is started again."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from balabaqsha import runner
from balabaqsha.servers.errors import EmbeddedError
from balabaqsha.servers.postgres import Postgres
from balabaqsha.servers.redis import Redis
from balabaqsha.servers.running import Running
from balabaqsha.servers.server import Server

# `RestartSec=` of the units in deploy/systemd.
RESTART_SECONDS = 2.0


@dataclass
class Kept(runner.Family):
    """Services of which each is started again when it has ended, together with all that it had started."""

    _commands: dict[str, tuple[Sequence[str], Path | None]] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.RLock)

    def start(
        self, name: str, command: Sequence[str], *, log: Path | None = None, **extra: str
    ) -> runner.Child:
        self._commands[name] = command, log
        return super().start(name, command, log=log, **extra)

    def child(self, name: str) -> runner.Child:
        """The service of that name as it runs now."""
        with self._lock:
            return next(child for child in self.children if child.name == name)

    def restart(self, name: str, **extra: str) -> None:
        """End a service in order and start it again, with these variables beside its own."""
        with self._lock:
            child = self.child(name)
            child.signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(15)
            self._again(child, **extra)

    def look(self) -> None:
        """Start what has ended."""
        with self._lock:
            for child in list(self.children):
                if child.process.poll() is not None:
                    time.sleep(RESTART_SECONDS)
                    self._again(child)

    def _again(self, child: runner.Child, **extra: str) -> None:
        child.signal(signal.SIGKILL)
        child.process.wait()
        self.children.remove(child)
        command, log = self._commands[child.name]
        self.start(child.name, command, log=log, **extra)


@dataclass
class Portal:
    """The services, their servers, and the thread that keeps both standing."""

    family: Kept
    postgres: Postgres
    redis: Redis
    folder: Path
    port: int
    _over: threading.Event = field(default_factory=threading.Event)
    # Servers that are to stay down for now.
    down: set[str] = field(default_factory=set)

    def keep(self) -> None:
        """Start again what has ended, until the end."""
        while not self._over.wait(0.5):
            for server in (self.postgres, self.redis):
                if server.name not in self.down and not server.pid():
                    time.sleep(RESTART_SECONDS)
                    # A disk that is full, say: the next look tries again.
                    with suppress(EmbeddedError):
                        _start(server)
            self.family.look()

    def end(self) -> None:
        self._over.set()

    def restart(self, service: str, **extra: str) -> None:
        """Start a service anew, with these variables beside its own; the portal answers when this returns."""
        self.family.restart(service, **extra)
        runner.wait_until_ready(self.family, f"http://127.0.0.1:{self.port}/health/")

    def processes(self, name: str) -> list[int]:
        """A service's own process, then those that it started."""
        own = self.family.child(name).process.pid
        return [own, *children_of(own)]


def _start(server: Server) -> None:
    if server.child is not None and server.child.poll() is None and not server.answers():
        return
    server.ensure_running()


def children_of(parent: int) -> list[int]:
    """The processes that a process has started and that still run, and theirs."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{parent}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *children_of(int(child))]
    return found


@contextmanager
def started(postgres: Postgres, redis: Redis) -> Iterator[Running]:
    """Servers of one's own; ended afterwards, whatever became of them."""
    try:
        for server in (postgres, redis):
            server.var.mkdir(exist_ok=True)
            server.ensure_running()
        urls = {
            "DATABASE_URL": postgres.url,
            "MIGRATE_DATABASE_URL": postgres.owner_url,
            "REDIS_URL": redis.url,
        }
        yield Running(urls=urls)
    finally:
        for server in (postgres, redis):
            if number := server.pid():
                for stopped in (number, *children_of(number)):
                    with suppress(ProcessLookupError):
                        os.kill(stopped, signal.SIGCONT)
            server.stop()


@contextmanager
def standing(
    environment: dict[str, str], *, postgres: Postgres, redis: Redis, folder: Path, port: int
) -> Iterator[Portal]:
    """The portal's processes as `make run` starts them, kept standing; ended afterwards."""
    portal = Portal(Kept(environment=environment), postgres, redis, folder, port)
    keeper = threading.Thread(target=portal.keep)
    try:
        runner.start_services(portal.family, host="127.0.0.1", port=str(port), var=folder)
        runner.wait_until_ready(portal.family, f"http://127.0.0.1:{port}/health/")
        keeper.start()
        yield portal
    finally:
        portal.end()
        if keeper.is_alive():
            keeper.join()
        portal.family.end()
