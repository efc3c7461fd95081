"""`make run`: servers, set-up, web, workers and beat under one roof, until Ctrl-C, SIGTERM or the end of one of them.

python -m balabaqsha.runner                run the portal
python -m balabaqsha.runner exec COMMAND…  run a command in its environment, with its servers up
python -m balabaqsha.runner stop           stop it from elsewhere, and what a runner that was killed left behind
"""

import errno
import fcntl
import operator
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from balabaqsha import leash, local, portals
from balabaqsha.queues import WORKERS
from balabaqsha.servers.errors import EmbeddedError
from balabaqsha.servers.foreground import end_orderly, run_in_foreground
from balabaqsha.servers.holding import end_keep
from balabaqsha.servers.postgres import Postgres
from balabaqsha.servers.redis import Redis
from balabaqsha.servers.running import CHECKOUT, Running
from balabaqsha.servers.running import start as start_servers
from balabaqsha.serving.server import Unusable, plan
from notifications.private_files import open_privately

VAR = CHECKOUT / "var"
LOGS = VAR / "log"
READY_SECONDS = 60
# Longer than the web server's own grace; a Celery task that takes longer is delivered again (late acknowledgement).
GRACE_SECONDS = 15
# A log that is larger is begun anew at a start, and what it held is kept beside it.
LOG_BYTES = 10 * 1024 * 1024
_OURS = "End it with make stop, or run another one: "
LEASH = [sys.executable, "-I", "-S", str(Path(leash.__file__))]


class Failed(Exception):
    """The portal can't start or go on; the message says why."""


class Stopped(Exception):
    """We were asked to stop while starting."""


