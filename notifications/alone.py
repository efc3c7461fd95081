"""Work that one connection does at a time, whatever machine it comes from."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(at: str) -> Iterator[bool]:
    """Whether no other connection is `at` it; then none gets to it before the end. Nobody waits.

    An advisory lock of PostgreSQL, held by the connection and not by a transaction, so it may last: it ends with the
    connection, too, and nobody who dies leaves it behind.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [at])
        is_alone: bool = cursor.fetchone()[0]
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [at])
