"""The web server's limits, what this machine allows, and the server itself (docs/adr/0009-web-server.md)."""

import os
import resource
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from balabaqsha.environment import reader_of
from balabaqsha.log_lines import chosen_format
from balabaqsha.serving.contract import METRICS_FOLDER, MOST_WORKERS, WORKERS
from balabaqsha.serving.gateway import load
from balabaqsha.serving.pulse import Watch

PORTAL: Final = "balabaqsha.wsgi:application"
# Every phone on the waiting page holds one; a process with this many accepts no more.
CONNECTIONS: Final = 10_000
# Other files that a process opens: the database, Redis, uploads, libraries.
OTHER_FILES: Final = 500
# With fewer the portal would refuse a city at the minute of opening.
FEWEST_CONNECTIONS: Final = 200
# For a request's head, counted from when it is awaited, so for an idle kept connection too.
IDLE_SECONDS: Final = 30
# A request's head; Django's own bounds are far lower.
HEAD_BYTES: Final = 64 * 1024
# A worker still busy this long after SIGTERM is killed.
STOP_SECONDS: Final = 10
# By `LOG_FORMAT`. The proxy gives each request an id.
ACCESS_FORMAT: Final = {"line": None, "json": "%(header{x-request-id})s"}
LINES: Final = {
    "line": (
        {"class": "balabaqsha.log_lines.OneLine", "format": "[%(levelname)s] %(message)s"},
        {"class": "balabaqsha.log_lines.AccessLine", "format": "%(message)s"},
    ),
    "json": (
        {"class": "balabaqsha.log_lines.JsonLine"},
        {"class": "balabaqsha.log_lines.AccessJson"},
    ),
}


class Unusable(Exception):
    """The portal can't be served here; the message says why and what helps."""


@dataclass(frozen=True)
class Plan:
    """How many processes, and how many connections each of them holds."""

    workers: int
    connections: int
    log_format: str = "line"
    # Whether requests are counted, for whoever has the token.
    counts: bool = False
    warnings: tuple[str, ...] = ()


def plan(environ: Mapping[str, str]) -> Plan:
    """What `WEB_WORKERS` asks for and the limit of open files allows, which is raised as far as it goes.

    Raises `Unusable`.
    """
    try:
        reader = reader_of(environ)
        workers = reader.int("WEB_WORKERS", default=WORKERS, least=1, most=MOST_WORKERS)
        log_format = chosen_format(reader)
        counts = bool(reader.token("METRICS_TOKEN"))
    except ImproperlyConfigured as error:
        raise Unusable(str(error)) from None
    connections, warnings = connections_within(raise_open_files())
    return Plan(workers, connections, log_format, counts, warnings)


def raise_open_files() -> int:
    """Raise this process's limit of open files to what is needed, or as far as possible; returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= allowed:
        return max(soft, allowed)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def connections_within(open_files: int) -> tuple[int, tuple[str, ...]]:
    """How many connections fit, since one accepted without a free file would be lost; warns if they are few.

    Raises `Unusable`.
    """
    fitting = min(CONNECTIONS, open_files - OTHER_FILES)
    if fitting == CONNECTIONS:
        return fitting, ()
    way_out = (
        f"Allow {CONNECTIONS + OTHER_FILES}: ulimit -n, LimitNOFILE of systemd, or ulimits of docker compose."
    )
    if fitting < FEWEST_CONNECTIONS:
        raise Unusable(f"A process may open {open_files} files here, too few to serve anybody. {way_out}")
    warning = (
        f"A process may open {open_files} files here: each one lets {fitting} visitors in at once, not "
        f"{CONNECTIONS}. {way_out}"
    )
    return fitting, (warning,)


def address_of(host: str) -> str:
    """The address that a name means, for the server listens on addresses only. Raises `Unusable`."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise Unusable(f"{host} is not an address of this machine: {error.strerror}") from None


def logs(log_format: str) -> dict[str, Any]:
    """How granian writes its own lines and those of requests."""
    generic, access = LINES[log_format]
    return {
        "filters": {"without_probes": {"()": "balabaqsha.log_lines.WithoutProbes"}},
        "formatters": {"generic": generic, "access": access},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "generic",
            },
            "access": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "access",
                "filters": ["without_probes"],
            },
        },
    }


def serve(chosen: Plan, *, host: str, port: int, app: str) -> None:
    """Serve on `host`, an address or a name, until SIGTERM or SIGINT. Raises `Unusable`.

    A worker that dies or hangs is replaced; when one dies as soon as it is started, this process exits with 1.
    """
    with TemporaryDirectory(prefix="balabaqsha-") as folder:
        beats, counters = Path(folder, "beats"), Path(folder, "counters")
        beats.mkdir()
        counters.mkdir()
        Watch(beats).start()
        if chosen.counts:
            # What the processes count (`balabaqsha.metrics.requests`); a new start begins from nought.
            os.environ[METRICS_FOLDER] = str(counters)
        Granian(
            app,
            address=address_of(host),
            port=port,
            # Spoken to a WSGI application by our gateway, which reads the bodies first.
            interface=Interfaces.RSGI,
            workers=chosen.workers,
            # For each process; the kernel cuts it to net.core.somaxconn.
            backlog=chosen.connections,
            # It counts open connections, not only requests.
            backpressure=chosen.connections,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=1000 * IDLE_SECONDS, max_buffer_size=HEAD_BYTES),
            websockets=False,
            log_access=True,
            log_access_format=ACCESS_FORMAT[chosen.log_format],
            log_dictconfig=logs(chosen.log_format),
            # Without it, one dead worker ends them all.
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS,
        ).serve(target_loader=partial(load, beats=beats))