@dataclass
class Child:
    """A process of ours in its own session, so that we alone decide when it ends."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None

    def tail(self, *, lines: int = 20) -> str:
        """The last lines of its log."""
        if self.log is None:
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def signal(self, number: signal.Signals) -> None:
        """Signal the process and everything it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class StopWish:
    """The wish to stop, which a signal may bring at any moment: a pipe, since an Event's lock would deadlock there."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def make(self) -> None:
        """Wish it; wishing it again changes nothing."""
        with suppress(BlockingIOError):
            os.write(self._write, b"x")

    def watch(self, *numbers: signal.Signals) -> None:
        """Let these signals make the wish.

        The interpreter itself writes to the pipe. A handler in Python could be interrupted by the next signal, and that
        one by the next, until the stack ends; this one has no instruction at which that could happen.
        """
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, operator.is_)

    def wait(self, seconds: float) -> bool:
        """Wait until it is wished, or for so many seconds; say whether it is."""
        return bool(select.select([self._read], [], [], seconds)[0])


@dataclass
class Family:
    """The child processes and the wish to stop."""

    environment: Mapping[str, str]
    # Files that each child keeps open: the locks that say that the servers are in use.
    files: Sequence[int] = ()
    children: list[Child] = field(default_factory=list)
    stop_wish: StopWish = field(default_factory=StopWish)

    def start(self, name: str, command: Sequence[str], *, log: Path | None = None, **extra: str) -> Child:
        """Start a child; its output goes to the log if there is one, else to ours. `extra` joins its environment.

        The log is gone on with: another portal of this folder may be writing there, and somebody may look for the last
        words of the one before. The child is told to end when we are dead, even killed; until it has ended it holds the
        servers.
        """
        output = _log_to_go_on_with(log) if log is not None else None
        try:
            process = subprocess.Popen(  # noqa: S603 - fixed commands
                [*LEASH, str(os.getpid()), *command],
                cwd=CHECKOUT,
                pass_fds=self.files,
                env=dict(self.environment) | extra,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                # Nobody else may read the files they write: uploads, papers, the beat's memory.
                umask=0o077,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()
        child = Child(name=name, process=process, log=log)
        self.children.append(child)
        return child

    def complete(self, name: str, command: Sequence[str], **extra: str) -> None:
        """Run a child to its end. Raises Failed if it fails, Stopped if we are asked to stop."""
        child = self.start(name, command, log=None, **extra)
        while child.process.poll() is None:
            self.pause(0.05)
        self.children.remove(child)
        if child.process.returncode:
            raise Failed(f"{name} failed with code {child.process.returncode}.")

    def pause(self, seconds: float) -> None:
        """Wait a moment. Raises Stopped when somebody wants to stop."""
        if self.stop_wish.wait(seconds):
            raise Stopped

    def check_alive(self) -> None:
        """Raise Failed when a child has ended by itself."""
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                raise Failed(
                    f"The {child.name} has ended by itself with code {code}. Its last words:\n{child.tail()}"
                )

    def end(self) -> None:
        """Stop every child and everything they started; none is left when this returns."""
        for child in reversed(self.children):
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, deadline - time.monotonic()))
            child.signal(signal.SIGKILL)  # also what a dead leader left in its group
            child.process.wait()
        self.children.clear()


def _log_to_go_on_with(log: Path) -> IO[bytes]:
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
    return open_privately(log, "ab")


def run_portal(environ: Mapping[str, str]) -> int:
    """Run the portal until it is asked to stop (exit code 0) or something fails (1)."""
    host, port = environ.get("HOST") or "127.0.0.1", environ.get("PORT") or "8000"
    family = Family(environment=local.environment(checkout=CHECKOUT, environ=environ))
    watch_signals(family.stop_wish)
    servers, claim = Running(), ExitStack()
    try:
        check_address(host, port)
        claimed = claim.enter_context(claim_port(port))
        check_room(environ)
        with step("PostgreSQL and Redis"):
            servers = start_servers(environ=environ)
        family.files = [claimed.fileno(), *servers.files]
        family.environment, owner = apart(dict(family.environment) | servers.urls)
        manage = [sys.executable, "manage.py"]
        family.complete("The set-up", [*manage, "set_up"], **owner | {"LOG_LEVEL": "WARNING"})
        with step("Web server, workers and beat"):
            start_services(family, host=host, port=port)
            wait_until_ready(family, f"http://{local_address(host)}:{port}/health/")
        if family.environment.get("BALABAQSHA_DEMO") == "1":
            family.complete(
                "The list of demo people", [*manage, "setup_demo", "--print"], LOG_LEVEL="WARNING"
            )
        print(welcome(f"http://{local_address(host)}:{port}/"), flush=True)
        while True:
            family.pause(0.5)
            family.check_alive()
            if name := servers.dead():
                raise Failed(f"{name} has ended by itself; see {LOGS}.")
    except Stopped:
        return 0
    except (Failed, EmbeddedError) as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        return 1
    finally:
        if family.children or servers.held:
            print("\nStopping ...", flush=True)
            family.end()
            servers.stop()
            print("Stopped; the data stays in var/.", flush=True)
        claim.close()


def apart(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The environment of the services, and the part that only the set-up may know: the owner of the tables."""
    owner = {name: value for name, value in environment.items() if name.startswith("MIGRATE_DATABASE_")}
    return {name: value for name, value in environment.items() if name not in owner}, owner


@contextmanager
def step(name: str) -> Iterator[None]:
    """Name a step and how long it took."""
    started = time.monotonic()
    print(f"==> {name} ...", flush=True)
    yield
    print(f"    done in {time.monotonic() - started:.1f} s", flush=True)


