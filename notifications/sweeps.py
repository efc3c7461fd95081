"""Sweeps: the same work for many things, each in its own transactions, so that a bad one holds up no other."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from django.db import connection
from django.db.models import QuerySet

logger = logging.getLogger(__name__)

M = TypeVar("M")

# So many rows are in memory at once, of however many there are.
PORTION: Final = 500


class NotCommitted(RuntimeError):
    """The work ended without an error and without a commit."""


def sweep(objects: Iterable[M], work: Callable[[M], Any]) -> int:
    """Do `work` for each of `objects`; failures are logged and left to the next run. Returns how many are committed.

    Of a query's rows the keys are read first and the rows in portions, so that a city's fit into any memory; whatever
    is not found any more when its turn comes is left out.

    Each object begins with a connection in autocommit, whatever the one before left behind. The log names a row by its
    key, anything else by its `name` or not at all: it may be somebody's words. Raises `OperationalError` if no such
    connection can be made: the rest would fail too.
    """
    done = 0
    renew_connection()
    for item in _in_portions(objects) if isinstance(objects, QuerySet) else objects:
        try:
            work(item)
            if not _is_committed():
                raise NotCommitted
        except Exception:
            name = getattr(item, "pk", getattr(item, "name", ""))
            logger.exception("could not handle %s %s", type(item).__name__, name)
        else:
            done += 1
        renew_connection()
    return done


def _in_portions(rows: QuerySet[Any]) -> Iterator[Any]:
    """The rows in their order, some at a time; all at once where there are few by a limit of the query's own."""
    if rows.query.is_sliced:
        yield from rows
        return
    keys = list(dict.fromkeys(rows.values_list("pk", flat=True)))
    for first in range(0, len(keys), PORTION):
        some = keys[first : first + PORTION]
        found = {one.pk: one for one in rows.filter(pk__in=some)}
        yield from (found[key] for key in some if key in found)


def renew_connection() -> None:
    """Replace a connection that is dead or was left outside autocommit; anything uncommitted on it is lost.

    On such a connection every later `atomic()` would be part of a transaction that is never committed. Inside an
    `atomic()` this does nothing.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
        connection.ensure_connection()


def _is_committed() -> bool:
    if connection.closed_in_transaction:
        return False
    return connection.connection is None or connection.in_atomic_block or connection.autocommit
