"""Waking a worker after a commit.

Best effort by design: the committed row is the promise, and a sweep does whatever Celery loses.
"""

import logging
import threading
import time
from typing import Final

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

# What a commit wakes.
DELIVERY_TASK: Final = "notifications.tasks.deliver_due_messages"
MAIL_TASK: Final = "notifications.tasks.deliver_due_mails"
TELEGRAM_TASK: Final = "notifications.tasks.deliver_due_telegrams"
PUSH_TASK: Final = "notifications.tasks.deliver_due_pushes"

# Of what waits in one queue, the smallest number goes first (Celery with Redis knows these three and 6): what somebody
# waits for before a page, what a family feels, housekeeping.
FIRST: Final = 0
USUAL: Final = 3
LAST: Final = 9

# If the broker does not answer, pages stop asking it for this long; the sweeps do the work meanwhile.
REST_SECONDS = 30.0
_rests_until = 0.0
# How long a wake-up call waits for other calls for the same task.
SOON_SECONDS = 0.2
_lock = threading.Lock()
_soon: set[str] = set()


def wake_on_commit(task: str, *args: str, priority: int | None = None) -> None:
    """Ask a worker to run `task` (its full name) once the current transaction is committed.

    Without a `priority` it has that of its kind. A broker that is down never breaks the page, and for half a minute no
    page waits for it again.
    """
    transaction.on_commit(lambda: _wake(task, *args, priority=priority), robust=True)


def wake_soon(task: str) -> None:
    """Ask a worker to run `task` (its full name, without arguments) within a quarter of a second.

    Call it after the commit. It costs the caller nothing: a thread calls the broker, once for all the calls that this
    process has made by then. If the process dies first, or may begin no thread, the sweep does the work.
    """
    with _lock:
        if task in _soon:
            return
        _soon.add(task)
    timer = threading.Timer(SOON_SECONDS, _wake_now, [task])
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:
        # What it is called for is committed, and stays accepted. The next call tries again.
        with _lock:
            _soon.discard(task)
        logger.warning("No thread could be begun for a wake-up call; the sweep will do the work.")


def _wake_now(task: str) -> None:
    # First make room for the next call: a commit from here on starts a new timer.
    with _lock:
        _soon.discard(task)
    _wake(task)


def _wake(task: str, *args: str, priority: int | None = None) -> None:
    global _rests_until
    if time.monotonic() < _rests_until:
        return
    try:
        current_app.send_task(task, args=args, ignore_result=True, priority=priority)
    except Exception:
        # No fault of the broker may reach a page whose work is committed.
        _rests_until = time.monotonic() + REST_SECONDS
        logger.warning("The broker did not take a wake-up call; the sweep will do the work.", exc_info=True)


def wake_soon_on_commit(task: str) -> None:
    """`wake_soon` once the current transaction is committed; nothing after a rollback."""
    transaction.on_commit(lambda: wake_soon(task), robust=True)
