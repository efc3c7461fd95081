"""Being the portal's own role in the database instead of the owner of its tables, as in production."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections

from balabaqsha.postgresql.rights import ensure_role, give
from balabaqsha.servers.postgres import WEB_ROLE


@contextmanager
def as_web_role() -> Iterator[None]:
    """Within it, every new connection of any thread is the portal's role; afterwards this thread's is the owner's.

    For tests with transactions of their own: what the owner has not committed, the role doesn't see.
    """
    chosen = connections.settings["default"]
    owner = chosen["USER"]
    with connection.cursor() as cursor:
        ensure_role(cursor, role=WEB_ROLE, password=chosen["PASSWORD"])
        give(cursor, role=WEB_ROLE)
    connection.close()
    chosen["USER"] = WEB_ROLE
    try:
        yield
    finally:
        connection.close()
        chosen["USER"] = owner
