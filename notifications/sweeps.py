"""Sweeps: the same work for many rows, each in transactions of its own, where one bad row holds up no other."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

logger = logging.getLogger(__name__)

M = TypeVar("M", bound=Model)


class NotCommitted(RuntimeError):
    """The work ended without an error and without a commit."""


def sweep(objects: Iterable[M], work: Callable[[M], Any]) -> int:
    """Do `work` for each of `objects`; what fails is logged and left to the next run. Returns how many are committed.

    Whatever an object left behind, the next one begins with a connection in autocommit. Raises `OperationalError` when
    no such connection can be had: the rest would fail, too.
    """
    done = 0
    renew_connection()
    for item in objects:
        try:
            work(item)
            if not _is_committed():
                raise NotCommitted
        except Exception:
            logger.exception("could not handle %s %s", type(item).__name__, item.pk)
        else:
            done += 1
        renew_connection()
    return done


def renew_connection() -> None:
    """Replace a connection that is dead or was left outside of autocommit; what is not committed on it is lost.

    On such a connection every later `atomic()` would be part of a transaction that nobody commits. Inside an `atomic()`
    this changes nothing.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
        connection.ensure_connection()


def _is_committed() -> bool:
    if connection.closed_in_transaction:
        return False
    return connection.connection is None or connection.in_atomic_block or connection.autocommit
