"""Servers of one's own for a benchmark: a database and a Redis on those that run, and the portal upon them."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from redis import Redis

from balabaqsha import runner
from balabaqsha.servers.running import Running
from balabaqsha.servers.running import start as start_servers

NAME = f"bench_{os.getpid()}"
TENTH = 10


@contextmanager
def scratch_database(servers: Running) -> Iterator[dict[str, str]]:
    """A new database, gone afterwards: the addresses for its owner and for the portal, by their variables."""
    with closing(psycopg2.connect(servers.owner_url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE {NAME}")
        try:
            addresses = {
                "MIGRATE_DATABASE_URL": servers.owner_url,
                "DATABASE_URL": servers.urls["DATABASE_URL"],
            }
            yield {key: urlsplit(url)._replace(path=f"/{NAME}").geturl() for key, url in addresses.items()}
        finally:
            cursor.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


@contextmanager
def scratch_redis(server: str) -> Iterator[str]:
    """The last of the databases of `server`, by its address, empty; emptied again afterwards."""
    address = f"{server}?db=15"
    with closing(Redis.from_url(address)) as client:
        client.flushdb()
        try:
            yield address
        finally:
            client.flushdb()


@contextmanager
def served(environment: Mapping[str, str], *, folder: Path, port: int) -> Iterator[runner.Family]:
    """The portal's processes as `make run` starts them; ended afterwards."""
    family = runner.Family(environment=environment)
    try:
        runner.start_services(family, host="127.0.0.1", port=str(port), var=folder)
        runner.wait_until_ready(family, f"http://127.0.0.1:{port}/health/")
        yield family
    finally:
        family.end()


@contextmanager
def django_on(urls: dict[str, str]) -> Iterator[None]:
    """The project, set up on these servers; what it asks of a worker goes to a queue that is thrown away."""
    os.environ.update(urls, BALABAQSHA_DEMO="1", DEBUG="0")
    os.environ["DJANGO_SETTINGS_MODULE"] = "balabaqsha.settings"
    import django

    django.setup()
    from celery import current_app
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    current_app.conf.task_default_queue = NAME
    call_command("migrate", interactive=False, verbosity=0)
    try:
        yield
    finally:
        connection.close()
        Redis.from_url(settings.REDIS_URL).delete(NAME, f"_kombu.binding.{NAME}")


def build_pages() -> None:
    """Make what pages are served with and a fresh clone has none of: translations, fonts, files with their digests."""
    from django.core.management import call_command

    for command in ("compile_catalogues", "build_fonts"):
        call_command(command, stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0)


def measure_at_two_sizes(
    measure: Callable[[int], None], *, described: str | None, kindergartens: int, among: str
) -> None:
    """Call `measure` with a tenth of the kindergartens and with all, on a database of its own.

    How many they are may be said on the command line; `among` is what is said of it there.
    """
    parser = argparse.ArgumentParser(description=(described or "").partition("\n")[0])
    parser.add_argument("--kindergartens", type=int, default=kindergartens, help=among)
    whole = parser.parse_args().kindergartens
    with (
        start_servers() as running,
        scratch_database(running) as addresses,
        # It empties and fills tables: all of it is the owner's work.
        django_on(running.urls | dict.fromkeys(addresses, addresses["MIGRATE_DATABASE_URL"])),
    ):
        build_pages()
        for size in (whole // TENTH, whole):
            measure(size)


def at_any_hour() -> None:
    """Let notices go whatever the clocks of this machine say: by night they would wait for the morning."""
    from notifications import hours

    hours.DAYTIME = hours.Hours(time.min, time.max)  # type: ignore[misc]
