"""Transactions in which nobody waits long for what somebody else holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError, connection, transaction
from psycopg2.errors import DeadlockDetected, LockNotAvailable

LOCK_TIMEOUT_MS: Final = 3000


class Busy(Exception):
    """Somebody else holds what is needed; nothing was done, and it may be tried again."""


@contextmanager
def brief_locks() -> Iterator[None]:
    """One transaction in which a lock is waited for at most three seconds; after that it raises `Busy`."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            raise Busy from error
        raise
