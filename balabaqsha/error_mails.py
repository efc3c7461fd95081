"""Errors of ours told to operators by e-mail: what broke where, and nothing of the people before whom it broke.

Of a line in the log the mail has the words that stand in the code, without the values put into them, and of an error
its kind and the way through the code, without its message, its variables or the request, any of which may name
somebody. The log has the rest; the id of the request finds it.
"""

import logging
import os
import socket
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from queue import Full, Queue
from threading import Lock, Thread
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail

from balabaqsha import __version__

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 600
# A thread sends them; what comes faster is in the log alone.
_MOST_WAITING: Final = 20
# An error that is wrapped again and again.
_MOST_CAUSES: Final = 5
_CHECKOUT: Final = Path(__file__).resolve().parent.parent
_OURS: Final = frozenset({"accounts", "applications", "balabaqsha", "bulletin", "children", "notifications"})


class ErrorMails(logging.Handler):
    """One mail for each kind of error in ten minutes, from all processes together; nobody waits for it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._waiting: Queue[tuple[str, str, str]] = Queue(_MOST_WAITING)
        self._starting = Lock()
        self._told: dict[str, float] = {}
        self._process = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Leave it to the thread, whatever becomes of it."""
        kind, text = kind_of(record), text_of(record)
        try:
            self._waiting.put_nowait((sha256(kind.encode()).hexdigest(), kind, text))
        except Full:
            return
        with self._starting:
            # A process that was forked has none of its parent's threads.
            if self._process != os.getpid():
                self._process = os.getpid()
                try:
                    Thread(target=self._run, name="error-mails", daemon=True).start()
                except RuntimeError:
                    self._process = 0

    def _run(self) -> None:
        while True:
            key, kind, text = self._waiting.get()
            try:
                if self._is_due(key):
                    send_mail(f"[Balabaqsha] {kind}", text, settings.DEFAULT_FROM_EMAIL, settings.ERRORS_TO)
            except Exception as error:  # noqa: BLE001 - no way is left to tell of it but the log
                logger.warning("An error could not be told by e-mail: %s", type(error).__name__)
            finally:
                self._waiting.task_done()

    def _is_due(self, key: str) -> bool:
        """Whether nobody has told of this kind in ten minutes; while Redis is away this process alone counts."""
        now = time.monotonic()
        if now < self._told.get(key, now):
            return False
        if len(self._told) > 1000:
            self._told.clear()
        self._told[key] = now + EVERY_SECONDS
        try:
            return cache.add(f"error-mail:{key}", 1, EVERY_SECONDS)
        except Exception:  # noqa: BLE001 - it may be Redis that is broken
            return True


def kind_of(record: logging.LogRecord) -> str:
    """By what errors are alike: the kind of the error and where in our code it came from, or else the line's words."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if error is None:
        return f"{record.levelname} {record.name}: {_words(record)[:80]}"
    ours = [place for place in _places(error) if not place.startswith("…")]
    return f"{record.levelname} {_name(error)} {ours[-1] if ours else record.name}"


def text_of(record: logging.LogRecord) -> str:
    """The whole mail."""
    facts = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds"),
        "machine": socket.gethostname(),
        "version": __version__,
        "logger": record.name,
        "message": _words(record),
        # Find it in the log of the proxy, of the portal and of its tasks.
        "request": getattr(record, "correlation_id", None),
        "user": getattr(record, "user", None),
    }
    lines = [f"{name}: {value}" for name, value in facts.items() if value]
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    for _cause in range(_MOST_CAUSES):
        if error is None:
            break
        lines += ["", _name(error), *(f"    {place}" for place in _places(error))]
        error = error.__cause__ or error.__context__
    lines += ["", f"Not told again for {EVERY_SECONDS // 60} minutes. What to do: docs/runbook.md"]
    return "\n".join(lines)


def _words(record: logging.LogRecord) -> str:
    """The words in the code. Of a library's line that was put together before, nobody knows what is in it."""
    is_whole = not record.args and record.name.partition(".")[0] not in _OURS
    return "…" if is_whole else " ".join(str(record.msg).split())


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _places(error: BaseException) -> Iterator[str]:
    """The way through the code, the place where it broke last; what is not ours begins with a sign of its own."""
    for frame, number in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        is_ours = path.is_relative_to(_CHECKOUT) and "site-packages" not in path.parts
        place = path.relative_to(_CHECKOUT) if is_ours else "…/" + "/".join(path.parts[-2:])
        yield f"{place}:{number} {frame.f_code.co_name}"