def watch_signals(stop_wish: StopWish) -> None:
    """Ctrl-C, SIGTERM and a closed terminal all mean: stop, once, in good order."""

    stop_wish.watch(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def check_address(host: str, port: str) -> None:
    """Fail early, with a clear message, if the address is not available. Raises Failed."""
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise Failed(f"PORT={port} is not a port: give a number from 1 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    wait_for_last_portal(port)
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            hint = _way_out(error, port)
            raise Failed(f"{host}:{port} can't be used: {error.strerror}. {hint}") from None


@contextmanager
def claim_port(port: str, *, var: Path = VAR) -> Iterator[IO[bytes]]:
    """Keep other portals of this folder from a port; its children hold it, too, so it is free when the last has ended.

    Web servers share a port that both take, and of two that are started at once each would find it free.
    Raises Failed.
    """
    var.mkdir(parents=True, exist_ok=True)
    with (var / f"port-{port}.lock").open("ab") as claimed:
        try:
            fcntl.flock(claimed, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(
                f"Another portal of this folder takes port {port}. {_OURS}{_on_another_port(port)}"
            ) from None
        yield claimed


def _on_another_port(port: str) -> str:
    return f"make run PORT={int(port) + 1 if int(port) < 65535 else 8000}"


def _way_out(error: OSError, port: str) -> str:
    """What to do if an address is not available."""
    if error.errno == errno.EADDRINUSE:
        if any(found.port == port for found in portals.running(CHECKOUT)):
            return f"This folder's own portal is there already. {_OURS}{_on_another_port(port)}"
        return f"Choose another port: {_on_another_port(port)}"
    if error.errno == errno.EACCES:
        return "Ports below 1024 are for the system: make run PORT=8000"
    return "Choose an address of this machine: make run HOST=127.0.0.1"


def wait_for_last_portal(port: str) -> None:
    """Wait until the services of a runner that was killed have ended, which they do by themselves."""
    deadline = time.monotonic() + GRACE_SECONDS
    is_told = False
    while time.monotonic() < deadline:
        found = portals.running(CHECKOUT)
        if any(one.is_runner for one in found) or not any(one.port == port for one in found):
            return
        if not is_told:
            print("==> The last portal of this folder is still ending ...", flush=True)
            is_told = True
        time.sleep(0.2)


def check_room(environ: Mapping[str, str]) -> None:
    """Say here, and not only in a log, if few visitors can be let in. Raises Failed if none can."""
    try:
        warnings = plan(environ).warnings
    except Unusable as reason:
        raise Failed(str(reason)) from None
    for warning in warnings:
        print(warning, file=sys.stderr, flush=True)


def local_address(host: str) -> str:
    """How this machine calls the address on which the portal listens."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound


def start_services(family: Family, *, host: str, port: str, var: Path = VAR) -> None:
    """Start the web server, the Celery workers and beat; their logs are kept under `var`."""
    logs = var / "log"
    logs.mkdir(parents=True, exist_ok=True)
    celery = [sys.executable, "-m", "celery", "-A", "balabaqsha"]
    web = [sys.executable, "-m", "balabaqsha.serving", "--host", host.strip("[]"), "--port", port]
    family.start("web server", web, log=logs / "web.log")
    for worker in WORKERS:
        family.start(f"Celery {worker.name}", [*celery, *worker.command()], log=logs / f"{worker.name}.log")
    beat = ["beat", "--pidfile", "", "--loglevel", "info"]
    family.start("Celery beat", [*celery, *beat], log=logs / "beat.log")


def wait_until_ready(family: Family, address: str) -> None:
    """Wait until the portal answers. Raises Failed, with the web server's last words, when it does not."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        family.check_alive()
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own http address
                return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                raise Failed(f"{address} does not answer: {error}\n{family.children[0].tail()}") from None
        family.pause(0.1)


def welcome(address: str) -> str:
    """What a newcomer needs to know once the portal runs."""
    lines = [
        "",
        f"    Balabaqsha       {address}      Russian: {address}ru/",
        f"    SMS and people   {address}demo/",
        f"    Staff            {address}admin/",
        "    Logs             var/log/",
        "    Stop             Ctrl-C",
    ]
    return "\n".join(lines)


def run_command(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command in the portal's environment, with its servers up; returns its exit code."""
    signal.signal(signal.SIGTERM, end_orderly)
    with start_servers(environ=environ) as servers:
        complete = local.environment(checkout=CHECKOUT, environ=environ) | servers.urls
        return run_in_foreground(command, environment=complete)


def stop_portals() -> int:
    """Stop every portal of this folder, and the servers that no other process holds; returns the exit code."""
    left = portals.end(CHECKOUT, seconds=2 * GRACE_SECONDS)
    if left:
        numbers = " ".join(str(found.pid) for found in left)
        print(
            f"Still there, after {2 * GRACE_SECONDS} seconds: {numbers}. End them: kill -9 {numbers}",
            file=sys.stderr,
        )
        return 1
    for server in (Postgres(CHECKOUT), Redis(CHECKOUT)):
        if not end_keep(server):
            print(f"{server.name} is still in use; it ends with its last user.")
    print("Stopped; the data stays in var/.")
    return 0


def main(arguments: Sequence[str]) -> int:
    """The command line described at the top of this module; returns the exit code."""
    if not arguments:
        return run_portal(os.environ)
    if list(arguments) == ["stop"]:
        return stop_portals()
    if arguments[0] == "exec" and len(arguments) > 1:
        try:
            return run_command(arguments[1:], os.environ)
        except EmbeddedError as error:
            print(error, file=sys.stderr)
            return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
