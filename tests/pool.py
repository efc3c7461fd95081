"""A pool of connections in front of the tests' database, as a web process meets it in a real portal."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg2
import pytest
from django.db import connection, connections
from django.test.utils import override_settings

from drills import pool
from drills.accounts import lowered
from tests.patience import PATIENCE

needs_pgbouncer = pytest.mark.skipif(pool.program() is None, reason="pgbouncer is not installed")
# Each transaction goes to the other of two connections: what one leaves behind is missing, or found, in the next.
TURNS: Final = {"default_pool_size": 2, "server_round_robin": 1}


@contextmanager
def pooled() -> Iterator[None]:
    """Within it, every new connection of any thread leads through the pool, with the settings of a pooled portal."""
    chosen = connections.settings["default"]
    direct = {name: chosen[name] for name in ("HOST", "PORT", "OPTIONS", "DISABLE_SERVER_SIDE_CURSORS")}
    at = connection.get_connection_params()
    with tempfile.TemporaryDirectory(prefix="pool-") as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        line = f"{chosen['NAME']} = host={at['host']} dbname={chosen['NAME']} user={chosen['USER']}"
        written = pool.configure(Path(name), database=line, listen_port=port, auth_type="any", **TURNS)
        process = subprocess.Popen(
            lowered([pool.program() or "", str(written)]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await(port)
            connection.close()
            options = {key: value for key, value in chosen["OPTIONS"].items() if key != "host"}
            chosen |= {
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "OPTIONS": options,
                "DISABLE_SERVER_SIDE_CURSORS": True,
            }
            _open_both()
            with override_settings(DATABASE_POOLED=True):
                yield
        finally:
            connections.close_all()
            chosen |= direct
            process.terminate()
            process.wait()


def _open_both() -> None:
    """Ask for two transactions at once, so that the pool opens both of its connections."""
    both = [psycopg2.connect(**connection.get_connection_params()) for _one in range(2)]
    for raw in both:
        raw.cursor().execute("SELECT 1")
    for raw in both:
        # Not closed at once: the pool ends a connection that was left in a transaction.
        raw.rollback()
        raw.close()


def _await(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the pool did not start"
