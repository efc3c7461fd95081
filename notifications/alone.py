"""Work that one connection does at a time, whatever machine it comes from."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction


@contextmanager
def alone(at: str) -> Iterator[bool]:
    """Whether no other connection is `at` it; then none gets to it before the end. Nobody waits.

    An advisory lock of PostgreSQL, held by the connection and not by a transaction, so it may last: it ends with the
    connection, too, and nobody who dies leaves it behind. Not for pages (`alone_in_transaction`): a pool takes the
    connection away after each transaction, and raises RuntimeError here.
    """
    if settings.DATABASE_POOLED:
        raise RuntimeError(
            "This needs a connection of its own: unset DATABASE_POOLED and name the database itself."
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [at])
        is_alone: bool = cursor.fetchone()[0]
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [at])


@contextmanager
def alone_in_transaction(at: str) -> Iterator[bool]:
    """The same, for as long as one transaction lasts, which is begun here: also behind a pool of connections."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [at])
        is_alone: bool = cursor.fetchone()[0]
        yield is_alone
