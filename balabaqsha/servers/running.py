"""Both servers, and their addresses."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from balabaqsha.servers.holding import Hold
from balabaqsha.servers.postgres import Postgres
from balabaqsha.servers.redis import Redis

CHECKOUT = Path(__file__).resolve().parents[2]


def database_url(*, test: bool = False) -> str:
    """Address of this checkout's embedded PostgreSQL, for `DATABASE_URL`. Starts and checks nothing."""
    return Postgres(CHECKOUT, test=test).url


def owner_database_url(*, test: bool = False) -> str:
    """The same for the owner of the tables, for `MIGRATE_DATABASE_URL`."""
    return Postgres(CHECKOUT, test=test).owner_url


def redis_url(*, test: bool = False) -> str:
    """Address of this checkout's embedded Redis, for `REDIS_URL`. Starts and checks nothing."""
    return Redis(CHECKOUT, test=test).url


def start(
    *, test: bool = False, environ: Mapping[str, str] | None = None, checkout: Path = CHECKOUT
) -> "Running":
    """Bring up the servers that `environ` (default: the process's) names no address for, and hold them.

    They are ready when this returns, and the database exists. A server that another process of the checkout
    already runs is shared. `test` chooses a second, disposable pair that trades durability for speed.
    Raises EmbeddedError.
    """
    given = os.environ if environ is None else environ
    running = Running()
    try:
        for variable, kind in (("DATABASE_URL", Postgres), ("REDIS_URL", Redis)):
            if given.get(variable):
                running.urls[variable] = given[variable]
            else:
                server = kind(checkout, test=test)
                running.held.append(Hold.take(server))
                running.urls[variable] = server.url
                if isinstance(server, Postgres):
                    running.urls["MIGRATE_DATABASE_URL"] = server.owner_url
    except BaseException:
        running.stop()
        raise
    return running


@dataclass
class Running:
    """Servers in use by this process.

    `urls` maps DATABASE_URL and REDIS_URL to addresses ready to be used, and MIGRATE_DATABASE_URL to that of the owner
    of an embedded database.
    """

    urls: dict[str, str] = field(default_factory=dict)
    held: list["Hold"] = field(default_factory=list)

    @property
    def owner_url(self) -> str:
        """The address of the role that may create tables and databases; the portal's own if only one is known."""
        return self.urls.get("MIGRATE_DATABASE_URL", self.urls["DATABASE_URL"])

    @property
    def files(self) -> list[int]:
        """The lock files by which this process holds them: any process that keeps one open holds the server too."""
        return [hold.fileno() for hold in self.held]

    def dead(self) -> str | None:
        """The name of a held server that has ended by itself, or None while all are alive."""
        return next((hold.server.name for hold in self.held if not hold.server.pid()), None)

    def stop(self) -> None:
        """Release the servers; those that no other process holds are stopped and have ended when this returns."""
        while self.held:
            self.held.pop().release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
