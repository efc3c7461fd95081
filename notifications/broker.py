"""Waking a worker after a commit.

Best effort by design: what was written is the promise, and a sweep does what Celery lost.
"""

import logging
import time

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

# After a broker that did not answer, pages stop asking it for this long: the sweeps do the work meanwhile.
REST_SECONDS = 30.0
_rests_until = 0.0


def wake_on_commit(task: str, *args: str) -> None:
    """Ask a worker to run `task` (its full name) once the present transaction is committed.

    A broker that is down never breaks the page and is not waited for again within half a minute.
    """
    transaction.on_commit(lambda: _wake(task, *args), robust=True)


def _wake(task: str, *args: str) -> None:
    global _rests_until
    if time.monotonic() < _rests_until:
        return
    try:
        current_app.send_task(task, args=args, ignore_result=True)
    except Exception:
        # Whatever is wrong with the broker must not reach a page whose work is committed.
        _rests_until = time.monotonic() + REST_SECONDS
        logger.warning("The broker did not take a wake-up call; the sweep will do the work.", exc_info=True)
